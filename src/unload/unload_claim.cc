#include "unload_claim.h"

#include <set>
#include <string>
#include <utility>

#include "content_record.h"
#include "tsm/core/text.h"
#include "tsm/core/time_text.h"
#include "tsm/run/manifest.h"

namespace tsm::unload {

namespace {

// Enough for a person to see what lies there; the count is always told in full.
constexpr std::size_t kMaxNamedKeys = 10;

std::vector<run::RecordAlias> AliasesOf(const std::vector<AliasedColumn>& columns) {
  std::vector<run::RecordAlias> aliases;
  aliases.reserve(columns.size());
  for (const AliasedColumn& column : columns) aliases.emplace_back(column.column, column.alias);
  return aliases;
}

std::string TimeText(UnixNanos time) {
  return FormatIso8601(std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(
          std::chrono::nanoseconds(time))));
}

void AddSlices(const TableState& table, run::RunRecord& record) {
  for (const auto& [id, slice] : table.slices) {
    if (slice.state != SliceState::State::kDone) continue;
    const Attempt* attempt = slice.Find(slice.done.attempt);
    record.slices.push_back({id, slice.done.attempt, slice.slice.from, slice.slice.end,
                             attempt == nullptr ? "" : attempt->to.str(), slice.done.query_id,
                             slice.done.manifest_uri, slice.done.rows, slice.done.bytes,
                             slice.done.files});
    record.rows += slice.done.rows;
    record.bytes += slice.done.bytes;
    record.files += slice.done.files;
  }
}

Status PutJson(RunContext& context, const s3::S3Uri& uri, std::string json) {
  s3::PutOptions options;
  options.content_type = "application/json";
  Result<std::string> put =
      context.services.s3.PutObject(uri.bucket, uri.key, std::move(json), options, context.stop());
  if (!put) return put.error().With("writing the run record " + uri.str());
  return Ok();
}

// What lies at a destination beside this run's record.
struct Found {
  std::set<std::string> vouched;  // QueryIds that finished records name
  std::uint64_t records = 0;
  std::vector<std::string> strangers;  // the first data files that none of them names
  std::uint64_t stranger_count = 0;
  bool any_data = false;
};

Status ReadRecords(RunContext& context, const TablePlan& table, Found& found) {
  const s3::ObjectKey own = context.plan.RecordKey(table);
  std::vector<s3::ObjectKey> keys;
  Status listed = context.services.s3.ForEachObject(
      table.destination.bucket, table.record_prefix(),
      [&](const s3::ObjectSummary& object) {
        if (object.key != own && run::IsRunRecordKey(object.key.str())) keys.push_back(object.key);
        return true;
      },
      context.stop());
  if (!listed) return listed;
  found.records = keys.size();
  for (const s3::ObjectKey& key : keys) {
    Result<std::string> text =
        context.services.s3.GetObject(table.destination.bucket, key, std::nullopt, context.stop());
    if (!text) return text.error();
    const Result<run::RunRecord> record = run::ParseRunRecord(*text);
    // An index, a record of a newer program, a damaged one: it vouches for nothing here.
    if (!record || record->state != run::RunState::kDone) continue;
    for (const run::RecordSlice& slice : record->slices) found.vouched.insert(slice.query_id);
  }
  return Ok();
}

Status LookForData(RunContext& context, const TablePlan& table, Found& found) {
  return context.services.s3.ForEachObject(
      table.destination.bucket, table.results_prefix(),
      [&](const s3::ObjectSummary& object) {
        const std::string& key = object.key.str();
        if (!run::IsDataFile(key)) return true;
        found.any_data = true;
        if (found.vouched.count(run::QueryIdOfDataFile(key).value_or("")) > 0) return true;
        if (found.strangers.size() < kMaxNamedKeys) {
          found.strangers.push_back(s3::S3Uri{table.destination.bucket, object.key}.str());
        }
        ++found.stranger_count;
        return true;
      },
      context.stop());
}

Status Refuse(RunContext& context, const TablePlan& table, const Found& found) {
  for (const std::string& uri : found.strangers) {
    context.services.progress.OnNotice({Severity::kError, "in the way: " + uri});
  }
  if (found.stranger_count > found.strangers.size()) {
    context.services.progress.OnNotice(
        {Severity::kError,
         "and " + WithThousands(found.stranger_count - found.strangers.size()) + " more"});
  }
  return MakeError(ErrorKind::kInTheWay,
                   table.destination.str() + " already holds " +
                       WithThousands(found.stranger_count) +
                       (found.stranger_count == 1 ? " data file" : " data files") +
                       " that no finished run's record vouches for, and loading the folder would "
                       "mix them with this run's; choose another --s3_uri, delete them, resume the "
                       "run that left them (ts-unload list), or give --append");
}

Result<bool> Claim(RunContext& context, std::size_t index) {
  const TablePlan& table = context.plan.tables[index];
  if (Status put = PutRecord(context, index, run::RunState::kStarted); !put) return put.error();
  Found found;
  if (Status read = ReadRecords(context, table, found); !read) return read.error();
  if (Status looked = LookForData(context, table, found); !looked) return looked.error();
  if (found.stranger_count > 0 && !context.plan.append)
    return Refuse(context, table, found).error();
  return found.records == 0 && !found.any_data;
}

bool HasBegun(const TableState& table) {
  for (const auto& [id, slice] : table.slices) {
    if (!slice.attempts.empty()) return true;
  }
  return table.closed;
}

}  // namespace

run::RunRecord RecordOf(const RunContext& context, std::size_t index, run::RunState state) {
  const UnloadPlan& plan = context.plan;
  const TablePlan& table = plan.tables[index];
  const TableSelect& select = table.select;
  run::RunRecord record;
  record.run_id = plan.run_id;
  record.tool_version = plan.tool_version;
  record.account = plan.account;
  record.region = plan.region;
  record.source = table.table();
  if (table.range) {
    record.from = table.range->from;
    record.end = table.range->end;
  }
  record.partition = std::string(Name(select.partition));
  record.partition_alias = select.partition_alias;
  record.partitioned_by = AliasesOf(select.partitioned_by);
  record.columns = select.columns;
  record.where = select.where;
  record.time_alias = select.time_alias;
  record.timestamps = AliasesOf(select.timestamps);
  record.format.format = std::string(Name(plan.format.format));
  record.format.compression = std::string(Name(plan.format.compression));
  record.format.field_delimiter = std::string(1, plan.format.field_delimiter);
  record.format.escaped_by = std::string(1, plan.format.escaped_by);
  record.format.include_header = plan.format.include_header;
  record.schema = table.schema;
  record.measures = table.measures;
  record.state = state;
  record.started_at = TimeText(plan.created);
  if (state != run::RunState::kDone) return record;
  record.finished_at = TimeText(context.Now());
  record.verify = std::string(Name(plan.verify));
  if (plan.verify == Verify::kContent) {
    record.content_prefix = ContentPrefix(plan, table);
  }
  context.ledger.Look([&](const UnloadState& whole) {
    const TableState& found = whole.table(index);
    record.verified = found.verified;
    record.non_null = found.non_null;
    AddSlices(found, record);
  });
  return record;
}

Status PutRecord(RunContext& context, std::size_t index, run::RunState state) {
  return PutJson(context, context.plan.RecordUri(context.plan.tables[index]),
                 run::ToJson(RecordOf(context, index, state)));
}

Status PutIndex(RunContext& context, run::RunState state) {
  const UnloadPlan& plan = context.plan;
  if (!plan.has_index()) return Ok();
  run::RunIndex index{plan.run_id, plan.tool_version, plan.region, state, {}};
  for (const TablePlan& table : plan.tables) {
    index.records.emplace_back(table.table(), plan.RecordUri(table).str());
  }
  return PutJson(context, plan.IndexUri(), run::ToJson(index));
}

Result<std::vector<bool>> ClaimDestinations(RunContext& context) {
  std::vector<bool> empty(context.plan.tables.size(), false);
  bool begun = false;
  Status put = PutIndex(context, run::RunState::kStarted);
  for (std::size_t i = 0; put && i < context.plan.tables.size(); ++i) {
    bool skip = false;
    bool closed = false;
    context.ledger.Look([&](const UnloadState& state) {
      skip = HasBegun(state.table(i));
      closed = state.table(i).closed;
    });
    if (skip) {
      begun = true;
      // A slice that is unloaded again: the old record must not vouch for it meanwhile.
      if (!closed) put = PutRecord(context, i, run::RunState::kStarted);
      continue;
    }
    Result<bool> claim = Claim(context, i);
    if (claim) {
      empty[i] = *claim;
    } else {
      put = claim.error();
    }
  }
  if (put) return empty;
  if (!begun) TakeBackClaims(context);
  return put.error();
}

// With no stop of its own: that of the run may be why it is called.
void TakeBackClaims(RunContext& context) {
  std::vector<s3::S3Uri> uris;
  for (const TablePlan& table : context.plan.tables) uris.push_back(context.plan.RecordUri(table));
  if (context.plan.has_index()) uris.push_back(context.plan.IndexUri());
  for (const s3::S3Uri& uri : uris) {
    Status deleted = context.services.s3.DeleteObject(uri.bucket, uri.key, std::stop_token());
    if (deleted) continue;
    context.services.progress.Warn("the run record " + uri.str() +
                                   " could not be deleted: " + deleted.error().Text());
  }
}

}  // namespace tsm::unload
