// Buckets of S3 in memory behind a ScriptedTransport, path style: ListObjectsV2 by page, prefix and
// delimiter, GetObject with Range, HeadObject. An object may have a size without a body. Reads can
// be forbidden by bucket and prefix. For one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "support/client_bench.h"
#include "tsm/core/progress.h"
#include "tsm/s3/s3_client.h"

namespace tsm::test {

class FakeObjectStore {
 public:
  struct Object {
    std::uint64_t size = 0;
    std::string body;
    std::string etag;
  };

  FakeObjectStore();

  // Path: "bucket/key".
  void Put(const std::string& path, std::string body);
  void PutSize(const std::string& path, std::uint64_t size);
  void Remove(const std::string& path);
  // Answers 403 to lists and reads whose "bucket/prefix" or "bucket/key" begins so.
  void Forbid(const std::string& path) { forbidden_.insert(path); }

  s3::S3Client& s3() { return s3_; }

  std::size_t page_size = 1000;
  std::map<std::string, std::map<std::string, Object>> buckets;
  std::uint64_t lists = 0;
  std::uint64_t gets = 0;

  ClientBench bench;

 private:
  http::Response Answer(const http::Request& request);
  http::Response List(const http::Request& request, const std::string& bucket);
  bool IsForbidden(const std::string& path) const;

  std::set<std::string> forbidden_;
  s3::S3Client s3_{bench.client, aws::EndpointResolver(CustomEndpoint("aws.test")), "eu-west-1"};
};

// Keeps the notices' texts, and calls `on_progress`.
class NoticeSink final : public ProgressSink {
 public:
  void OnNotice(const Notice& notice) override { notices.push_back(notice.text); }
  void OnProgress(const Progress& /*progress*/) override {
    if (on_progress) on_progress();
  }

  std::vector<std::string> notices;
  std::function<void()> on_progress;
};

}  // namespace tsm::test
