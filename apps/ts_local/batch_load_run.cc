#include "ts_local/batch_load_run.h"

#include <stdexcept>

#include "ts_local/api_error.h"

namespace ts_local {

BatchLoadRun::BatchLoadRun(TableStore& tables, Storage& storage, const BatchTask& task)
    : tables_(tables), storage_(storage), task_(task), plan_(PlanOf(task)) {}

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

BatchOutcome BatchLoadRun::Load(const std::vector<std::string>& keys, const Progress& progress) {
  const BatchLoadFile::Target target{
      tables_, {task_.region, task_.database, task_.table}, task_.version};
  BatchLoadFile loader(target, plan_.model, plan_.csv, &counters_, &report_);
  for (const std::string& key : keys) {
    if (!LoadFile(&loader, key, progress)) return {true, false, "", counters_};
  }
  if (report_.empty()) return {false, true, "", counters_};
  return {false, false, WriteReport(), counters_};
}

bool BatchLoadRun::LoadFile(BatchLoadFile* loader, const std::string& key,
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
  return true;
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
