// The S3 half of fake_unload_service.h.
#include <algorithm>

#include "support/fake_unload_service.h"
#include "tsm/core/text.h"

namespace tsm::test {

namespace {

http::Response Reply(int status, std::string body = "", http::Headers headers = {}) {
  http::Response response;
  response.status = status;
  response.body = std::move(body);
  response.headers = std::move(headers);
  return response;
}

http::Response XmlError(int status, const std::string& code) {
  return Reply(status, "<?xml version=\"1.0\"?><Error><Code>" + code +
                           "</Code><Message>refused</Message><RequestId>R1</RequestId></Error>");
}

std::string Parameter(const http::Request& request, std::string_view name) {
  for (const auto& [key, value] : request.query) {
    if (key == name) return value;
  }
  return "";
}

std::string Unquoted(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"') text = text.substr(1, text.size() - 2);
  return std::string(text);
}

// What DeleteObjects' body says between <Key> and </Key>, its references undone.
std::vector<std::string> KeysIn(const std::string& body) {
  const std::vector<std::pair<std::string, std::string>> references = {
      {"&lt;", "<"},  {"&gt;", ">"},   {"&quot;", "\""}, {"&apos;", "'"},
      {"&#9;", "\t"}, {"&#10;", "\n"}, {"&#13;", "\r"},  {"&amp;", "&"}};
  std::vector<std::string> keys;
  for (std::size_t at = body.find("<Key>"); at != std::string::npos;
       at = body.find("<Key>", at + 1)) {
    const std::size_t begin = at + 5;
    std::string key = body.substr(begin, body.find("</Key>", begin) - begin);
    for (const auto& [reference, text] : references) {
      for (std::size_t found = key.find(reference); found != std::string::npos;
           found = key.find(reference, found + 1)) {
        key.replace(found, reference.size(), text);
      }
    }
    keys.push_back(std::move(key));
  }
  return keys;
}

http::Response ListUploads(const FakeBucket& bucket, const std::string& prefix) {
  std::string body =
      "<?xml version=\"1.0\"?><ListMultipartUploadsResult><EncodingType>url</EncodingType>"
      "<IsTruncated>false</IsTruncated>";
  for (const auto& [key, id] : bucket.uploads) {
    if (!key.starts_with(prefix)) continue;
    body += "<Upload><Key>" + PercentEncode(key, true) + "</Key><UploadId>" + id +
            "</UploadId></Upload>";
  }
  return Reply(200, body + "</ListMultipartUploadsResult>");
}

http::Response PutObject(const http::Request& request, FakeBucket& bucket, const std::string& key,
                         UnixNanos now) {
  const auto there = bucket.objects.find(key);
  const std::string match = Unquoted(http::FindHeader(request.headers, "if-match"));
  if (!http::FindHeader(request.headers, "if-none-match").empty() && bucket.SizeOf(key)) {
    return XmlError(412, "PreconditionFailed");
  }
  if (!match.empty() && there == bucket.objects.end()) return XmlError(404, "NoSuchKey");
  if (!match.empty() && there->second.ETag() != match) return XmlError(412, "PreconditionFailed");
  FakeObject& object = bucket.objects[key];
  object = {request.body, nullptr, now};
  return Reply(200, "", {{"etag", "\"" + object.ETag() + "\""}});
}

http::Response GetObject(const FakeBucket& bucket, const std::string& key, bool head) {
  const auto object = bucket.objects.find(key);
  if (object != bucket.objects.end()) {
    std::string body = object->second.Body();
    return Reply(200, head ? "" : body,
                 {{"etag", "\"" + object->second.ETag() + "\""},
                  {"content-length", std::to_string(body.size())}});
  }
  const auto size = bucket.SizeOf(key);
  if (!size) return XmlError(404, "NoSuchKey");
  // A data file's rows are nowhere: only its size is known.
  if (!head) return XmlError(501, "NotImplemented");
  return Reply(200, "", {{"etag", "\"f\""}, {"content-length", std::to_string(*size)}});
}

}  // namespace

http::Response FakeUnloadService::AnswerS3(const http::Request& request, UnixNanos now) {
  const FakeCall call = CallOf(request);
  const std::string path = PercentDecode(request.path.substr(1));
  const std::size_t slash = path.find('/');
  const std::string name = path.substr(0, slash);
  if (slash == std::string::npos) return AnswerBucket(request, call, name);
  const auto bucket = world_.buckets.find(name);
  if (bucket == world_.buckets.end()) return XmlError(404, "NoSuchBucket");
  return AnswerObject(request, call, bucket->second, path.substr(slash + 1), now);
}

http::Response FakeUnloadService::AnswerBucket(const http::Request& request, const FakeCall& call,
                                               const std::string& name) {
  const auto& foreign = world_.foreign_buckets;
  const bool is_foreign = std::find(foreign.begin(), foreign.end(), name) != foreign.end();
  const auto found = world_.buckets.find(name);
  if (call.name == "CreateBucket") {
    if (is_foreign) return XmlError(409, "BucketAlreadyExists");
    if (found != world_.buckets.end()) return XmlError(409, "BucketAlreadyOwnedByYou");
    world_.buckets[name];
    return Reply(200);
  }
  if (is_foreign) return call.name == "HeadBucket" ? Reply(403) : XmlError(403, "AccessDenied");
  if (found == world_.buckets.end()) {
    return call.name == "HeadBucket" ? Reply(404) : XmlError(404, "NoSuchBucket");
  }
  FakeBucket& bucket = found->second;
  if (call.name == "HeadBucket") return Reply(200, "", {{"x-amz-bucket-region", bucket.region}});
  if (call.name == "PutBucketPolicy") {
    bucket.policy = request.body;
    return Reply(204);
  }
  if (call.name == "GetBucketPolicy") {
    if (bucket.policy.empty()) return XmlError(404, "NoSuchBucketPolicy");
    return Reply(200, bucket.policy);
  }
  if (call.name == "ListMultipartUploads") return ListUploads(bucket, Parameter(request, "prefix"));
  if (call.name == "DeleteObjects") {
    for (const std::string& key : KeysIn(request.body)) bucket.Delete(key);
    return Reply(200, "<?xml version=\"1.0\"?><DeleteResult></DeleteResult>");
  }
  return List(request, bucket);
}

http::Response FakeUnloadService::AnswerObject(const http::Request& request, const FakeCall& call,
                                               FakeBucket& bucket, const std::string& key,
                                               UnixNanos now) {
  if (call.name == "PutObject") return PutObject(request, bucket, key, now);
  if (call.name == "AbortMultipartUpload") {
    return bucket.uploads.erase({key, Parameter(request, "uploadId")}) > 0
               ? Reply(204)
               : XmlError(404, "NoSuchUpload");
  }
  if (call.name == "DeleteObject") {
    const std::string match = Unquoted(http::FindHeader(request.headers, "if-match"));
    const auto there = bucket.objects.find(key);
    if (!match.empty() && there != bucket.objects.end() && there->second.ETag() != match) {
      return XmlError(412, "PreconditionFailed");
    }
    bucket.Delete(key);
    return Reply(204);
  }
  return GetObject(bucket, key, call.name == "HeadObject");
}

http::Response FakeUnloadService::List(const http::Request& request,
                                       const FakeBucket& bucket) const {
  const auto asked = ParseInt64(Parameter(request, "max-keys"));
  const std::size_t most =
      std::min(world_.keys_per_page, static_cast<std::size_t>(asked ? *asked : 1000));
  const Listing listing = bucket.List(Parameter(request, "prefix"), Parameter(request, "delimiter"),
                                      Parameter(request, "continuation-token"), most);
  std::string body =
      "<?xml version=\"1.0\"?><ListBucketResult><EncodingType>url</EncodingType><IsTruncated>" +
      std::string(listing.next.empty() ? "false" : "true") + "</IsTruncated>";
  if (!listing.next.empty()) {
    body += "<NextContinuationToken>" + listing.next + "</NextContinuationToken>";
  }
  for (const ListedObject& object : listing.objects) {
    body += "<Contents><Key>" + PercentEncode(object.key, true) + "</Key><Size>" +
            std::to_string(object.bytes) + "</Size><ETag>\"" + object.etag + "\"</ETag></Contents>";
  }
  for (const std::string& prefix : listing.common_prefixes) {
    body += "<CommonPrefixes><Prefix>" + PercentEncode(prefix, true) + "</Prefix></CommonPrefixes>";
  }
  return Reply(200, body + "</ListBucketResult>");
}

}  // namespace tsm::test
