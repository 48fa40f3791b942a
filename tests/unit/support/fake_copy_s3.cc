#include "support/fake_copy_s3.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include "support/threaded_multi.h"
#include "tsm/core/text.h"

namespace tsm::test {

namespace {

constexpr char kXml[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

const std::string* Parameter(const http::Request& request, std::string_view name) {
  for (const auto& [key, value] : request.query) {
    if (key == name) return &value;
  }
  return nullptr;
}

std::string Header(const http::Request& request, std::string_view name) {
  return std::string(http::FindHeader(request.headers, name));
}

std::string Unquoted(std::string text) {
  std::erase(text, '"');
  return text;
}

std::string NameOf(const http::Request& request, bool object) {
  const bool copies = !Header(request, "x-amz-copy-source").empty();
  const bool upload = Parameter(request, "uploadId") != nullptr;
  if (!object) return request.method == "GET" ? "ListObjectsV2" : "HeadBucket";
  if (request.method == "HEAD") return "HeadObject";
  if (request.method == "GET") return "GetObject";
  if (request.method == "DELETE") return upload ? "AbortMultipartUpload" : "DeleteObject";
  if (request.method == "POST") {
    return upload ? "CompleteMultipartUpload" : "CreateMultipartUpload";
  }
  if (upload) return copies ? "UploadPartCopy" : "UploadPart";
  return copies ? "CopyObject" : "PutObject";
}

http::Response Success(std::string body = "", http::Headers headers = {}) {
  return {.status = 200, .headers = std::move(headers), .body = std::move(body)};
}

std::string HttpDate(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[64];
  const std::size_t size = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return {text, size};
}

http::Response ETagDocument(const std::string& root, const StoredObject& object) {
  http::Headers headers;
  if (!object.encryption.empty()) {
    headers.emplace_back("x-amz-server-side-encryption", object.encryption);
  }
  return Success(
      kXml + ("<" + root) + "><ETag>&quot;" + object.etag + "&quot;</ETag></" + root + ">",
      std::move(headers));
}

}  // namespace

std::string ETagOf(const std::string& body) {
  std::string etag;
  for (const std::string_view salt : {"a", "b"}) {
    std::string half;
    for (std::uint64_t hash = std::hash<std::string>()(std::string(salt) + body); half.size() < 16;
         hash >>= 4U) {
      half += "0123456789abcdef"[hash & 0xFU];
    }
    etag += half;
  }
  return etag;
}

http::Response FakeCopyS3::Refusal(int status, const std::string& code) {
  return {.status = status,
          .headers = {},
          .body = kXml + ("<Error><Code>" + code) + "</Code><Message>text of " + code +
                  "</Message><RequestId>R1</RequestId></Error>"};
}

std::string FakeCopyS3::Put(const std::string& bucket, const std::string& key,
                            const std::string& body, http::Headers headers,
                            const std::string& encryption) {
  StoredObject object{.body = body,
                      .size = body.size(),
                      .etag = ETagOf(body + encryption),
                      .headers = std::move(headers),
                      .encryption = encryption,
                      .modified = clock_.Now()};
  const std::lock_guard lock(mutex_);
  return (objects_[bucket + "/" + key] = std::move(object)).etag;
}

std::string FakeCopyS3::PutSized(const std::string& bucket, const std::string& key,
                                 std::uint64_t size) {
  StoredObject object;
  object.size = size;
  object.etag = ETagOf(key) + "-9";
  object.modified = clock_.Now();
  const std::lock_guard lock(mutex_);
  return (objects_[bucket + "/" + key] = std::move(object)).etag;
}

void FakeCopyS3::Delete(const std::string& bucket, const std::string& key) {
  const std::lock_guard lock(mutex_);
  objects_.erase(bucket + "/" + key);
}

std::optional<StoredObject> FakeCopyS3::Get(const std::string& bucket,
                                            const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(bucket + "/" + key);
  return found == objects_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::string> FakeCopyS3::Keys(const std::string& bucket) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> keys;
  for (const auto& [place, object] : objects_) {
    if (place.starts_with(bucket + "/")) keys.push_back(place.substr(bucket.size() + 1));
  }
  return keys;
}

std::vector<std::string> FakeCopyS3::open_uploads() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> ids;
  for (const auto& [id, upload] : uploads_) ids.push_back(id);
  return ids;
}

std::uint64_t FakeCopyS3::Count(const std::string& name) const { return Requests(name).size(); }

std::uint64_t FakeCopyS3::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_.size();
}

std::size_t FakeCopyS3::at_once() const {
  const std::lock_guard lock(mutex_);
  return at_once_;
}

std::size_t FakeCopyS3::most_at_once() const {
  const std::lock_guard lock(mutex_);
  return most_at_once_;
}

std::vector<http::Request> FakeCopyS3::Requests(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  std::vector<http::Request> requests;
  for (const CopyS3Call& call : calls_) {
    if (call.name == name) requests.push_back(call.request);
  }
  return requests;
}

std::unique_ptr<http::Multi> FakeCopyS3::OpenMulti(std::size_t /*most*/) {
  return sends_many ? std::make_unique<ThreadedMulti>(*this) : nullptr;
}

Result<http::Response> FakeCopyS3::Send(const http::Request& request, std::stop_token stop) {
  const auto stopped = [] { return MakeError(ErrorKind::kCancelled, "stopped"); };
  if (stop.stop_requested()) return stopped();
  CopyS3Call call;
  const std::string place = PercentDecode(request.path.substr(1));
  const std::size_t slash = place.find('/');
  call.bucket = place.substr(0, slash);
  if (slash != std::string::npos) call.key = place.substr(slash + 1);
  call.name = NameOf(request, !call.key.empty());
  call.request = request;
  if (const std::string* number = Parameter(request, "partNumber")) call.part = std::stoul(*number);
  if (const std::string* prefix = Parameter(request, "prefix")) call.key = *prefix;
  {
    const std::lock_guard lock(mutex_);
    call.number = calls_.size() + 1;
    calls_.push_back(call);
    // What was sent is looked at by its headers; bodies would add up.
    calls_.back().request.shared_body = nullptr;
    most_at_once_ = std::max(most_at_once_, ++at_once_);
  }
  std::optional<http::Response> answer = before ? before(call) : std::nullopt;
  const bool slept = call_time.count() == 0 || clock_.SleepFor(call_time, stop);
  if (slept && !answer) {
    http::Response acted = Act(call);
    if (after) answer = after(call);
    if (!answer) answer = std::move(acted);
  }
  {
    const std::lock_guard lock(mutex_);
    --at_once_;
  }
  if (!slept) return stopped();
  if (answer->status == 0) return MakeError(ErrorKind::kTransient, "connection reset by peer");
  return *std::move(answer);
}

http::Response FakeCopyS3::Act(const CopyS3Call& call) {
  const std::lock_guard lock(mutex_);
  if (call.name == "ListObjectsV2") return List(call);
  if (call.name == "HeadObject" || call.name == "GetObject") return Read(call);
  if (call.name == "PutObject") return Write(call);
  if (call.name == "CopyObject") return CopyWhole(call);
  if (call.name == "CreateMultipartUpload") return Begin(call);
  if (call.name == "UploadPart" || call.name == "UploadPartCopy") return TakePart(call);
  if (call.name == "CompleteMultipartUpload") return Complete(call);
  if (call.name == "AbortMultipartUpload") {
    const bool there = uploads_.erase(*Parameter(call.request, "uploadId")) > 0;
    return there ? http::Response{.status = 204, .headers = {}, .body = ""}
                 : Refusal(404, "NoSuchUpload");
  }
  return Refusal(501, "NotImplemented");
}

http::Response FakeCopyS3::List(const CopyS3Call& call) const {
  const std::string* token = Parameter(call.request, "continuation-token");
  const std::string start = call.bucket + "/" + (token != nullptr ? *token : call.key);
  constexpr std::size_t kPage = 100;
  std::string contents;
  std::string last;
  std::string next;
  std::size_t listed = 0;
  auto object = token != nullptr ? objects_.upper_bound(start) : objects_.lower_bound(start);
  for (; object != objects_.end() && object->first.starts_with(call.bucket + "/" + call.key);
       ++object) {
    if (listed++ == kPage) {
      next = "<NextContinuationToken>" + last + "</NextContinuationToken>";
      break;
    }
    last = object->first.substr(call.bucket.size() + 1);
    contents += "<Contents><Key>" + PercentEncode(last) + "</Key><ETag>&quot;" +
                object->second.etag + "&quot;</ETag><Size>" + std::to_string(object->second.size) +
                "</Size></Contents>";
  }
  return Success(kXml +
                 ("<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>" +
                  std::string(next.empty() ? "false" : "true")) +
                 "</IsTruncated>" + next + contents + "</ListBucketResult>");
}

http::Response FakeCopyS3::Read(const CopyS3Call& call) const {
  const auto found = objects_.find(call.bucket + "/" + call.key);
  const bool head = call.name == "HeadObject";
  if (found == objects_.end()) {
    return head ? http::Response{.status = 404, .headers = {}, .body = ""}
                : Refusal(404, "NoSuchKey");
  }
  const StoredObject& object = found->second;
  const std::string match = Unquoted(Header(call.request, "if-match"));
  if (!match.empty() && match != object.etag) return Refusal(412, "PreconditionFailed");
  http::Response response = Success("", object.headers);
  response.headers.emplace_back("ETag", "\"" + object.etag + "\"");
  response.headers.emplace_back("Last-Modified", HttpDate(object.modified));
  response.headers.emplace_back("Date", HttpDate(clock_.Now()));
  if (!object.encryption.empty()) {
    response.headers.emplace_back("x-amz-server-side-encryption", object.encryption);
  }
  if (head) {
    response.headers.emplace_back("Content-Length", std::to_string(object.size));
    return response;
  }
  response.body = object.body;
  const std::string range = Header(call.request, "range");
  if (range.empty()) return response;
  const std::size_t first = std::stoull(range.substr(6));
  if (first >= object.size) return Refusal(416, "InvalidRange");
  const std::size_t last = std::stoull(range.substr(range.find('-') + 1));
  response.status = 206;
  response.body = object.body.substr(first, last - first + 1);
  return response;
}

StoredObject FakeCopyS3::Made(const http::Request& request) const {
  StoredObject object;
  for (const auto& [name, value] : request.headers) {
    if (name.starts_with("content-") || name.starts_with("x-amz-meta-") ||
        name == "cache-control") {
      object.headers.emplace_back(name, value);
    }
  }
  object.encryption = Header(request, "x-amz-server-side-encryption");
  object.modified = clock_.Now();
  return object;
}

http::Response FakeCopyS3::Write(const CopyS3Call& call) {
  StoredObject object = Made(call.request);
  object.body = call.request.Body();
  object.size = object.body.size();
  object.etag = ETagOf(object.body + (object.encryption == "aws:kms" ? "aws:kms" : ""));
  http::Headers headers = {{"ETag", "\"" + object.etag + "\""}};
  if (!object.encryption.empty()) {
    headers.emplace_back("x-amz-server-side-encryption", object.encryption);
  }
  objects_[call.bucket + "/" + call.key] = std::move(object);
  return Success("", std::move(headers));
}

const StoredObject* FakeCopyS3::Source(const CopyS3Call& call, http::Response* refusal) const {
  const std::string place = PercentDecode(Header(call.request, "x-amz-copy-source")).substr(1);
  const auto found = objects_.find(place);
  const std::string match = Unquoted(Header(call.request, "x-amz-copy-source-if-match"));
  if (found == objects_.end()) {
    *refusal = Refusal(404, "NoSuchKey");
  } else if (!match.empty() && match != found->second.etag) {
    *refusal = Refusal(412, "PreconditionFailed");
  } else {
    return &found->second;
  }
  return nullptr;
}

http::Response FakeCopyS3::CopyWhole(const CopyS3Call& call) {
  http::Response refusal;
  const StoredObject* source = Source(call, &refusal);
  if (source == nullptr) return refusal;
  if (source->size > 5ULL << 30U) return Refusal(400, "InvalidRequest");
  StoredObject copy = *source;
  copy.encryption = Header(call.request, "x-amz-server-side-encryption");
  copy.etag = ETagOf(copy.body + (copy.encryption == "aws:kms" ? "aws:kms" : ""));
  copy.modified = clock_.Now();
  objects_[call.bucket + "/" + call.key] = copy;
  return ETagDocument("CopyObjectResult", copy);
}

http::Response FakeCopyS3::Begin(const CopyS3Call& call) {
  const StoredObject made = Made(call.request);
  const std::string id = "upload-" + std::to_string(++uploads_begun_);
  uploads_[id] = {call.bucket + "/" + call.key, {}, made.headers, made.encryption};
  return Success(kXml + ("<InitiateMultipartUploadResult><UploadId>" + id) +
                 "</UploadId></InitiateMultipartUploadResult>");
}

http::Response FakeCopyS3::TakePart(const CopyS3Call& call) {
  const auto upload = uploads_.find(*Parameter(call.request, "uploadId"));
  if (upload == uploads_.end()) return Refusal(404, "NoSuchUpload");
  Part part;
  if (call.name == "UploadPart") {
    part.body = call.request.Body();
    part.size = part.body.size();
  } else {
    http::Response refusal;
    const StoredObject* source = Source(call, &refusal);
    if (source == nullptr) return refusal;
    const std::string range = Header(call.request, "x-amz-copy-source-range");
    const std::uint64_t first = std::stoull(range.substr(6));
    const std::uint64_t last = std::stoull(range.substr(range.find('-') + 1));
    if (last >= source->size || last < first) return Refusal(416, "InvalidRange");
    part.size = last - first + 1;
    if (!source->body.empty()) part.body = source->body.substr(first, part.size);
  }
  part.etag = ETagOf(part.body + std::to_string(call.part));
  StoredObject answer;
  answer.etag = part.etag;
  upload->second.parts[call.part] = std::move(part);
  if (call.name == "UploadPartCopy") return ETagDocument("CopyPartResult", answer);
  return Success("", {{"ETag", "\"" + answer.etag + "\""}});
}

http::Response FakeCopyS3::Complete(const CopyS3Call& call) {
  const auto upload = uploads_.find(*Parameter(call.request, "uploadId"));
  if (upload == uploads_.end()) return Refusal(404, "NoSuchUpload");
  StoredObject object;
  object.headers = upload->second.headers;
  object.encryption = upload->second.encryption;
  object.modified = clock_.Now();
  const auto& parts = upload->second.parts;
  constexpr std::uint64_t kLeast = 5ULL << 20U;
  for (const auto& [number, part] : parts) {
    if (call.request.body.find("<PartNumber>" + std::to_string(number) +
                               "</PartNumber><ETag>&quot;" + part.etag + "&quot;") ==
        std::string::npos) {
      return Refusal(400, "InvalidPart");
    }
    if (part.size < kLeast && number != parts.size()) return Refusal(400, "EntityTooSmall");
    object.body += part.body;
    object.size += part.size;
  }
  object.etag = ETagOf(object.body) + "-" + std::to_string(parts.size());
  objects_[upload->second.place] = object;
  uploads_.erase(upload);
  http::Response response = ETagDocument("CompleteMultipartUploadResult", object);
  // S3 sends blanks while it works, before the document.
  response.body = "  \n " + response.body;
  return response;
}

}  // namespace tsm::test
