#include "ts_batchload/plan_load.h"

#include <chrono>
#include <utility>

#include "tsm/batchload/plan_source.h"
#include "tsm/batchload/target_table.h"
#include "tsm/core/text.h"
#include "tsm/core/version.h"
#include "tsm/model/data_model.h"
#include "tsm/verify/verify_table.h"

namespace tsm::apps {

using batchload::LoadPlan;
using batchload::PlannedSource;
using batchload::TableLoad;
using batchload::Verify;

namespace {

Error Refuse(std::string message) {
  return MakeError(ErrorKind::kInvalidInput, std::move(message));
}

UnixNanos NowOf(const Clock& clock) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(clock.Now().time_since_epoch())
      .count();
}

class Planner {
 public:
  Planner(const BatchLoadSettings& settings, Session& session, ProgressSink& sink,
          std::stop_token stop)
      : settings_(settings), session_(session), sink_(sink), stop_(std::move(stop)) {}

  Result<PlannedLoad> Plan(const std::string& run_id, const std::filesystem::path& directory) {
    if (Status source = FindSource(run_id, directory); !source) return source.error();
    FillPlan(run_id);
    Result<timestream::WriteClient*> write = session_.write();
    if (!write) return write.error();
    MakeWishes();
    Result<batchload::FoundResources> found = batchload::LookAtResources(
        planned_.wishes, {**write, session_.s3(), session_.source_s3(), sink_}, stop_);
    if (!found) return found.error();
    planned_.found = *std::move(found);
    if (!settings_.load) return std::move(planned_);
    for (std::size_t i = 0; i < planned_.plan.tables.size(); ++i) {
      if (Status status = FillTable(i); !status) return status.error();
    }
    return std::move(planned_);
  }

 private:
  s3::S3Client& files() const { return settings_.copy ? session_.source_s3() : session_.s3(); }

  Status FindSource(const std::string& run_id, const std::filesystem::path& directory) {
    batchload::SourceRequest request;
    request.bucket = settings_.listed_bucket();
    request.prefix = settings_.listed_prefix();
    request.copy = settings_.copy;
    request.copy_only = !settings_.load;
    request.destination_prefix = settings_.destination_prefix;
    request.safe_prefixes = settings_.safe_prefixes;
    request.group_by = settings_.group_by;
    request.verify = settings_.verify;
    request.unload_run = settings_.unload_run;
    request.unrecorded = settings_.table;
    request.run_id = run_id;

    request.run_directory = directory;
    if (settings_.database_given) request.target_database = settings_.table.database;
    Result<PlannedSource> source = batchload::PlanSource(request, files(), sink_, stop_);
    if (!source) return source.error();
    source_ = *std::move(source);
    if (source_.tables.size() == 1) {
      source_.tables[0].target = settings_.table;
    } else if (settings_.table_given) {
      return Refuse("--table names one table, and under " + source_.tables[0].listed + " lie " +
                    std::to_string(source_.tables.size()) +
                    ": they keep their names; give the prefix of one of them, or no --table");
    }
    return Ok();
  }

  void FillPlan(const std::string& run_id) {
    LoadPlan& plan = planned_.plan;
    plan.run_id = run_id;
    plan.tool_version = std::string(Version());
    plan.region = session_.region();
    plan.created = NowOf(session_.clock());
    plan.copy = settings_.copy;
    plan.load = settings_.load;
    plan.source_bucket = settings_.listed_bucket();
    plan.target_bucket = settings_.target_bucket;
    plan.destination_prefix = settings_.destination_prefix;
    plan.report_bucket = settings_.error_bucket;
    plan.encryption = settings_.encryption;
    plan.kms_key_id = settings_.kms_key;
    plan.bucket_owner_full_control = settings_.bucket_owner_full_control;
    plan.csv = CsvOf();
    plan.record_version = settings_.record_version;
    plan.group_by = settings_.group_by;
    plan.verify = settings_.verify;
    plan.canary = settings_.canary;
    plan.state_in_s3 = settings_.state_in_s3;
    plan.allow_existing = settings_.allow_existing;
    plan.tables = source_.tables;
    plan.groups = source_.groups;
  }

  // As the flags say, and where they say nothing, as the record does.
  timestream::CsvConfiguration CsvOf() const {
    timestream::CsvConfiguration csv = settings_.csv;
    const batchload::SourceFacts& facts = source_.facts.front();
    if (facts.column_separator) csv.column_separator = *facts.column_separator;
    if (facts.escape_char && !settings_.escape_given) csv.escape_char = *facts.escape_char;
    return csv;
  }

  void MakeWishes() {
    batchload::ResourceWishes& wishes = planned_.wishes;
    wishes.region = session_.region();
    wishes.create_tables = settings_.create_table;
    if (settings_.copy) wishes.source_bucket = settings_.source_bucket;
    // Without a copy a new target bucket would hold nothing to load.
    wishes.target = {settings_.target_bucket, settings_.create_target_bucket && settings_.copy};
    wishes.report = {settings_.error_bucket, settings_.create_error_bucket};
    if (!settings_.load) return;
    for (const TableLoad& table : planned_.plan.tables) {
      batchload::DesiredTable desired;
      desired.table = table.target;
      desired.region = session_.region();
      if (settings_.create_table) {
        desired.memory_store_hours = settings_.memory_store_hours;
        desired.magnetic_store_days = settings_.magnetic_store_days;
      }
      if (!settings_.partition_key.empty()) {
        desired.partition_key =
            model::MakePartitionKey(settings_.partition_key, settings_.key_required);
      }
      desired.rejected_data = batchload::RejectedDataOf(settings_.error_bucket, table.target);
      wishes.tables.push_back(std::move(desired));
    }
  }

  Status FillTable(std::size_t i) {
    TableLoad& table = planned_.plan.tables[i];
    const auto& existing = planned_.found.tables[i];
    Result<timestream::QueryClient*> query = session_.query();
    if (!query) return query.error();
    const batchload::SourceFacts& facts = source_.facts[i];
    ModelQuestion question{settings_,    table,        planned_.plan.csv,
                           facts.record, std::nullopt, existing.has_value()};
    if (!facts.sample.str().empty()) question.sample = facts.sample;
    Result<TableModel> model = MakeTableModel(question, files(), **query, stop_);
    if (!model) return model.error();
    table.data_model_json = model::ToRequestJson(model->model);
    if (Status status = CheckKeys(i, *model); !status) return status;
    if (Status status = CheckAggregates(table, facts); !status) return status;
    if (Status status = CheckTarget(i, *model); !status) return status;
    if (existing) {
      if (Status status = CheckRowsThere(table, **query); !status) return status;
    }
    Note(table.target.str() + ": data model " + model->origin);
    for (const auto* lines : {&model->notes, &model->changes, &model->key_changes}) {
      for (const std::string& line : *lines) Note(table.target.str() + ": " + line);
    }
    planned_.models.push_back(*std::move(model));
    return Ok();
  }

  Status CheckKeys(std::size_t i, const TableModel& model) const {
    Status status = model::CheckKeyChanges(model.key_changes, settings_.allow_key_change);
    if (!status) return status;
    if (!model.key_changes.empty() && settings_.verify == Verify::kCount) {
      return Refuse(
          "with --allow_key_change rows may become one, so that their count proves nothing: choose "
          "--verify none or --verify content");
    }
    const auto& key = planned_.wishes.tables[i].partition_key;
    if (!key || !settings_.create_table) return Ok();
    return model::FitPartitionKey(model.model, *key, model.source, model.counts);
  }

  // What --verify content compares with must be there before anything is loaded.
  Status CheckAggregates(const TableLoad& table, const batchload::SourceFacts& facts) const {
    if (settings_.verify != Verify::kContent || table.rows == std::uint64_t{0}) return Ok();
    if (facts.record && !facts.record->content_prefix.empty()) return Ok();
    return Refuse("--verify content compares with what ts-unload --verify content kept, and " +
                  (facts.record ? "the record of " + table.listed + " names none"
                                : "no record of an unload was found under " + table.listed) +
                  ": unload with it, or choose --verify count");
  }

  Status CheckTarget(std::size_t i, const TableModel& model) {
    const batchload::LoadedData data{model.model, model.source, model.counts, model.oldest};
    const batchload::DesiredTable& desired = planned_.wishes.tables[i];
    const UnixNanos now = NowOf(session_.clock());
    const auto& existing = planned_.found.tables[i];
    if (!existing) return batchload::CheckNewTarget(desired, data, now);
    Result<std::vector<std::string>> notes =
        batchload::CompareTarget(desired, *existing, data, now);
    if (!notes) return notes.error();
    for (const std::string& note : *notes) Note(note);
    return Ok();
  }

  // Rows that are there already would be counted with the load's.
  Status CheckRowsThere(const TableLoad& table, timestream::QueryClient& query) {
    if (settings_.verify == Verify::kNone || !table.rows) return Ok();
    const verify::VerifyServices services{query, session_.clock(), session_.random(), sink_,
                                          nullptr};
    Result<std::uint64_t> rows =
        verify::CountRows(table.target, table.from, table.end, services, stop_);
    if (!rows && rows.error().kind == ErrorKind::kValidation) return Ok();  // no columns yet
    if (!rows) return rows.error().With("counting " + table.target.str());
    if (*rows == 0) return Ok();
    const std::string there = table.target.str() + " holds " + WithThousands(*rows) +
                              " rows in the range of what is to be loaded";
    if (settings_.verify == Verify::kCount) {
      return Refuse(there +
                    ", so that its count after the load proves nothing: choose --verify none or "
                    "--verify content, or load into another table");
    }
    Note(there);
    return Ok();
  }

  void Note(std::string line) { planned_.remarks.push_back(std::move(line)); }

  const BatchLoadSettings& settings_;
  Session& session_;
  ProgressSink& sink_;
  const std::stop_token stop_;
  PlannedSource source_;
  PlannedLoad planned_;
};

}  // namespace

Result<PlannedLoad> PlanLoad(const BatchLoadSettings& settings, const std::string& run_id,
                             const std::filesystem::path& run_directory, Session& session,
                             ProgressSink& sink, std::stop_token stop) {
  return Planner(settings, session, sink, std::move(stop)).Plan(run_id, run_directory);
}

Status CreateMissing(const PlannedLoad& planned, Session& session, ProgressSink& sink,
                     std::stop_token stop) {
  Result<timestream::WriteClient*> write = session.write();
  if (!write) return write.error();
  return batchload::CreateResources(planned.wishes, planned.found,
                                    {**write, session.s3(), session.source_s3(), sink},
                                    std::move(stop));
}

}  // namespace tsm::apps
