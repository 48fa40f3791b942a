#include "tsm/copy/copy_run.h"

#include <algorithm>
#include <mutex>
#include <optional>

#include "tsm/core/parallel.h"

namespace tsm::copy {
namespace {

// The task that writes this key, or null. Plan and listing are both in S3's key order.
const CopyTask* Find(const CopyPlan& plan, const s3::ObjectKey& key) {
  const auto found = std::lower_bound(
      plan.tasks.begin(), plan.tasks.end(), key,
      [](const CopyTask& task, const s3::ObjectKey& k) { return task.target < k; });
  return found != plan.tasks.end() && found->target == key ? &*found : nullptr;
}

// What the copying threads share.
struct Shared {
  std::mutex mutex;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::size_t failed = 0;
  bool interrupted = false;
  std::optional<Error> fatal;
  std::vector<std::optional<Error>> errors;  // one per task of the plan
};

bool IsFatal(const Error& error) {
  return error.kind == ErrorKind::kCredentials || error.kind == ErrorKind::kExpiredCredentials ||
         error.kind == ErrorKind::kConfiguration || error.kind == ErrorKind::kClockSkew;
}

// False where no further copy is worth starting.
bool CopyOne(s3::S3Client& s3, const CopyOptions& options, const CopyPlan& plan, std::size_t index,
             ProgressSink& sink, std::stop_token stop, Shared& shared) {
  const CopyTask& task = plan.tasks[index];
  s3::CopyOptions pinned;
  pinned.source_etag = task.source.etag;
  Result<s3::CopyResult> copied = s3.CopyObject(options.source_bucket, task.source.key,
                                                options.target_bucket, task.target, pinned, stop);
  Progress progress;
  {
    const std::lock_guard lock(shared.mutex);
    if (copied) {
      ++shared.files;
      shared.bytes += task.source.size;
    } else {
      if (copied.error().kind == ErrorKind::kCancelled) shared.interrupted = true;
      if (IsFatal(copied.error()) && !shared.fatal) shared.fatal = copied.error();
      shared.errors[index] = copied.error();
      ++shared.failed;
    }
    progress.phase = "copy";
    progress.done = shared.files;
    progress.total = plan.tasks.size();
    progress.bytes_done = shared.bytes;
    progress.bytes_total = plan.bytes;
    if (shared.failed > 0) progress.detail = std::to_string(shared.failed) + " failed";
  }
  sink.OnProgress(progress);
  return copied.has_value() || !IsFatal(copied.error());
}

// One listing of the target instead of a HEAD per object.
Status Prove(s3::S3Client& s3, const CopyOptions& options, const CopyPlan& plan,
             std::vector<std::optional<Error>>& errors, std::stop_token stop) {
  std::vector<bool> seen(plan.tasks.size(), false);
  const auto visit = [&](const s3::ObjectSummary& object) {
    const CopyTask* task = Find(plan, object.key);
    if (task == nullptr) return true;
    const auto index = static_cast<std::size_t>(task - plan.tasks.data());
    seen[index] = true;
    if (object.size != task->source.size && !errors[index]) {
      errors[index] =
          MakeError(ErrorKind::kProof, "the copy " + object.key.str() + " has " +
                                           std::to_string(object.size) + " bytes, its source " +
                                           std::to_string(task->source.size));
    }
    return true;
  };
  Status listed = s3.ForEachObject(options.target_bucket, options.target_prefix, visit, stop);
  if (!listed) return listed.error().With("proving the copies");
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (!seen[i] && !errors[i]) {
      errors[i] = MakeError(ErrorKind::kProof, "the copy " + plan.tasks[i].target.str() +
                                                   " is not in the target bucket");
    }
  }
  return Ok();
}

}  // namespace

Result<ForeignObjects> FindForeign(s3::S3Client& s3, const CopyOptions& options,
                                   const CopyPlan& plan, const std::vector<std::string>& folders,
                                   std::size_t limit, std::stop_token stop) {
  ForeignObjects foreign;
  const auto visit = [&](const s3::ObjectSummary& object) {
    const std::string& key = object.key.str();
    const auto after = std::upper_bound(folders.begin(), folders.end(), key);
    if (after == folders.begin() || !key.starts_with(*std::prev(after))) return true;
    if (Find(plan, object.key) != nullptr) return true;
    if (object.size == 0 && key.ends_with('/')) return true;  // a folder marker of the S3 console
    if (foreign.keys.size() < limit) foreign.keys.push_back(key);
    ++foreign.count;
    return true;
  };
  Status listed = s3.ForEachObject(options.target_bucket, options.target_prefix, visit, stop);
  if (!listed) return listed.error().With("looking for other files at the destination");
  return foreign;
}

Result<CopySummary> RunCopy(s3::S3Client& s3, const CopyOptions& options, const CopyPlan& plan,
                            const Clock& clock, ProgressSink& sink, std::stop_token stop) {
  const auto started = clock.Steady();
  Shared shared;
  shared.errors.resize(plan.tasks.size());
  const std::size_t begun = ParallelFor(
      plan.tasks.size(), options.concurrency, stop, [&](std::size_t index, std::stop_token inner) {
        return CopyOne(s3, options, plan, index, sink, inner, shared);
      });
  CopySummary summary;
  summary.fatal = shared.fatal;
  summary.interrupted = shared.interrupted || stop.stop_requested();
  if (!summary.interrupted && !summary.fatal) {
    if (Status proven = Prove(s3, options, plan, shared.errors, stop); !proven) {
      return proven.error();
    }
  }
  for (std::size_t i = 0; i < begun; ++i) {
    const CopySource& source = plan.tasks[i].source;
    if (!shared.errors[i]) {
      ++summary.files;
      summary.bytes += source.size;
    } else if (shared.errors[i]->kind != ErrorKind::kCancelled) {
      summary.failures.push_back({source.group, source.key, std::move(*shared.errors[i])});
    }
  }
  summary.duration = clock.Steady() - started;
  return summary;
}

}  // namespace tsm::copy
