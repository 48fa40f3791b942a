#include "ts_local/batch_load_run.h"

#include <algorithm>
#include <stdexcept>

#include "ts_local/api_error.h"
#include "ts_local/rejected_data.h"

namespace ts_local {

BatchLoadRun::BatchLoadRun(TableStore& tables, Storage& storage, const BatchTask& task,
                           const BatchRunRules& rules)
    : tables_(tables), storage_(storage), task_(task), plan_(PlanOf(task)), rules_(rules) {}

std::string BatchLoadRun::ListFiles(std::vector<std::string>* keys) const {
  const std::string where = "s3://" + plan_.source_bucket + "/" + plan_.source_prefix;
  std::vector<StoredObject> objects;
  try {
    // One over the limit of files and as many folder markers fit in one page.
    objects = storage_.ListBelow(Source(), plan_.source_prefix, 1'000);
  } catch (const ApiError& error) {
    return "Cannot list the files at " + where + ": " + error.code() + ": " + error.what();
  }
  std::uint64_t bytes = 0;
  for (const StoredObject& object : objects) {
    if (object.size == 0 && object.key.ends_with('/')) continue;  // a console's folder marker
    if (object.size > kMaxBatchFileBytes) {
      return "The file " + object.key + " is larger than 5 GB.";
    }
    bytes += object.size;
    keys->push_back(object.key);
  }
  if (keys->empty()) return "There is no file at " + where + ".";
  if (keys->size() > kMaxBatchFiles) return "There are more than 100 files at " + where + ".";
  if (bytes > kMaxBatchBytes) return "The files at " + where + " are larger than 100 GB.";
  return {};
}

std::int64_t BatchLoadRun::TotalBytes(const std::vector<std::string>& keys) const {
  std::uint64_t total = 0;
  for (const std::string& key : keys) {
    try {
      if (const auto object = storage_.FindObject(Source(), key)) total += object->size;
    } catch (const std::exception&) {
      continue;  // named when it comes to be loaded
    }
  }
  return static_cast<std::int64_t>(total);
}

void BatchLoadRun::SetBounds() {
  if (rules_.mishap != BatchRunRules::Mishap::kGoOn) {
    const std::int64_t left = std::max<std::int64_t>(0, total_bytes_ - task_.counters.bytes);
    bounds_.stop_bytes =
        rules_.share ? static_cast<std::int64_t>(static_cast<double>(total_bytes_) * *rules_.share)
                     : task_.counters.bytes + left / 2;
  }
  if (rules_.partitions == nullptr || !rules_.partitions->limited()) return;
  constexpr std::int64_t kHourNs = 3'600'000'000'000;
  const TableInfo table = tables_.GetTable({task_.region, task_.database, task_.table});
  bounds_.partitions = rules_.partitions;
  bounds_.now_ns = rules_.now_ns;
  bounds_.magnetic_before_ns = rules_.now_ns() - table.properties.memory_hours * kHourNs;
  bounds_.loaded_rows = task_.counters.processed;
}

BatchOutcome BatchLoadRun::Load(const std::vector<std::string>& keys, const Progress& progress) {
  total_bytes_ = TotalBytes(keys);
  SetBounds();
  const BatchLoadFile::End end = LoadFiles(keys, progress);
  if (end == BatchLoadFile::End::kInterrupted) return {true, kProgressStopped, "", counters_, 0};
  if (end == BatchLoadFile::End::kBound) {
    if (rules_.mishap != BatchRunRules::Mishap::kFail) {
      // A run that came less far than the one before it has not moved the task.
      if (counters_.processed < task_.counters.processed) counters_ = task_.counters;
      return Outcome(kProgressStopped, StopReason());
    }
    report_.AddTaskError(StopReason());
  }
  if (report_.empty()) return Outcome(kSucceeded, "");
  return Outcome(kFailed, WriteReport());
}

BatchOutcome BatchLoadRun::Outcome(const char* status, std::string error) const {
  return {false, status, std::move(error), counters_, total_bytes_};
}

// The service's words for these are documented nowhere.
std::string BatchLoadRun::StopReason() const {
  switch (rules_.mishap) {
    case BatchRunRules::Mishap::kStop:
      return "ts-local was told to stop this task";
    case BatchRunRules::Mishap::kFail:
      return "ts-local was told to let this task fail";
    case BatchRunRules::Mishap::kGoOn:
      break;
  }
  return "The database " + task_.database +
         " has reached the limit of active magnetic store partitions";
}

BatchLoadFile::End BatchLoadRun::LoadFiles(const std::vector<std::string>& keys,
                                           const Progress& progress) {
  const TableName table{task_.region, task_.database, task_.table};
  const BatchLoadFile::Target target{
      tables_, table, task_.version, rules_.source, [&](const std::vector<RowRejection>& silent) {
        if (silent.empty()) return;
        ReportSilentRejections(tables_.GetTable(table), silent, storage_, rules_.now_ns());
      }};
  BatchLoadFile loader(target, bounds_, plan_.model, plan_.csv, &counters_, &report_);
  for (const std::string& key : keys) {
    const BatchLoadFile::End end = LoadFile(&loader, key, progress);
    if (end != BatchLoadFile::End::kWhole) return end;
  }
  return BatchLoadFile::End::kWhole;
}

BatchLoadFile::End BatchLoadRun::LoadFile(BatchLoadFile* loader, const std::string& key,
                                          const Progress& progress) {
  std::unique_ptr<Storage::Download> download;
  std::string problem = "NoSuchKey: the object is gone.";
  try {
    const auto object = storage_.FindObject(Source(), key);
    if (object) download = storage_.StartDownload(Source(), *object);
  } catch (const ApiError& error) {
    problem = error.code() + ": " + error.what();
  } catch (const std::runtime_error& error) {
    problem = "The file could not be read: " + std::string(error.what());
  }
  if (download) return loader->Load(key, download.get(), [&] { return progress(counters_); });
  ++counters_.file_failures;
  report_.AddFileError(key, problem);
  return BatchLoadFile::End::kWhole;
}

// Where the service puts its report below the prefix is documented nowhere: this key is ours, and a
// reader should find it by listing the prefix for the task's id.
std::string BatchLoadRun::WriteReport() {
  std::string key = plan_.report_prefix;
  if (!key.empty() && key.back() != '/') key += '/';
  key += task_.table + "/" + task_.id + "/" + task_.id + "_report.json";
  const std::string where = "s3://" + plan_.report_bucket + "/" + key;
  try {
    PutWhole(storage_, {task_.region, plan_.report_bucket}, key, report_.Json(task_.id),
             plan_.report_as);
  } catch (const ApiError& error) {
    return "The task completed with errors; its report " + where +
           " could not be written: " + error.code() + ": " + error.what();
  }
  return "The task completed with errors, see " + where;
}

}  // namespace ts_local
