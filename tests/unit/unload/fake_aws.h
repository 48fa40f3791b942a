// A small S3, STS and Timestream Query in memory for the tests of a whole unload: answers the calls
// of the real clients over a ScriptedTransport, runs one UNLOAD, and can be told to misbehave. Not
// thread-safe; the run under test uses one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "support/client_bench.h"
#include "tsm/unload/unload_run.h"

namespace tsm::test {

inline constexpr const char* kQueryId = "AEDACANRA63LLDJ2NRK35XUWCGVKFYGA";
inline constexpr const char* kOtherQueryId = "AEDACAOTHERQUERY2222222222222222";

// "<query id>_1234567890_<16 characters>.csv".
std::string DataFileName(const std::string& query_id, int number);

class FakeAws {
 public:
  struct Bucket {
    std::string region = "eu-west-1";
    std::string policy;
    std::map<std::string, std::string> objects;
  };
  struct Refusal {
    int status = 400;
    std::string code;
    std::string message;
  };

  FakeAws();

  // What the clients of a run use; all of it lives as long as this.
  unload::UnloadServices Services();

  // The first object of that prefix, or nothing.
  std::optional<std::string> ObjectWithPrefix(const std::string& bucket, const std::string& prefix);

  // "Name subject" of every call so far: "PutObject bkt/key", "Query UNLOAD", "CancelQuery ID".
  std::vector<std::string> calls;
  std::vector<std::string> notices;

  std::map<std::string, Bucket> buckets;
  std::vector<std::string> foreign_buckets;  // names of other accounts: 404 to HEAD, 409 to create
  std::vector<std::string> columns = {"city", "measure_name", "time", "temperature"};
  bool table_exists = true;

  // The UNLOAD: two files of 3 and 4 rows below <prefix>results/, and a manifest.
  int empty_pages = 2;
  std::uint64_t reply_rows = 7;
  std::uint64_t manifest_rows = 7;
  bool write_files = true;
  bool write_manifest = true;
  bool name_manifest = true;
  std::string unload_bucket = "bkt";
  std::string unload_prefix = "unload/";
  std::optional<Refusal> unload_refusal;  // on page `refuse_page`
  int refuse_page = 0;
  std::optional<Refusal> cancel_refusal;
  std::string unload_sql;
  std::string unload_token;

  // Called before each answer with the call's text; a Refusal is answered in its place.
  std::function<std::optional<Refusal>(const std::string& call)> before;
  // Called after each answer.
  std::function<void(const std::string& call)> after;

  ClientBench bench;

 private:
  class Sink final : public ProgressSink {
   public:
    explicit Sink(FakeAws& fake) : fake_(fake) {}
    void OnNotice(const Notice& notice) override { fake_.notices.push_back(notice.text); }
    void OnProgress(const Progress& progress) override;

   private:
    FakeAws& fake_;
  };

  Result<http::Response> Answer(const http::Request& request);
  http::Response AnswerS3(const http::Request& request, const std::string& call);
  http::Response AnswerBucket(const http::Request& request, const std::string& bucket);
  http::Response List(const http::Request& request, const Bucket& bucket);
  http::Response AnswerTimestream(const http::Request& request);
  http::Response Describe() const;
  http::Response UnloadPage(const std::string& next_token);
  void WriteResults();
  std::string CallText(const http::Request& request) const;

  Sink sink_{*this};
  s3::S3Client s3_{bench.client, aws::EndpointResolver(CustomEndpoint("aws.test")), "eu-west-1"};
  sts::StsClient sts_{bench.client, CustomEndpoint("aws.test"), "eu-west-1"};
  timestream::QueryClient query_{bench.client, CustomEndpoint("aws.test"), "eu-west-1"};
};

}  // namespace tsm::test
