#include "unload_claim.h"

#include <functional>
#include <utility>

#include "tsm/core/text.h"
#include "tsm/run/manifest.h"

namespace tsm::unload {

namespace {

std::string UriOf(const UnloadPlan& plan, const s3::ObjectKey& key) {
  return s3::S3Uri{plan.bucket, key}.str();
}

Result<Findings> DataFiles(const UnloadPlan& plan, const UnloadServices& services,
                           const std::function<bool(const std::string& key)>& wanted,
                           std::stop_token stop) {
  Findings found;
  Status listed = services.s3.ForEachObject(
      plan.bucket, plan.results_prefix,
      [&](const s3::ObjectSummary& object) {
        const std::string& key = object.key.str();
        if (run::IsDataFile(key) && wanted(key)) found.Add(UriOf(plan, object.key));
        return true;
      },
      stop);
  if (!listed) return listed.error();
  return found;
}

Result<Findings> OtherRecords(const UnloadPlan& plan, const UnloadServices& services,
                              std::stop_token stop) {
  Findings found;
  Status listed = services.s3.ForEachObject(
      plan.bucket, plan.record_prefix,
      [&](const s3::ObjectSummary& object) {
        if (object.key != plan.record_key && run::IsRunRecordKey(object.key.str())) {
          found.Add(UriOf(plan, object.key));
        }
        return true;
      },
      stop);
  if (!listed) return listed.error();
  return found;
}

// "a run that was not finished, started 2024-…": what the record says, where it can be read.
std::string WhatRecordSays(const std::string& uri, const UnloadServices& services,
                           std::stop_token stop) {
  Result<s3::S3Uri> where = s3::S3Uri::Parse(uri);
  if (!where) return "";
  Result<std::string> text = services.s3.GetObject(where->bucket, where->key, std::nullopt, stop);
  if (!text) return "";
  Result<run::RunRecord> record = run::ParseRunRecord(*text);
  if (!record) return "";
  return std::string(record->state == run::RunState::kDone ? ", of a finished unload of "
                                                           : ", of an unload without an end of ") +
         record->source.str() + ", started " + record->started_at;
}

}  // namespace

std::string Counted(std::uint64_t count, std::string_view noun) {
  return WithThousands(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

void Findings::Add(std::string text) {
  if (first.size() < kMaxNamedKeys) first.push_back(std::move(text));
  ++count;
}

void Tell(const Findings& findings, Severity severity, ProgressSink& progress) {
  for (const std::string& text : findings.first) progress.OnNotice({severity, text});
  if (findings.count > findings.first.size()) {
    const std::uint64_t more = findings.count - findings.first.size();
    progress.OnNotice({severity, "and " + WithThousands(more) + " more"});
  }
}

Status PutRecord(const UnloadPlan& plan, const run::RunRecord& record,
                 const UnloadServices& services, std::stop_token stop) {
  s3::PutOptions options;
  options.content_type = "application/json";
  Result<std::string> put =
      services.s3.PutObject(plan.bucket, plan.record_key, run::ToJson(record), options, stop);
  if (!put) return put.error().With("writing the run record");
  return Ok();
}

void DeleteRecord(const UnloadPlan& plan, const UnloadServices& services) {
  Status deleted = services.s3.DeleteObject(plan.bucket, plan.record_key, std::stop_token());
  if (!deleted) {
    services.progress.Warn("the run record " + plan.record_uri.str() +
                           " could not be deleted: " + deleted.error().Text());
  }
}

Status CheckNothingInTheWay(const UnloadPlan& plan, const UnloadServices& services,
                            std::stop_token stop) {
  Result<Findings> files = DataFilesOf(plan, "", services, stop);
  if (!files) return files.error();
  Result<Findings> records = OtherRecords(plan, services, stop);
  if (!records) return records.error();
  if (files->count == 0 && records->count == 0) return Ok();

  if (!records->first.empty()) {
    std::string& uri = records->first.front();
    uri += WhatRecordSays(uri, services, stop);
  }
  for (Findings* found : {&*records, &*files}) {
    for (std::string& text : found->first) text = "in the way: " + text;
    Tell(*found, Severity::kError, services.progress);
  }
  std::vector<std::string> parts;
  if (records->count > 0) parts.push_back(Counted(records->count, "run record"));
  if (files->count > 0) parts.push_back(Counted(files->count, "data file"));
  return MakeError(ErrorKind::kInTheWay,
                   plan.statement.destination.str() + " already holds " + Join(parts, " and ") +
                       " of another unload, which would be mixed with this one's; choose another "
                       "--s3_uri, or delete what lies there");
}

Result<Findings> DataFilesOf(const UnloadPlan& plan, const std::string& query_id,
                             const UnloadServices& services, std::stop_token stop) {
  return DataFiles(
      plan, services,
      [&](const std::string& key) {
        return query_id.empty() || run::QueryIdOfDataFile(key) == query_id;
      },
      stop);
}

Result<Findings> DataFilesOfOthers(const UnloadPlan& plan, const std::string& query_id,
                                   const UnloadServices& services, std::stop_token stop) {
  return DataFiles(
      plan, services,
      [&](const std::string& key) { return run::QueryIdOfDataFile(key) != query_id; }, stop);
}

}  // namespace tsm::unload
