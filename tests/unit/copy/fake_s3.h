// S3 in memory behind a ScriptedTransport: buckets with regions, objects, listings by page and by
// delimiter, conditional copies, keys that are denied. Path style. Thread-safe.
#pragma once

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "tsm/core/text.h"
#include "tsm/http/message.h"

namespace tsm::test {

class FakeS3 {
 public:
  struct Object {
    std::string body;
    std::string etag;
  };

  void AddBucket(const std::string& bucket, const std::string& region = "eu-west-1") {
    const std::lock_guard lock(mutex_);
    regions_[bucket] = region;
  }
  void Put(const std::string& bucket, const std::string& key, std::string body) {
    const std::lock_guard lock(mutex_);
    Object object{std::move(body), "etag" + std::to_string(++etags_)};
    objects_[bucket][key] = std::move(object);
  }
  // Reads of the key answer 403.
  void Deny(const std::string& key) { denied_.insert(key); }
  // Copies of the key arrive short.
  void Truncate(const std::string& key) { truncated_.insert(key); }
  void set_page_size(std::size_t size) { page_size_ = size; }

  bool HasBucket(const std::string& bucket) { return regions_.count(bucket) != 0; }
  std::map<std::string, Object> Objects(const std::string& bucket) {
    const std::lock_guard lock(mutex_);
    return objects_[bucket];
  }

  http::Response Handle(const http::Request& request) {
    const std::lock_guard lock(mutex_);
    const std::string path = PercentDecode(request.path).substr(1);
    const auto slash = path.find('/');
    const std::string bucket = path.substr(0, slash);
    const std::string key = slash == std::string::npos ? "" : path.substr(slash + 1);
    if (key.empty() && request.method == "PUT") return CreateBucket(bucket);
    if (regions_.count(bucket) == 0) return Error(404, "NoSuchBucket");
    if (request.method == "HEAD" && key.empty()) {
      return {200, {{"x-amz-bucket-region", regions_[bucket]}}, ""};
    }
    if (key.empty()) return List(bucket, request);
    if (request.method == "PUT") return Copy(request, bucket, key);
    if (denied_.count(key) != 0) return Error(403, "AccessDenied");
    const auto found = objects_[bucket].find(key);
    if (found == objects_[bucket].end()) return Error(404, "NoSuchKey");
    return {200, {{"ETag", "\"" + found->second.etag + "\""}}, found->second.body};
  }

 private:
  static http::Response Error(int status, const std::string& code) {
    return {status, {}, "<Error><Code>" + code + "</Code><Message>" + code + "</Message></Error>"};
  }

  http::Response CreateBucket(const std::string& bucket) {
    if (!regions_.emplace(bucket, "eu-west-1").second) {
      return Error(409, "BucketAlreadyOwnedByYou");
    }
    return {200, {}, ""};
  }

  static std::string QueryOf(const http::Request& request, const std::string& name) {
    for (const auto& [key, value] : request.query) {
      if (key == name) return value;
    }
    return "";
  }

  http::Response List(const std::string& bucket, const http::Request& request) {
    const std::string prefix = QueryOf(request, "prefix");
    const std::string delimiter = QueryOf(request, "delimiter");
    const std::string after = QueryOf(request, "continuation-token");
    std::string body;
    std::string next;
    std::set<std::string> folders;
    std::size_t count = 0;
    for (const auto& [key, object] : objects_[bucket]) {
      if (!key.starts_with(prefix) || key <= after) continue;
      const auto cut = delimiter.empty() ? std::string::npos : key.find(delimiter, prefix.size());
      if (cut != std::string::npos) {
        folders.insert(key.substr(0, cut + 1));
        continue;
      }
      if (count == page_size_) {
        body += "<NextContinuationToken>" + next + "</NextContinuationToken>";
        break;
      }
      ++count;
      next = key;
      body += "<Contents><Key>" + PercentEncode(key, true) + "</Key><Size>" +
              std::to_string(object.body.size()) + "</Size><ETag>&quot;" + object.etag +
              "&quot;</ETag></Contents>";
    }
    for (const std::string& folder : folders) {
      body +=
          "<CommonPrefixes><Prefix>" + PercentEncode(folder, true) + "</Prefix></CommonPrefixes>";
    }
    const bool more = body.find("NextContinuationToken") != std::string::npos;
    return {200,
            {},
            "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>" +
                std::string(more ? "true" : "false") + "</IsTruncated>" + body +
                "</ListBucketResult>"};
  }

  http::Response Copy(const http::Request& request, const std::string& bucket,
                      const std::string& key) {
    std::string source = PercentDecode(http::FindHeader(request.headers, "x-amz-copy-source"));
    if (source.starts_with("/")) source.erase(0, 1);
    const auto slash = source.find('/');
    const std::string source_key = source.substr(slash + 1);
    if (denied_.count(source_key) != 0) return Error(403, "AccessDenied");
    const auto found = objects_[source.substr(0, slash)].find(source_key);
    if (found == objects_[source.substr(0, slash)].end()) return Error(404, "NoSuchKey");
    const std::string wanted(http::FindHeader(request.headers, "x-amz-copy-source-if-match"));
    if (wanted != "\"" + found->second.etag + "\"") return Error(412, "PreconditionFailed");
    Object copied = found->second;
    if (truncated_.count(source_key) != 0) copied.body.pop_back();
    objects_[bucket][key] = copied;
    return {200, {}, "<CopyObjectResult><ETag>\"" + copied.etag + "\"</ETag></CopyObjectResult>"};
  }

  std::mutex mutex_;
  std::map<std::string, std::string> regions_;
  std::map<std::string, std::map<std::string, Object>> objects_;
  std::set<std::string> denied_;
  std::set<std::string> truncated_;
  std::size_t page_size_ = 1000;
  int etags_ = 0;
};

}  // namespace tsm::test
