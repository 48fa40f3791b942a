#include "group_prefix.h"

#include <algorithm>

#include "tsm/batchload/load_plan.h"
#include "tsm/core/text.h"

namespace tsm::batchload {

namespace {

// More foreign keys than these are not looked for.
constexpr std::size_t kMostForeign = 20;

}  // namespace

Status CheckGroupPrefix(s3::S3Client& s3, const s3::BucketName& bucket, const std::string& prefix,
                        const std::vector<s3::ObjectKey>& keys, std::stop_token stop) {
  std::vector<std::string> foreign;
  std::vector<std::string> missing;
  std::size_t next = 0;
  bool whole = true;
  const auto visit = [&](const s3::ObjectSummary& object) {
    while (next < keys.size() && keys[next] < object.key) missing.push_back(keys[next++].str());
    if (next < keys.size() && keys[next] == object.key) {
      ++next;
      return true;
    }
    const bool is_marker = object.size == 0 && object.key.str().ends_with('/');
    if (!is_marker) foreign.push_back(object.key.str());
    whole = foreign.size() < kMostForeign;
    return whole;
  };
  if (Status listed = s3.ForEachObject(bucket, prefix, visit, std::move(stop)); !listed) {
    return listed.error().With("looking at what lies under s3://" + bucket.str() + "/" + prefix);
  }
  while (whole && next < keys.size()) missing.push_back(keys[next++].str());
  if (foreign.empty() && missing.empty()) return Ok();
  std::string text = "s3://" + bucket.str() + "/" + prefix;
  if (!foreign.empty()) {
    text += " holds what is not of its group: " + NameSome(foreign) +
            "; a task would load that too, so move or delete it";
  }
  if (!missing.empty()) {
    text += std::string(foreign.empty() ? " lacks " : ", and lacks ") + NameSome(missing) +
            ", which must be put back";
  }
  return MakeError(ErrorKind::kInTheWay, text + "; then resume the run");
}

}  // namespace tsm::batchload
