#include "s3_checks.h"

#include <utility>

#include "tsm/core/text.h"
#include "tsm/s3/s3_client.h"

namespace tsm::s3 {

Status CheckKey(const ObjectKey& key) {
  if (key.empty()) return MakeError(ErrorKind::kInvalidInput, "an object key may not be empty");
  if (key.str().size() > kMaxKeyBytes) {
    return MakeError(ErrorKind::kInvalidInput,
                     "the object key has " + std::to_string(key.str().size()) +
                         " bytes, S3 allows " + std::to_string(kMaxKeyBytes) + ": " +
                         OneLine(key.str(), 120));
  }
  return Ok();
}

Error BadReply(const aws::Operation& operation, std::string what) {
  return MakeError(ErrorKind::kBadReply, std::move(what)).With(operation.name);
}

}  // namespace tsm::s3
