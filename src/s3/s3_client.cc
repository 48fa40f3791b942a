#include "tsm/s3/s3_client.h"

#include <algorithm>
#include <array>
#include <utility>

#include "s3_checks.h"
#include "s3_xml.h"
#include "tsm/core/text.h"
#include "tsm/core/time_text.h"

namespace tsm::s3 {
namespace {

// What the writer of an object gave with it, beside its type: a copy carries it on.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
bool IsMetadata(std::string_view lower_name) {
  static constexpr auto kNames = std::to_array<std::string_view>(
      {"cache-control", "content-disposition", "content-encoding", "content-language", "expires"});
  return lower_name.starts_with("x-amz-meta-") ||
         std::find(kNames.begin(), kNames.end(), lower_name) != kNames.end();
}

// What an answer's headers say of the object; its size is left to the caller.
ObjectHead ReadHead(const http::Headers& headers) {
  ObjectHead head;
  head.etag = StripQuotes(http::FindHeader(headers, "etag"));
  head.content_type = http::FindHeader(headers, "content-type");
  head.encryption = http::FindHeader(headers, "x-amz-server-side-encryption");
  head.last_modified = ParseHttpDate(http::FindHeader(headers, "last-modified"));
  // Of two dates the last one counts: what stands in front of S3 puts its own before.
  for (const auto& [name, value] : headers) {
    std::string lower = ToLowerAscii(name);
    if (lower == "date") {
      if (const auto date = ParseHttpDate(value)) head.date = date;
    } else if (IsMetadata(lower)) {
      head.metadata.emplace_back(std::move(lower), value);
    }
  }
  return head;
}

}  // namespace

S3Client::S3Client(aws::Client& client, aws::EndpointResolver endpoints, std::string region,
                   aws::S3Settings settings)
    : client_(client),
      endpoints_(std::move(endpoints)),
      region_(std::move(region)),
      settings_(settings) {}

aws::Operation S3Client::MakeOperation(std::string name, std::string method,
                                       const BucketName& bucket, const ObjectKey& key) const {
  aws::Operation operation;
  operation.name = std::move(name) + " " + UriText(bucket, key);
  operation.request.method = std::move(method);
  operation.protocol = aws::Protocol::kRestXml;
  operation.rules.path = aws::PathRule::kAsIs;
  operation.scope.service = "s3";
  return operation;
}

Status S3Client::CreateBucket(const BucketName& bucket, std::stop_token stop) {
  aws::Operation operation = MakeOperation("CreateBucket", "PUT", bucket, ObjectKey());
  if (const std::string reason = bucket.WhyReserved(); !reason.empty()) {
    return MakeError(ErrorKind::kInvalidInput,
                     "no bucket of the name \"" + bucket.str() + "\" can be made: " + reason)
        .With(operation.name);
  }
  operation.request.body = CreateBucketBody(region_);
  if (!operation.request.body.empty()) {
    operation.request.headers.emplace_back("content-type", "application/xml");
  }
  Address(operation, bucket, ObjectKey(), region_);
  // No redirect: a bucket is made here or not at all.
  Result<http::Response> response = client_.Call(operation, stop);
  if (!response) {
    Error error = std::move(response).error();
    if (error.kind == ErrorKind::kWrongRegion) error.kind = ErrorKind::kValidation;
    return error;
  }
  Remember(bucket, region_);
  return Ok();
}

Result<std::string> S3Client::HeadBucket(const BucketName& bucket, std::stop_token stop) {
  const aws::Operation operation = MakeOperation("HeadBucket", "HEAD", bucket, ObjectKey());
  Result<http::Response> response = Call(operation, bucket, ObjectKey(), stop);
  if (!response) return std::move(response).error();
  std::string region(http::FindHeader(response->headers, "x-amz-bucket-region"));
  if (region.empty()) return RegionOf(bucket);  // S3-compatible servers may not say
  return region;
}

Result<ObjectHead> S3Client::HeadObject(const BucketName& bucket, const ObjectKey& key,
                                        std::stop_token stop) {
  if (Status status = CheckKey(key); !status) return status.error();
  const aws::Operation operation = MakeOperation("HeadObject", "HEAD", bucket, key);
  Result<http::Response> response = Call(operation, bucket, key, stop);
  if (!response) return std::move(response).error();
  const std::optional<std::int64_t> size =
      ParseInt64(http::FindHeader(response->headers, "content-length"));
  if (!size || *size < 0) return BadReply(operation, "the answer carries no Content-Length");
  ObjectHead head = ReadHead(response->headers);
  head.size = static_cast<std::uint64_t>(*size);
  return head;
}

Result<ListPage> S3Client::ListObjects(const BucketName& bucket, const std::string& prefix,
                                       const std::string& token, const ListOptions& options,
                                       std::stop_token stop) {
  aws::Operation operation = MakeOperation("ListObjectsV2", "GET", bucket, ObjectKey(prefix));
  operation.may_hide_error = true;
  auto& query = operation.request.query;
  query.emplace_back("list-type", "2");
  // Keys may hold characters that XML can't: asked for in encoded form.
  query.emplace_back("encoding-type", "url");
  query.emplace_back("max-keys", std::to_string(options.max_keys));
  if (!prefix.empty()) query.emplace_back("prefix", prefix);
  if (!options.delimiter.empty()) query.emplace_back("delimiter", options.delimiter);
  if (!token.empty()) query.emplace_back("continuation-token", token);
  Result<http::Response> response = Call(operation, bucket, ObjectKey(), stop);
  if (!response) return std::move(response).error();
  Result<ListPage> page = ParseListPage(response->body);
  if (!page) return std::move(page).error().With(operation.name);
  // Whoever follows a token that stands still lists the same page for ever.
  if (!token.empty() && page->next_token == token) {
    return BadReply(operation, "the listing repeats its continuation token");
  }
  return page;
}

Status S3Client::ForEachObject(const BucketName& bucket, const std::string& prefix,
                               const std::function<bool(const ObjectSummary&)>& visit,
                               std::stop_token stop) {
  std::string token;
  do {
    Result<ListPage> page = ListObjects(bucket, prefix, token, ListOptions(), stop);
    if (!page) return std::move(page).error();
    for (const ObjectSummary& object : page->objects) {
      if (!visit(object)) return Ok();
    }
    token = std::move(page->next_token);
  } while (!token.empty());
  return Ok();
}

Result<http::Response> S3Client::Get(const BucketName& bucket, const ObjectKey& key,
                                     const GetOptions& options, std::stop_token stop) {
  const std::optional<ByteRange>& range = options.range;
  if (Status status = CheckKey(key); !status) return status.error();
  aws::Operation operation = MakeOperation("GetObject", "GET", bucket, key);
  operation.request.timeouts = kBodyTimeouts;
  if (range) {
    if (range->last < range->first) {
      return MakeError(ErrorKind::kInvalidInput, "the byte range ends before it starts")
          .With(operation.name);
    }
    operation.request.headers.emplace_back(
        "range", "bytes=" + std::to_string(range->first) + "-" + std::to_string(range->last));
  }
  if (!options.if_match.empty()) {
    operation.request.headers.emplace_back("if-match", "\"" + options.if_match + "\"");
  }
  operation.repeat_throttled = options.repeat_throttled;
  Result<http::Response> response = Call(operation, bucket, key, stop);
  if (!response && response.error().http_status == 412) {
    return ChangedSince(std::move(response).error(), options.if_match);
  }
  if (response && range && response->status != 206) {
    return BadReply(operation, "asked for a byte range, answered with HTTP " +
                                   std::to_string(response->status) + " instead of 206");
  }
  return response;
}

Result<std::string> S3Client::GetObject(const BucketName& bucket, const ObjectKey& key,
                                        std::optional<ByteRange> range, std::stop_token stop) {
  Result<http::Response> response = Get(bucket, key, GetOptions{.range = range}, std::move(stop));
  if (!response) return std::move(response).error();
  return std::move(response->body);
}

Result<ObjectContent> S3Client::GetObjectContent(const BucketName& bucket, const ObjectKey& key,
                                                 const GetOptions& options, std::stop_token stop) {
  Result<http::Response> response = Get(bucket, key, options, std::move(stop));
  if (!response) return std::move(response).error();
  ObjectContent content{.head = ReadHead(response->headers), .body = std::move(response->body)};
  content.head.size = content.body.size();
  return content;
}

Result<std::string> S3Client::PutObject(const BucketName& bucket, const ObjectKey& key,
                                        std::string body, const PutOptions& options,
                                        std::stop_token stop) {
  if (Status status = CheckKey(key); !status) return status.error();
  aws::Operation operation = MakeOperation("PutObject", "PUT", bucket, key);
  operation.request.timeouts = kBodyTimeouts;
  operation.request.headers.emplace_back("content-type", options.content_type);
  if (options.only_if_absent) operation.request.headers.emplace_back("if-none-match", "*");
  if (!options.if_match.empty()) {
    operation.request.headers.emplace_back("if-match", "\"" + options.if_match + "\"");
  }
  operation.request.body = std::move(body);
  Result<http::Response> response = Call(operation, bucket, key, stop);
  if (response) return StripQuotes(http::FindHeader(response->headers, "etag"));

  Error error = std::move(response).error();
  const bool conditional = options.only_if_absent || !options.if_match.empty();
  if (conditional && error.http_status == 412 && error.attempts > 1) {
    // A repeated call may find what its own lost first attempt has written.
    Result<ObjectContent> there = GetObjectContent(bucket, key, stop);
    if (there && there->body == operation.request.body) return std::move(there->head.etag);
  }
  if (error.http_status == 412 && !options.only_if_absent) error.kind = ErrorKind::kInTheWay;
  return error;
}

Result<std::string> S3Client::GetBucketPolicy(const BucketName& bucket, std::stop_token stop) {
  aws::Operation operation = MakeOperation("GetBucketPolicy", "GET", bucket, ObjectKey());
  operation.request.query.emplace_back("policy", "");
  Result<http::Response> response = Call(operation, bucket, ObjectKey(), stop);
  if (!response) {
    if (response.error().code == "NoSuchBucketPolicy") return std::string();
    return std::move(response).error();
  }
  // An empty policy would be taken for none and be replaced by a new one.
  if (TrimAscii(response->body).empty()) return BadReply(operation, "the answer is empty");
  return std::move(response->body);
}

Status S3Client::PutBucketPolicy(const BucketName& bucket, std::string policy_json,
                                 std::stop_token stop) {
  aws::Operation operation = MakeOperation("PutBucketPolicy", "PUT", bucket, ObjectKey());
  operation.request.query.emplace_back("policy", "");
  operation.request.headers.emplace_back("content-type", "application/json");
  operation.request.body = std::move(policy_json);
  Result<http::Response> response = Call(operation, bucket, ObjectKey(), stop);
  if (!response) return std::move(response).error();
  return Ok();
}

}  // namespace tsm::s3
