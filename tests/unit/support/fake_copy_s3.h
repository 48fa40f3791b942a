// An S3 in memory as copies see it: objects with bodies or with a size alone, CopyObject, multipart
// uploads, ranged and conditional reads, listings. A transport, so that the real client speaks to
// it; every call may take its time on the clock. Hooks answer in its place, before it has seen a
// call or after it has acted on it. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tsm/core/clock.h"
#include "tsm/http/transport.h"

namespace tsm::test {

struct StoredObject {
  std::string body;
  std::uint64_t size = 0;  // of the body, or of one that is only said to be there
  std::string etag;
  http::Headers headers;   // content-type, x-amz-meta-…
  std::string encryption;  // "", "AES256", "aws:kms"
  std::chrono::system_clock::time_point modified;
};

struct CopyS3Call {
  std::uint64_t number = 0;  // 1, 2, 3, …
  std::string name;          // "CopyObject", "UploadPart", …
  std::string bucket;
  std::string key;       // or the listed prefix
  std::size_t part = 0;  // from 1
  http::Request request;
};

class FakeCopyS3 final : public http::Transport {
 public:
  // A status of 0: the connection is reset.
  using Hook = std::function<std::optional<http::Response>(const CopyS3Call& call)>;

  explicit FakeCopyS3(const Clock& clock) : clock_(clock) {}

  // Set before the first call; called without a lock, by several threads at once.
  Hook before;
  Hook after;
  std::chrono::nanoseconds call_time{0};

  static http::Response Refusal(int status, const std::string& code);
  static http::Response Reset() { return {}; }
  // As S3 says it, with 503.
  static http::Response SlowDown() { return Refusal(503, "SlowDown"); }

  // Gives the ETag.
  std::string Put(const std::string& bucket, const std::string& key, const std::string& body,
                  http::Headers headers = {}, const std::string& encryption = "");
  std::string PutSized(const std::string& bucket, const std::string& key, std::uint64_t size);
  void Delete(const std::string& bucket, const std::string& key);
  std::optional<StoredObject> Get(const std::string& bucket, const std::string& key) const;
  std::vector<std::string> Keys(const std::string& bucket) const;
  void AddUpload(const std::string& id) { uploads_[id]; }
  std::vector<std::string> open_uploads() const;

  std::uint64_t Count(const std::string& name) const;
  std::uint64_t calls() const;
  std::size_t at_once() const;
  std::size_t most_at_once() const;
  // Of a name, in the order of coming.
  std::vector<http::Request> Requests(const std::string& name) const;

  // False: every request needs a thread of its own.
  bool sends_many = true;

  Result<http::Response> Send(const http::Request& request, std::stop_token stop) override;
  std::unique_ptr<http::Multi> OpenMulti(std::size_t most) override;

 private:
  struct Part {
    std::string body;
    std::uint64_t size = 0;
    std::string etag;
  };
  struct OpenUpload {
    std::string place;
    std::map<std::size_t, Part> parts;
    http::Headers headers;
    std::string encryption;
  };

  http::Response Act(const CopyS3Call& call);
  http::Response List(const CopyS3Call& call) const;
  http::Response Read(const CopyS3Call& call) const;
  http::Response Write(const CopyS3Call& call);
  http::Response CopyWhole(const CopyS3Call& call);
  http::Response Begin(const CopyS3Call& call);
  http::Response TakePart(const CopyS3Call& call);
  http::Response Complete(const CopyS3Call& call);
  // The source of a copy, or the refusal.
  const StoredObject* Source(const CopyS3Call& call, http::Response* refusal) const;
  StoredObject Made(const http::Request& request) const;

  const Clock& clock_;
  mutable std::mutex mutex_;                     // guards all below
  std::map<std::string, StoredObject> objects_;  // by "bucket/key"
  std::map<std::string, OpenUpload> uploads_;
  std::uint64_t uploads_begun_ = 0;
  std::vector<CopyS3Call> calls_;
  std::size_t at_once_ = 0;
  std::size_t most_at_once_ = 0;
};

// 32 hex digits that tell bodies apart.
std::string ETagOf(const std::string& body);

}  // namespace tsm::test
