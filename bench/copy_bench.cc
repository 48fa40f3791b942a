// What a copy inside S3 costs this machine: lists a bucket, copies what is there to another one and
// prints wall time, CPU, memory and requests. Meant for a server of fixed latency on this machine;
// its keys are sent to nobody else.
//
//   copy_bench HOST:PORT [--source src] [--target dst] [--prefix ""] [--concurrency 64]
//              [--list] [--streamed] [--inflate]
//
// --list: lists the source and copies nothing. --streamed: through this machine; --inflate: what is
// gzip becomes plain CSV on the way.
#include <malloc.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tsm/copy/copy_run.h"
#include "tsm/http/curl_transport.h"

namespace tsm {
namespace {

class CountingMulti final : public http::Multi {
 public:
  CountingMulti(std::unique_ptr<http::Multi> inner, std::atomic<std::uint64_t>& requests)
      : inner_(std::move(inner)), requests_(requests) {}
  void Start(std::uint64_t id, http::Request request) override {
    ++requests_;
    inner_->Start(id, std::move(request));
  }
  std::vector<Answered> Wait(std::chrono::milliseconds longest, std::stop_token stop) override {
    return inner_->Wait(longest, std::move(stop));
  }
  std::size_t under_way() const override { return inner_->under_way(); }

 private:
  const std::unique_ptr<http::Multi> inner_;
  std::atomic<std::uint64_t>& requests_;
};

class CountingTransport final : public http::Transport {
 public:
  Result<http::Response> Send(const http::Request& request, std::stop_token stop) override {
    ++requests;
    return curl_.Send(request, std::move(stop));
  }
  std::unique_ptr<http::Multi> OpenMulti(std::size_t most) override {
    std::unique_ptr<http::Multi> inner = curl_.OpenMulti(most);
    if (inner == nullptr) return nullptr;
    return std::make_unique<CountingMulti>(std::move(inner), requests);
  }
  std::atomic<std::uint64_t> requests{0};

 private:
  http::CurlTransport curl_;
};

// Page by page, as a run that has no list of its own would.
class ListingFeed final : public copy::FileFeed {
 public:
  ListingFeed(s3::S3Client& s3, s3::BucketName bucket, std::string prefix)
      : s3_(s3), bucket_(std::move(bucket)), prefix_(std::move(prefix)) {}

  Result<std::optional<run::SpooledFile>> Next() override {
    while (place_ == page_.objects.size()) {
      if (!first_ && page_.next_token.empty()) return std::optional<run::SpooledFile>();
      Result<s3::ListPage> page =
          s3_.ListObjects(bucket_, prefix_, page_.next_token, s3::ListOptions(), {});
      if (!page) return std::move(page).error();
      first_ = false;
      page_ = *std::move(page);
      place_ = 0;
    }
    s3::ObjectSummary& object = page_.objects[place_++];
    run::SpooledFile file;
    file.ordinal = count_++;
    file.source = object.key;
    file.target = std::move(object.key);
    file.size = object.size;
    file.etag = std::move(object.etag);
    return std::optional<run::SpooledFile>(std::move(file));
  }
  std::uint32_t count() const { return count_; }

 private:
  s3::S3Client& s3_;
  const s3::BucketName bucket_;
  const std::string prefix_;
  s3::ListPage page_;
  std::size_t place_ = 0;
  bool first_ = true;
  std::uint32_t count_ = 0;
};

class NoBook final : public copy::CopyBook {
 public:
  bool IsCopied(const run::SpooledFile&) override { return false; }
  Status Copied(const run::SpooledFile&, const copy::CopiedFile&) override { return Ok(); }
  Status UploadStarted(const s3::ObjectKey&, const std::string&) override { return Ok(); }
  Status UploadEnded(const s3::ObjectKey&, const std::string&) override { return Ok(); }
};

class NoSink final : public ProgressSink {
 public:
  void OnNotice(const Notice& notice) override { std::puts(notice.text.c_str()); }
  void OnProgress(const Progress&) override { ++told; }
  std::atomic<int> told{0};
};

struct Arguments {
  std::string endpoint;
  std::string source = "src";
  std::string target = "dst";
  std::string prefix;
  std::size_t concurrency = 64;
  bool list_only = false;
  bool streamed = false;
  bool inflate = false;
};

Arguments Read(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    const std::string value = i + 1 < argc ? argv[i + 1] : "";
    if (name == "--list") arguments.list_only = true;
    if (name == "--streamed") arguments.streamed = true;
    if (name == "--inflate") arguments.inflate = true;
    if (name == "--source") arguments.source = value;
    if (name == "--target") arguments.target = value;
    if (name == "--prefix") arguments.prefix = value;
    if (name == "--concurrency") arguments.concurrency = std::strtoul(value.c_str(), nullptr, 10);
    const bool takes_value =
        name == "--source" || name == "--target" || name == "--prefix" || name == "--concurrency";
    if (takes_value) ++i;
    if (!name.starts_with("--")) arguments.endpoint = name;
  }
  return arguments;
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

int Bench(const Arguments& arguments) {
  // As the programs do: threads that each keep an arena of their own would hold twice the memory.
  mallopt(M_ARENA_MAX, 2);
  const Result<s3::BucketName> source = s3::BucketName::Parse(arguments.source);
  const Result<s3::BucketName> target = s3::BucketName::Parse(arguments.target);
  if (arguments.endpoint.empty() || !source || !target) {
    std::fputs("usage: copy_bench HOST:PORT [--source BUCKET] [--target BUCKET] [--list] …\n",
               stderr);
    return 2;
  }
  const SystemClock clock;
  SystemRandom random;
  CountingTransport transport;
  aws::ClientParts parts;
  parts.transport = &transport;
  parts.clock = &clock;
  parts.random = &random;
  parts.credentials = std::make_shared<aws::StaticCredentials>(
      aws::Credentials{.access_key_id = "AKIDEXAMPLE",
                       .secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                       .session_token = "",
                       .source = "bench"});
  parts.user_agent = "copy_bench";
  aws::Client client(parts);
  s3::S3Client s3(
      client,
      aws::EndpointResolver(aws::Endpoint{
          .scheme = "http", .host = arguments.endpoint, .base_path = "", .custom = true}),
      "us-east-1");
  const auto started = clock.Steady();
  ListingFeed feed(s3, *source, arguments.prefix);
  std::string outcome;
  NoSink sink;
  if (arguments.list_only) {
    Result<std::optional<run::SpooledFile>> file = feed.Next();
    while (file && *file) file = feed.Next();
    outcome = file ? "listed" : file.error().Text();
  } else {
    copy::CopyOptions options;
    options.source_bucket = *source;
    options.target_bucket = *target;
    options.concurrency = arguments.concurrency;
    options.streamed = arguments.streamed;
    options.inflate = arguments.inflate;
    NoBook book;
    const copy::CopyServices services{s3, s3, clock, random, sink, nullptr};
    const copy::CopySummary summary =
        copy::RunCopy(options, feed, {}, book, services, {}, nullptr, {});
    outcome = std::to_string(summary.files) + " copied, " + std::to_string(summary.failed) +
              " failed" + (summary.fatal ? ": " + summary.fatal->Text() : "") +
              (summary.failures.empty() ? "" : ": " + summary.failures[0].error.Text());
  }
  const std::chrono::duration<double> wall = clock.Steady() - started;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const double user = Seconds(usage.ru_utime);
  const double system = Seconds(usage.ru_stime);
  std::printf(
      "%u keys, %s: wall %.3f s, CPU %.3f s (user %.3f, system %.3f), memory %.1f MB, %llu "
      "requests, %d progress events\n",
      feed.count(), outcome.c_str(), wall.count(), user + system, user, system,
      static_cast<double>(usage.ru_maxrss) / 1024,
      static_cast<unsigned long long>(transport.requests), sink.told.load());
  return 0;
}

}  // namespace
}  // namespace tsm

int main(int argc, char** argv) { return tsm::Bench(tsm::Read(argc, argv)); }
