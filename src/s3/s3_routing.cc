// Where a call goes: bucket before the host or in the path, and in which region.
#include <utility>

#include "s3_xml.h"
#include "tsm/core/text.h"
#include "tsm/s3/s3_client.h"

namespace tsm::s3 {
namespace {

// "127.0.0.1:9000", "[::1]": a bucket's name before an address makes no host.
bool IsAddress(std::string_view host) {
  if (host.starts_with('[')) return true;
  const std::string_view name = host.substr(0, host.find(':'));
  return name.find_first_not_of("0123456789.") == std::string_view::npos;
}

// Where the bucket's name goes: into the path, or before the host. As AWS's own tools decide it,
// names with a dot stay out of https hosts whatever the style, for the wildcard certificate does
// not cover them. https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
bool InPath(const BucketName& bucket, const aws::Endpoint& endpoint, aws::AddressingStyle style) {
  const bool has_dot = bucket.str().find('.') != std::string::npos;
  switch (style) {
    case aws::AddressingStyle::kPath:
      return true;
    case aws::AddressingStyle::kVirtual:
      return (has_dot && endpoint.scheme == "https") || IsAddress(endpoint.host);
    case aws::AddressingStyle::kAuto:
      break;
  }
  return endpoint.custom || has_dot;
}

// A HEAD's refusal has no body: a 400 may be for the signature's region, or for expired
// credentials.
bool IsBare(const aws::Operation& operation, const Error& refusal) {
  return operation.request.method == "HEAD" && refusal.http_status == 400 && refusal.code.empty();
}

bool IsAboutCredentials(ErrorKind kind) {
  return kind == ErrorKind::kCredentials || kind == ErrorKind::kExpiredCredentials ||
         kind == ErrorKind::kClockSkew;
}

}  // namespace

std::string S3Client::RegionOf(const BucketName& bucket) const {
  const std::lock_guard lock(mutex_);
  const auto found = bucket_regions_.find(bucket);
  return found == bucket_regions_.end() ? region_ : found->second;
}

void S3Client::Remember(const BucketName& bucket, const std::string& region) {
  const std::lock_guard lock(mutex_);
  bucket_regions_[bucket] = region;
}

void S3Client::ForgetRegion(const BucketName& bucket) {
  const std::lock_guard lock(mutex_);
  bucket_regions_.erase(bucket);
}

// A configured endpoint keeps its host in every region; on AWS each region has its own.
void S3Client::Address(aws::Operation& operation, const BucketName& bucket, const ObjectKey& key,
                       const std::string& region) const {
  const aws::Endpoint endpoint = endpoints_.Resolve(aws::Service::kS3, region);
  const bool in_path = InPath(bucket, endpoint, settings_.addressing);
  http::Request& request = operation.request;
  request.scheme = endpoint.scheme;
  request.host = in_path ? endpoint.host : bucket.str() + "." + endpoint.host;
  request.path = endpoint.base_path;
  if (in_path) request.path += "/" + bucket.str();
  if (!in_path || !key.empty()) request.path += "/" + PercentEncode(key.str(), /*keep_slash=*/true);
  operation.scope.region = region;
  // Without TLS nothing but the signature vouches for the body; an empty one costs nothing to sign.
  const bool unsigned_body =
      !settings_.sign_payload && request.scheme == "https" && !request.Body().empty();
  operation.rules.payload =
      unsigned_body ? aws::PayloadRule::kUnsigned : aws::PayloadRule::kSendHash;
}

Result<http::Response> S3Client::Call(aws::Operation operation, const BucketName& bucket,
                                      const ObjectKey& key, std::stop_token stop) {
  const std::string first = RegionOf(bucket);
  Address(operation, bucket, key, first);
  Result<http::Response> response = client_.Call(operation, stop);
  if (response) return response;
  const bool bare = IsBare(operation, response.error());
  if (response.error().kind != ErrorKind::kWrongRegion && !bare) return response;

  std::string region = response.error().region_hint;
  if (region.empty() || (bare && region == first)) {
    Result<std::string> asked = AskRegion(bucket, first, stop);
    if (!asked) {
      // A stop is not the refusal that it kept from being understood.
      if (asked.error().kind == ErrorKind::kCancelled) {
        return std::move(asked).error().With(operation.name);
      }
      // The question had an answer with a body: the reason that the HEAD could not give.
      const bool tells = bare && IsAboutCredentials(asked.error().kind);
      return tells ? std::move(asked).error().With(operation.name) : std::move(response);
    }
    region = *std::move(asked);
  }
  // The same region again would only repeat the refusal; but a HEAD's may have been for expired
  // credentials, which the question renewed. What is no region must not become a host.
  if ((region == first && !bare) || !aws::IsRegionName(region)) return response;
  Address(operation, bucket, key, region);
  Result<http::Response> redirected = client_.Call(operation, stop);
  if (redirected || redirected.error().kind != ErrorKind::kWrongRegion) {
    Remember(bucket, region);
  } else {
    ForgetRegion(bucket);
  }
  return redirected;
}

// HEAD names the region in its header, with a 200 and with a refusal alike, and needs no permission
// for that. Where it does not, GetBucketLocation says it in the body, its refusal as well.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
Result<std::string> S3Client::AskRegion(const BucketName& bucket, const std::string& asked,
                                        std::stop_token stop) {
  aws::Operation head = MakeOperation("HeadBucket", "HEAD", bucket, ObjectKey());
  Address(head, bucket, ObjectKey(), asked);
  const Result<http::Response> answer = client_.Call(head, stop);
  std::string region = answer
                           ? std::string(http::FindHeader(answer->headers, "x-amz-bucket-region"))
                           : answer.error().region_hint;
  if (!region.empty() && (answer || region != asked)) return region;

  aws::Operation locate = MakeOperation("GetBucketLocation", "GET", bucket, ObjectKey());
  locate.request.query.emplace_back("location", "");
  Address(locate, bucket, ObjectKey(), asked);
  Result<http::Response> located = client_.Call(locate, std::move(stop));
  if (located) return ParseLocation(located->body);
  if (!located.error().region_hint.empty()) return located.error().region_hint;
  return std::move(located).error();
}

}  // namespace tsm::s3
