#include "tsm/s3/object_copies.h"

#include <utility>

namespace tsm::s3 {

std::unique_ptr<ObjectCopies> ObjectCopies::Open(S3Client& client, BucketName source_bucket,
                                                 BucketName target_bucket, std::size_t most) {
  std::unique_ptr<http::Multi> multi = client.client_.OpenMulti(most);
  if (multi == nullptr) return nullptr;
  return std::unique_ptr<ObjectCopies>(new ObjectCopies(
      client, std::move(source_bucket), std::move(target_bucket), std::move(multi)));
}

ObjectCopies::ObjectCopies(S3Client& client, BucketName source_bucket, BucketName target_bucket,
                           std::unique_ptr<http::Multi> multi)
    : client_(client),
      source_bucket_(std::move(source_bucket)),
      target_bucket_(std::move(target_bucket)),
      multi_(std::move(multi)) {}

void ObjectCopies::Start(std::uint64_t id, const ObjectKey& source_key, const ObjectKey& target_key,
                         const CopyOptions& options, std::stop_token stop) {
  const auto fail = [this, id](Error error) {
    failed_.push_back({.id = id, .outcome = std::move(error)});
  };
  Result<aws::Operation> operation =
      client_.CopyOperation(source_bucket_, source_key, target_bucket_, target_key, options);
  if (!operation) return fail(std::move(operation).error());
  client_.Address(*operation, target_bucket_, target_key, client_.RegionOf(target_bucket_));
  Result<aws::PreparedCall> prepared =
      client_.client_.Prepare(*std::move(operation), std::move(stop));
  if (!prepared) return fail(std::move(prepared).error());
  http::Request request = std::move(prepared->request);
  calls_.emplace(id, Call{*std::move(prepared), options.source_etag});
  multi_->Start(id, std::move(request));
}

std::vector<ObjectCopies::Ended> ObjectCopies::Wait(std::chrono::milliseconds longest,
                                                    std::stop_token stop) {
  std::vector<Ended> ended = std::exchange(failed_, {});
  if (!ended.empty()) longest = std::chrono::milliseconds(0);
  for (http::Multi::Answered& answered : multi_->Wait(longest, std::move(stop))) {
    ended.push_back(Judge(std::move(answered)));
  }
  return ended;
}

ObjectCopies::Ended ObjectCopies::Judge(http::Multi::Answered answered) {
  const auto found = calls_.find(answered.id);
  Call call = std::move(found->second);
  calls_.erase(found);
  call.prepared.request = std::move(answered.request);
  aws::JudgedCall judged = client_.client_.Judge(call.prepared, std::move(answered.outcome));
  const bool elsewhere = !judged.outcome && judged.outcome.error().kind == ErrorKind::kWrongRegion;
  return {.id = answered.id,
          .outcome = S3Client::ReadCopy(call.prepared.operation.name, call.source_etag,
                                        std::move(judged.outcome)),
          .is_last = judged.is_last && !elsewhere};
}

}  // namespace tsm::s3
