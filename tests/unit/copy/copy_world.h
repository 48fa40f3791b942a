// All that a copy needs, in memory: an S3, the real clients on it, a book and a sink that remember,
// files from a list. Time is simulated.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "support/client_bench.h"
#include "support/fake_copy_s3.h"
#include "support/simulated_clock.h"
#include "tsm/copy/copy_run.h"

namespace tsm::test {

class ListFeed final : public copy::FileFeed {
 public:
  explicit ListFeed(const std::vector<run::SpooledFile>& files) : files_(files) {}
  Result<std::optional<run::SpooledFile>> Next() override {
    if (place_ == fails_at) return MakeError(ErrorKind::kLocalIo, "the list is damaged");
    if (place_ == files_.size()) return std::optional<run::SpooledFile>();
    return std::optional(files_[place_++]);
  }
  std::size_t fails_at = SIZE_MAX;

 private:
  const std::vector<run::SpooledFile>& files_;
  std::size_t place_ = 0;
};

class MemoryBook final : public copy::CopyBook {
 public:
  bool IsCopied(const run::SpooledFile& file) override {
    const std::lock_guard lock(mutex);
    return copied.count(file.target.str()) > 0;
  }
  Status Copied(const run::SpooledFile& file, const copy::CopiedFile& became) override {
    const std::lock_guard lock(mutex);
    if (broken) return MakeError(ErrorKind::kLocalIo, "the journal can't be written");
    copied[file.target.str()] = became;
    if (on_copied) on_copied();
    return Ok();
  }
  Status UploadStarted(const s3::ObjectKey&, const std::string& upload_id) override {
    const std::lock_guard lock(mutex);
    if (broken) return MakeError(ErrorKind::kLocalIo, "the journal can't be written");
    started.insert(upload_id);
    open.insert(upload_id);
    return Ok();
  }
  Status UploadEnded(const s3::ObjectKey&, const std::string& upload_id) override {
    const std::lock_guard lock(mutex);
    open.erase(upload_id);
    return Ok();
  }

  std::mutex mutex;
  bool broken = false;
  std::function<void()> on_copied;                 // may be null
  std::map<std::string, copy::CopiedFile> copied;  // by target
  std::set<std::string> started;
  std::set<std::string> open;
};

class RecordingSink final : public ProgressSink {
 public:
  void OnNotice(const Notice& notice) override {
    const std::lock_guard lock(mutex);
    notices.push_back(notice.text);
  }
  void OnProgress(const Progress& progress) override {
    const std::lock_guard lock(mutex);
    told.push_back(progress);
  }

  std::mutex mutex;
  std::vector<std::string> notices;
  std::vector<Progress> told;
};

struct CopyWorld {
  // `sends_many`: one thread may have many requests under way, as with the real transport.
  explicit CopyWorld(bool sends_many = true) {
    s3.sends_many = sends_many;
    options.source_bucket = *s3::BucketName::Parse("src");
    options.target_bucket = *s3::BucketName::Parse("dst");
    options.concurrency = 8;
  }

  aws::ClientParts Parts(const std::string& key_id) {
    return {.transport = &s3,
            .clock = &clock,
            .random = &random,
            .credentials = std::make_shared<aws::StaticCredentials>(
                aws::Credentials{.access_key_id = key_id,
                                 .secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                                 .session_token = "",
                                 .source = "test"}),
            .retry = {},
            .user_agent = "test/1"};
  }

  // A file of the source, as the plan lists it; the copy goes to "to/" and its key.
  run::SpooledFile& Add(const std::string& key, const std::string& body) {
    return AddListed(key, body.size(), s3.Put("src", key, body));
  }
  run::SpooledFile& AddListed(const std::string& key, std::uint64_t size, const std::string& etag) {
    run::SpooledFile file;
    file.ordinal = static_cast<std::uint32_t>(files.size());
    file.source = s3::ObjectKey(key);
    file.target = s3::ObjectKey("to/" + key);
    file.size = size;
    file.etag = etag;
    files.push_back(file);
    return files.back();
  }
  // "f0000.csv" …, each of its own body.
  void AddMany(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::string number = std::to_string(10000 + i).substr(1);
      Add("f" + number + ".csv", "body " + number);
    }
  }

  copy::CopyServices Services() { return {source, target, clock, random, sink, tick}; }

  copy::CopySummary Run(const std::vector<bool>& there = {}) {
    feed = std::make_unique<ListFeed>(files);
    feed->fails_at = feed_fails_at;
    copy::CopyTotals totals;
    totals.files = files.size();
    return copy::RunCopy(options, *feed, there, book, Services(), totals,
                         [this](const copy::CopyFailure& failure) {
                           const std::lock_guard lock(failing);
                           failed.push_back(failure.file.target.str());
                         },
                         {drain.get_token(), stop.get_token()});
  }

  std::string Body(const std::string& key) { return s3.Get("dst", key)->body; }

  SimulatedClock clock;
  SeededRandom random{7};
  FakeCopyS3 s3{clock};
  aws::Client source_client{Parts("AKIDSOURCE")};
  aws::Client target_client{Parts("AKIDTARGET")};
  s3::S3Client source{source_client, aws::EndpointResolver(CustomEndpoint("aws.test")),
                      "eu-west-1"};
  s3::S3Client target{target_client, aws::EndpointResolver(CustomEndpoint("aws.test")),
                      "eu-west-1"};
  RecordingSink sink;
  MemoryBook book;
  std::function<Status()> tick;
  copy::CopyOptions options;
  std::vector<run::SpooledFile> files;
  std::unique_ptr<ListFeed> feed;
  std::size_t feed_fails_at = SIZE_MAX;
  std::stop_source drain;
  std::stop_source stop;
  std::mutex failing;
  std::vector<std::string> failed;
};

// "" or what a run that should have copied everything says instead.
inline std::string WhyNotAll(const copy::CopySummary& summary, const CopyWorld& world) {
  if (summary.fatal) return summary.fatal->Text();
  if (!summary.failures.empty()) return summary.failures[0].error.Text();
  if (summary.interrupted) return "interrupted";
  if (summary.files == world.files.size()) return "";
  return std::to_string(summary.files) + " of " + std::to_string(world.files.size());
}

}  // namespace tsm::test
