// One bucket of S3 in memory behind a ScriptedTransport, with what a run's state needs: conditional
// PUT and DELETE, Last-Modified and Date by a clock of S3's own, listings by page. Path style.
// Faults are set per request from the test's own thread of calls. Thread-safe.
#pragma once

#include <array>
#include <chrono>
#include <ctime>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "support/fake_clock.h"
#include "tsm/core/text.h"
#include "tsm/http/message.h"

namespace tsm::test {

class FakeStateS3 {
 public:
  struct Object {
    std::string body;
    std::string etag;
    std::chrono::system_clock::time_point modified;
  };

  explicit FakeStateS3(const FakeClock& clock) : clock_(clock) {}

  // Consulted before each request; an answer replaces S3's own. With `after`, S3 acts first, so
  // that only the answer is lost.
  std::function<std::optional<Result<http::Response>>(const http::Request&)> before;
  std::function<std::optional<Result<http::Response>>(const http::Request&)> after;
  std::size_t page_size = 1000;
  bool tells_dates = true;

  void Put(const std::string& key, const std::string& body) {
    const std::lock_guard lock(mutex_);
    Store(key, body);
  }
  void Delete(const std::string& key) {
    const std::lock_guard lock(mutex_);
    objects_.erase(key);
  }
  std::map<std::string, Object> objects() const {
    const std::lock_guard lock(mutex_);
    return objects_;
  }

  Result<http::Response> Handle(const http::Request& request) {
    if (before) {
      if (auto answer = before(request)) return *std::move(answer);
    }
    http::Response response = Answer(request);
    if (after) {
      if (auto answer = after(request)) return *std::move(answer);
    }
    return response;
  }

  static http::Response Refuse(int status, const std::string& code) {
    return {status, {}, "<Error><Code>" + code + "</Code><Message>" + code + "</Message></Error>"};
  }

 private:
  static std::string HttpDate(std::chrono::system_clock::time_point time) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 64> text{};
    std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return text.data();
  }

  const Object& Store(const std::string& key, const std::string& body) {
    // As S3's MD5: the same bytes have the same ETag.
    std::uint64_t hash = 14695981039346656037U;
    for (const char c : body) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
    objects_[key] = {body, "e" + std::to_string(hash), clock_.Now()};
    return objects_[key];
  }

  // A broken condition of a write, or nothing.
  std::optional<http::Response> Broken(const http::Request& request, const std::string& key) const {
    const auto found = objects_.find(key);
    const auto match = http::FindHeader(request.headers, "if-match");
    if (http::FindHeader(request.headers, "if-none-match") == "*" && found != objects_.end()) {
      return Refuse(412, "PreconditionFailed");
    }
    if (match.empty()) return std::nullopt;
    if (found == objects_.end()) return Refuse(404, "NoSuchKey");
    if (match != "\"" + found->second.etag + "\"") return Refuse(412, "PreconditionFailed");
    return std::nullopt;
  }

  http::Response Answer(const http::Request& request) {
    const std::lock_guard lock(mutex_);
    const std::string path = PercentDecode(request.path).substr(1);
    const auto slash = path.find('/');
    if (slash == std::string::npos) return List(request);
    const std::string key = path.substr(slash + 1);
    if (request.method != "GET") {
      if (auto broken = Broken(request, key)) return *broken;
    }
    if (request.method == "DELETE") {
      objects_.erase(key);
      return {204, {}, ""};
    }
    if (request.method == "PUT") {
      return {200, {{"ETag", "\"" + Store(key, request.body).etag + "\""}}, ""};
    }
    const auto found = objects_.find(key);
    if (found == objects_.end()) return Refuse(404, "NoSuchKey");
    http::Headers headers = {{"ETag", "\"" + found->second.etag + "\""}};
    if (tells_dates) {
      headers.emplace_back("Last-Modified", HttpDate(found->second.modified));
      headers.emplace_back("Date", HttpDate(clock_.Now()));
    }
    return {200, std::move(headers), found->second.body};
  }

  http::Response List(const http::Request& request) const {
    std::string prefix;
    std::string after_key;
    for (const auto& [name, value] : request.query) {
      if (name == "prefix") prefix = value;
      if (name == "continuation-token") after_key = value;
    }
    std::string contents;
    std::string last;
    std::size_t count = 0;
    bool truncated = false;
    for (const auto& [key, object] : objects_) {
      if (!key.starts_with(prefix) || key <= after_key) continue;
      truncated = count == page_size;
      if (truncated) break;
      contents += "<Contents><Key>" + PercentEncode(key) + "</Key><Size>" +
                  std::to_string(object.body.size()) + "</Size></Contents>";
      last = key;
      ++count;
    }
    return {200,
            {},
            "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>" +
                std::string(truncated ? "true" : "false") + "</IsTruncated>" + contents +
                (truncated ? "<NextContinuationToken>" + last + "</NextContinuationToken>" : "") +
                "</ListBucketResult>"};
  }

  const FakeClock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Object> objects_;
};

}  // namespace tsm::test
