// One bucket of S3 in memory, "bkt", behind a ScriptedTransport: objects and incomplete multipart
// uploads, listed by page and by delimiter, deleted a batch at a time, with keys that are refused.
// Keys are plain ASCII. Path style. For one thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "support/client_bench.h"
#include "tsm/core/text.h"
#include "tsm/unload/unload_run.h"

namespace tsm::test {

class LeftoverS3 {
 public:
  LeftoverS3() {
    bench.transport.SetHandler([this](const http::Request& request) -> Result<http::Response> {
      if (before) before(request);
      return Answer(request);
    });
  }

  unload::UnloadServices Services() {
    return {s3_, query_, sts_, bench.clock, bench.random, sink_, "eu-west-1", "9.9.9"};
  }

  void Put(const std::string& key, std::string body = "x") { objects[key] = std::move(body); }
  std::vector<std::string> Keys() const {
    std::vector<std::string> keys;
    for (const auto& [key, body] : objects) keys.push_back(key);
    return keys;
  }

  std::map<std::string, std::string> objects;
  std::set<std::string> uploads;  // by key; an upload's id is "U-<key>"
  std::set<std::string> denied;   // keys whose objects and uploads can't be deleted
  bool lists_uploads = true;
  std::size_t page_size = 1000;
  std::vector<std::size_t> batches;  // keys of each DeleteObjects
  std::size_t listed = 0;            // objects in all listings
  std::function<void(const http::Request&)> before;

  ClientBench bench;

 private:
  class Sink final : public ProgressSink {
    void OnNotice(const Notice& /*notice*/) override {}
    void OnProgress(const Progress& /*progress*/) override {}
  };

  static std::optional<std::string> Value(const http::Request& request, const std::string& name) {
    for (const auto& [key, value] : request.query) {
      if (key == name) return value;
    }
    return std::nullopt;
  }
  static http::Response Xml(int status, const std::string& body) { return {status, {}, body}; }
  static http::Response Refuse(int status, const std::string& code) {
    return Xml(status, "<Error><Code>" + code + "</Code><Message>" + code + "</Message></Error>");
  }

  http::Response Answer(const http::Request& request) {
    const std::string path = PercentDecode(request.path).substr(1);
    const std::size_t slash = path.find('/');
    const std::string key = slash == std::string::npos ? "" : path.substr(slash + 1);
    if (path.substr(0, slash) != "bkt") return Refuse(404, "NoSuchBucket");
    if (key.empty() && request.method == "POST") return Delete(request.body);
    if (key.empty() && Value(request, "uploads")) return ListUploads(request);
    if (key.empty()) return List(request);
    if (Value(request, "uploadId")) return Abort(key);
    const auto found = objects.find(key);
    if (found == objects.end()) return Refuse(404, "NoSuchKey");
    return {200, {{"ETag", "\"e\""}}, found->second};
  }

  http::Response List(const http::Request& request) {
    const std::string prefix = Value(request, "prefix").value_or("");
    const std::string delimiter = Value(request, "delimiter").value_or("");
    const std::string start = Value(request, "continuation-token").value_or("");
    std::string entries;
    std::string next;
    std::set<std::string> folders;
    std::size_t count = 0;
    for (auto it = objects.lower_bound(std::max(prefix, start)); it != objects.end(); ++it) {
      const std::string& key = it->first;
      if (!key.starts_with(prefix)) break;
      const std::size_t cut =
          delimiter.empty() ? std::string::npos : key.find(delimiter, prefix.size());
      if (cut != std::string::npos && !folders.insert(key.substr(0, cut + 1)).second) continue;
      if (count++ == page_size) {
        next = key;
        break;
      }
      if (cut != std::string::npos) {
        entries +=
            "<CommonPrefixes><Prefix>" + key.substr(0, cut + 1) + "</Prefix></CommonPrefixes>";
        continue;
      }
      ++listed;
      entries += "<Contents><Key>" + key + "</Key><Size>" + std::to_string(it->second.size()) +
                 "</Size><ETag>\"e\"</ETag></Contents>";
    }
    return Xml(200, "<ListBucketResult><IsTruncated>" + Truth(!next.empty()) + "</IsTruncated>" +
                        (next.empty() ? "" : Element("NextContinuationToken", next)) + entries +
                        "</ListBucketResult>");
  }

  http::Response ListUploads(const http::Request& request) {
    if (!lists_uploads) return Refuse(403, "AccessDenied");
    const std::string prefix = Value(request, "prefix").value_or("");
    const std::string marker = Value(request, "key-marker").value_or("");
    std::string entries;
    std::string last;
    bool more = false;
    std::size_t count = 0;
    for (const std::string& key : uploads) {
      if (!key.starts_with(prefix) || key <= marker) continue;
      if (count++ == page_size) {
        more = true;
        break;
      }
      last = key;
      entries += "<Upload>" + Element("Key", key) + Element("UploadId", "U-" + key) + "</Upload>";
    }
    return Xml(
        200, "<ListMultipartUploadsResult><IsTruncated>" + Truth(more) + "</IsTruncated>" +
                 (more ? Element("NextKeyMarker", last) + Element("NextUploadIdMarker", "U-" + last)
                       : "") +
                 entries + "</ListMultipartUploadsResult>");
  }

  http::Response Delete(const std::string& body) {
    std::string refused;
    std::size_t count = 0;
    const std::string open = "<Key>";
    for (std::size_t at = body.find(open); at != std::string::npos; at = body.find(open, at + 1)) {
      const std::size_t begin = at + open.size();
      const std::string key = body.substr(begin, body.find("</Key>", begin) - begin);
      ++count;
      if (denied.count(key) > 0) {
        refused += "<Error>" + Element("Key", key) + Element("Code", "AccessDenied") +
                   Element("Message", "no") + "</Error>";
      } else {
        objects.erase(key);
      }
    }
    batches.push_back(count);
    return Xml(200, "<DeleteResult>" + refused + "</DeleteResult>");
  }

  http::Response Abort(const std::string& key) {
    if (denied.count(key) > 0) return Refuse(403, "AccessDenied");
    uploads.erase(key);
    return {204, {}, ""};
  }

  static std::string Truth(bool value) { return value ? "true" : "false"; }
  static std::string Element(const std::string& name, const std::string& text) {
    return "<" + name + ">" + text + "</" + name + ">";
  }

  Sink sink_;
  s3::S3Client s3_{bench.client, aws::EndpointResolver(CustomEndpoint("aws.test")), "eu-west-1"};
  sts::StsClient sts_{bench.client, CustomEndpoint("aws.test"), "eu-west-1"};
  timestream::QueryClient query_{bench.client, CustomEndpoint("aws.test"), "eu-west-1"};
};

}  // namespace tsm::test
