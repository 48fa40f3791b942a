#include "ts_batchload/table_proof.h"

#include <algorithm>
#include <map>
#include <utility>

#include "tsm/core/text.h"
#include "tsm/model/data_model.h"
#include "tsm/run/run_record.h"

namespace tsm::apps {

using batchload::GroupState;
using batchload::LoadPlace;
using batchload::LoadPlan;
using batchload::LoadState;
using batchload::Verify;

namespace {

struct TableCounts {
  bool ended = true;  // each group's last task has told its counters
  bool all_done = true;
  bool loaded_any = false;
  std::uint64_t rejected = 0;
};

TableCounts CountTable(const LoadPlan& plan, std::size_t table, const LoadState& state) {
  TableCounts counts;
  for (std::size_t i = 0; i < plan.groups.size(); ++i) {
    if (plan.groups[i].table != table) continue;
    const GroupState& group = state.group(i);
    const bool done = group.state == GroupState::State::kDone;
    const bool told = done || (group.state == GroupState::State::kFailed && !group.tasks.empty() &&
                               !group.tasks.back().task_id.empty());
    counts.ended = counts.ended && told;
    counts.all_done = counts.all_done && done;
    counts.loaded_any = counts.loaded_any || told;
    counts.rejected += group.rejected;
  }
  return counts;
}

// Rows that the unload's record does not speak of may have been there before.
std::optional<std::string> WhyNotCounted(const LoadPlan& plan, std::size_t table,
                                         const batchload::TableLoadState& state) {
  if (!plan.tables[table].rows)
    return "no record and no manifest tells how many rows there must be";
  if (state.rows_before.value_or(0) > 0) {
    return "the table held " + WithThousands(*state.rows_before) +
           " rows in this range before the load, so its count tells nothing";
  }
  return std::nullopt;
}

// All from `at` on become the one that stands there.
void MergeFrom(std::size_t at, std::vector<verify::ExpectedPlace>& places,
               std::vector<std::uint64_t>& rejected) {
  if (at + 1 == places.size()) return;
  verify::ExpectedPlace& first = places[at];
  for (std::size_t i = at + 1; i < places.size(); ++i) {
    first.rows += places[i].rows;
    rejected[at] += rejected[i];
  }
  first.end = places.back().end;
  first.label = first.label.substr(0, first.label.find(" to ")) + " to " + places.back().label;
  places.resize(at + 1);
  rejected.resize(at + 1);
}

class TableProof {
 public:
  TableProof(const ProofParts& parts, std::size_t table, std::vector<std::string>& remarks,
             std::stop_token stop)
      : parts_(parts), table_(table), remarks_(remarks), stop_(std::move(stop)) {}

  Status Run() {
    TableCounts counts;
    batchload::TableLoadState state;
    std::vector<verify::ExpectedPlace> places;
    parts_.ledger.Look([&](const LoadState& look) {
      counts = CountTable(parts_.plan, table_, look);
      state = look.tables()[table_];
      places = ExpectedPlaces(parts_.plan, table_, look);
    });
    if (state.closed && !parts_.again) return Ok();
    // What a failed group lacks is no row on its way: waiting for it would be in vain.
    if (parts_.again ? !counts.ended : !counts.all_done) {
      remarks_.emplace_back("not proven yet: not every group is loaded");
      return Ok();
    }
    std::vector<std::string> differences;
    Result<std::string> verified = Prove(state, std::move(places), counts, differences);
    if (!verified) return verified.error();
    Status written = parts_.ledger.ProvedTable(table_, *verified, differences);
    if (!written || !differences.empty() || !counts.all_done || state.closed) return written;
    return parts_.ledger.CloseTable(table_);
  }

 private:
  // How the proof ended, as the state keeps it.
  Result<std::string> Prove(const batchload::TableLoadState& state,
                            std::vector<verify::ExpectedPlace> places, const TableCounts& counts,
                            std::vector<std::string>& differences) {
    if (parts_.verify == Verify::kNone) return std::string("not asked");
    std::string verified = "equal";
    if (const auto why = WhyNotCounted(parts_.plan, table_, state)) {
      remarks_.push_back("not counted: " + *why);
      verified = "not comparable";
    } else if (Status counted = Count(std::move(places), counts, differences); !counted) {
      return counted.error();
    }
    if (parts_.verify == Verify::kContent && counts.loaded_any) {
      if (Status compared = Compare(verified == "equal", differences); !compared)
        return compared.error();
      if (verified == "not comparable") verified = "content equal";
    }
    return differences.empty() ? verified : "differs";
  }

  Status Count(std::vector<verify::ExpectedPlace> places, const TableCounts& counts,
               std::vector<std::string>& differences) {
    const batchload::TableLoad& planned = parts_.plan.tables[table_];
    verify::CountRequest request;
    request.table = planned.target;
    request.wait = parts_.wait;
    request.poll_interval = parts_.poll_interval;
    request.places = std::move(places);
    if (request.places.empty()) {
      const bool bounded = planned.from && planned.end;
      request.whole_table = !bounded;
      request.places.push_back({bounded ? "the range" : "the table", planned.from.value_or(0),
                                planned.end.value_or(0),
                                *planned.rows - std::min(*planned.rows, counts.rejected)});
    }
    Result<verify::CountVerdict> verdict = verify::VerifyCount(request, parts_.services, stop_);
    if (!verdict) return verdict.error().With("counting " + planned.target.str());
    for (const verify::PlaceDifference& difference : verdict->differences) {
      differences.push_back(difference.str());
    }
    if (verdict->waited_out) {
      remarks_.push_back("rows that were loaded are not seen after " + FormatWait() +
                         ": what goes to the magnetic store may take hours, ts-batchload verify " +
                         parts_.plan.run_id + " looks again");
    }
    if (counts.rejected > 0) {
      remarks_.push_back(WithThousands(counts.rejected) +
                         " rows were rejected, as the tasks' reports say, and are not expected");
    }
    return Ok();
  }

  std::string FormatWait() const {
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(parts_.wait).count()) +
           " s";
  }

  Status Compare(bool waited, std::vector<std::string>& differences) {
    const batchload::TableLoad& planned = parts_.plan.tables[table_];
    if (planned.record_uri.empty()) {
      return MakeError(ErrorKind::kInvalidInput,
                       "--verify content compares with what ts-unload --verify content kept, and "
                       "no record of an unload was found for " +
                           planned.target.str());
    }
    Result<s3::S3Uri> uri = s3::S3Uri::Parse(planned.record_uri);
    if (!uri) return uri.error();
    Result<std::string> text = parts_.source.GetObject(uri->bucket, uri->key, std::nullopt, stop_);
    if (!text) return text.error().With("reading the unload's record");
    Result<run::RunRecord> record = run::ParseRunRecord(*text);
    if (!record) return record.error().With(planned.record_uri);
    Result<model::DataModel> model = model::ParseDataModel(planned.data_model_json);
    if (!model) return model.error();
    verify::ContentRequest request{planned.target, *std::move(record), uri->bucket,
                                   *std::move(model)};
    // Where rows were counted they have been waited for already.
    request.wait = waited ? std::chrono::nanoseconds(0) : parts_.wait;
    request.poll_interval = parts_.poll_interval;
    Result<verify::ContentVerdict> verdict =
        verify::VerifyContent(request, parts_.source, parts_.services, stop_);
    if (!verdict) return verdict.error().With("comparing the content of " + planned.target.str());
    differences.insert(differences.end(), verdict->differences.begin(), verdict->differences.end());
    for (const std::string& column : verdict->not_compared) {
      remarks_.push_back("not compared: " + column);
    }
    remarks_.push_back(WithThousands(verdict->facts) + " aggregates of " +
                       WithThousands(verdict->partitions) + " partitions compared, " +
                       WithThousands(verdict->different) + " differ");
    return Ok();
  }

  const ProofParts& parts_;
  const std::size_t table_;
  std::vector<std::string>& remarks_;
  const std::stop_token stop_;
};

}  // namespace

std::vector<verify::ExpectedPlace> ExpectedPlaces(const LoadPlan& plan, std::size_t table,
                                                  const LoadState& state) {
  std::vector<verify::ExpectedPlace> expected;
  std::vector<std::uint64_t> rejected;          // of each
  std::map<std::size_t, std::size_t> place_of;  // of a group with rejections
  for (const LoadPlace& place : plan.tables[table].places) {
    std::size_t at = expected.size();
    for (const std::size_t group : place.groups) {
      if (const auto found = place_of.find(group); found != place_of.end()) {
        at = std::min(at, found->second);
      }
    }
    expected.push_back({place.label, place.from, place.end, place.rows});
    rejected.push_back(0);
    // From the earliest place that shares such a group on, all are one.
    MergeFrom(at, expected, rejected);
    for (auto& [group, index] : place_of) index = std::min(index, at);
    for (const std::size_t group : place.groups) {
      const std::uint64_t rows = state.group(group).rejected;
      if (rows > 0 && place_of.emplace(group, at).second) rejected[at] += rows;
    }
  }
  for (std::size_t i = 0; i < expected.size(); ++i) {
    expected[i].rows -= std::min(expected[i].rows, rejected[i]);
  }
  return expected;
}

Status ProveTables(const ProofParts& parts, std::vector<std::vector<std::string>>& remarks,
                   std::stop_token stop) {
  remarks.resize(parts.plan.tables.size());
  for (std::size_t i = 0; i < parts.plan.tables.size(); ++i) {
    Status proven = TableProof(parts, i, remarks[i], stop).Run();
    if (!proven) return proven;
  }
  return Ok();
}

}  // namespace tsm::apps
