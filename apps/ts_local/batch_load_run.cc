#include "ts_local/batch_load_run.h"

#include "ts_local/api_error.h"

namespace ts_local {

BatchLoadRun::BatchLoadRun(TableStore& tables, ObjectStore& objects, const BatchTask& task)
    : tables_(tables), objects_(objects), task_(task), plan_(PlanOf(task)) {}

std::string BatchLoadRun::ListFiles(std::vector<std::string>* keys) const {
  const std::string where = "s3://" + plan_.source_bucket + "/" + plan_.source_prefix;
  if (!objects_.FindBucket(plan_.source_bucket)) {
    return "The source bucket " + plan_.source_bucket + " does not exist.";
  }
  if (!objects_.Allowed(plan_.source_bucket, "s3:ListBucket", "")) {
    return "Access denied: s3:ListBucket on " + plan_.source_bucket + ".";
  }
  std::uint64_t bytes = 0;
  // One over the limit of files and as many folder markers fit in one page.
  for (const ObjectInfo& object :
       objects_.List(plan_.source_bucket, plan_.source_prefix, "", 1'000)) {
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

BatchOutcome BatchLoadRun::Load(const std::vector<std::string>& keys, const Progress& progress) {
  const BatchLoadFile::Target target{
      tables_, {task_.region, task_.database, task_.table}, task_.version};
  BatchLoadFile loader(target, plan_.model, plan_.csv, &counters_, &report_);
  for (const std::string& key : keys) {
    std::string denied;
    const auto object = objects_.Find(plan_.source_bucket, key);
    if (!object) denied = "NoSuchKey: the object is gone.";
    if (!objects_.Allowed(plan_.source_bucket, "s3:GetObject", key)) {
      denied = "AccessDenied: s3:GetObject is denied.";
    }
    if (!denied.empty()) {
      ++counters_.file_failures;
      report_.AddFileError(key, denied);
      continue;
    }
    if (!loader.Load(*object, [&] { return progress(counters_); })) {
      return {true, false, "", counters_};
    }
  }
  if (report_.empty()) return {false, true, "", counters_};
  return {false, false, WriteReport(), counters_};
}

// Where the service puts its report below the prefix is documented nowhere: this key is ours, and a
// reader should find it by listing the prefix for the task's id.
std::string BatchLoadRun::WriteReport() {
  std::string key = plan_.report_prefix;
  if (!key.empty() && key.back() != '/') key += '/';
  key += task_.table + "/" + task_.id + "/" + task_.id + "_report.json";
  const std::string where = "s3://" + plan_.report_bucket + "/" + key;
  try {
    if (!objects_.Allowed(plan_.report_bucket, "s3:PutObject", key)) {
      return "The task completed with errors; access denied for its report " + where;
    }
    ObjectAttributes attributes;
    attributes.content_type = "application/json";
    attributes.encryption = plan_.report_encryption;
    objects_.Put(plan_.report_bucket, key, report_.Json(task_.id), attributes);
  } catch (const ApiError& error) {
    return "The task completed with errors; its report " + where +
           " could not be written: " + error.what();
  }
  return "The task completed with errors, see " + where;
}

}  // namespace ts_local
