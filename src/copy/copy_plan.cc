#include <algorithm>

#include "tsm/copy/copy_run.h"
#include "tsm/core/text.h"

namespace tsm::copy {

Result<CopyPlan> PlanCopy(const CopyOptions& options, std::vector<CopySource> sources) {
  CopyPlan plan;
  plan.tasks.reserve(sources.size());
  for (CopySource& source : sources) {
    if (source.size > s3::kMaxSingleCopyBytes) {
      return MakeError(ErrorKind::kInvalidInput,
                       source.key.str() + " has " + FormatBytes(source.size) +
                           ", one copy request takes " + FormatBytes(s3::kMaxSingleCopyBytes));
    }
    s3::ObjectKey target(options.target_prefix + source.key.str());
    if (target.str().size() > s3::kMaxKeyBytes) {
      return MakeError(ErrorKind::kInvalidInput, "the key " + target.str() + " would have " +
                                                     std::to_string(target.str().size()) +
                                                     " bytes, S3 takes " +
                                                     std::to_string(s3::kMaxKeyBytes) +
                                                     ": give a shorter destination prefix");
    }
    plan.bytes += source.size;
    plan.tasks.push_back({std::move(source), std::move(target)});
  }
  std::sort(plan.tasks.begin(), plan.tasks.end(),
            [](const CopyTask& a, const CopyTask& b) { return a.target < b.target; });
  return plan;
}

}  // namespace tsm::copy
