// Makes each S3, STS, SNS and Timestream Write call once against the endpoint of the environment
// and prints "ok <call>" or "FAILED <call>: <error>", a line per call; exits 1 where one failed.
// The endpoint is meant to be an implementation of AWS that is not ours and that checks signatures.
//
// AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION as for the tools;
// JUDGE_TOPIC_ARN names an SNS topic that exists.
#include <array>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "tsm/aws/client.h"
#include "tsm/aws/config.h"
#include "tsm/http/curl_transport.h"
#include "tsm/s3/s3_client.h"
#include "tsm/sns/sns_client.h"
#include "tsm/sts/sts_client.h"
#include "tsm/timestream/write_client.h"

namespace tsm {
namespace {

// Keys that a client gets wrong which decodes, normalizes or encodes twice.
constexpr std::array<const char*, 14> kOddKeys = {
    "a//b",  "../x",  "./y/.",      " lead",     "trail ",        "ü",           "a+b",
    "a%20b", "/lead", "part=1/x:y", "q?a=1&b#c", "til~de_(1)'*!", "日本/語.csv", "tab\there"};

class Judge {
 public:
  void Check(const std::string& call, const Status& status) {
    if (status) {
      std::printf("ok %s\n", call.c_str());
    } else {
      Fail(call, status.error().Text());
    }
  }

  // For calls whose answer is known: `right` says whether it is.
  template <typename T>
  void Check(const std::string& call, const Result<T>& result,
             const std::function<bool(const T&)>& right = nullptr) {
    if (!result) {
      Fail(call, result.error().Text());
    } else if (right && !right(*result)) {
      Fail(call, "the answer is not what was put there");
    } else {
      std::printf("ok %s\n", call.c_str());
    }
  }

  void CheckFails(const std::string& call, const Status& status, ErrorKind kind) {
    if (!status && status.error().kind == kind) {
      std::printf("ok %s\n", call.c_str());
    } else {
      Fail(call, status ? "accepted" : status.error().Text());
    }
  }

  int failures() const { return failures_; }

 private:
  void Fail(const std::string& call, const std::string& why) {
    ++failures_;
    std::printf("FAILED %s: %s\n", call.c_str(), why.c_str());
  }
  int failures_ = 0;
};

Status Discard(const Error& error) { return error; }

template <typename T>
Status AsStatus(const Result<T>& result) {
  return result ? Ok() : Discard(result.error());
}

void JudgeObject(Judge& judge, s3::S3Client& s3, const s3::BucketName& source,
                 const s3::BucketName& target, const s3::ObjectKey& key) {
  const std::string body = "body of " + key.str();
  const std::string name = " [" + key.str() + "]";
  const Result<std::string> etag = s3.PutObject(source, key, body, {}, {});
  judge.Check("PutObject" + name, etag);
  judge.Check<s3::ObjectHead>(
      "HeadObject" + name, s3.HeadObject(source, key, {}),
      [&](const s3::ObjectHead& head) { return head.size == body.size() && head.etag == *etag; });
  judge.Check<std::string>("GetObject" + name, s3.GetObject(source, key, std::nullopt, {}),
                           [&](const std::string& got) { return got == body; });
  judge.Check<std::string>("GetObject range" + name,
                           s3.GetObject(source, key, s3::ByteRange{.first = 5, .last = 6}, {}),
                           [&](const std::string& got) { return got == "of"; });
  const s3::ObjectKey copy("copy/" + key.str());
  judge.Check<s3::CopyResult>(
      "CopyObject" + name,
      s3.CopyObject(source, key, target, copy, {.source_etag = etag ? *etag : "none"}, {}),
      [&](const s3::CopyResult& result) { return result.etag == *etag; });
  judge.Check<std::string>("GetObject copy" + name, s3.GetObject(target, copy, std::nullopt, {}),
                           [&](const std::string& got) { return got == body; });
  judge.Check("ListObjectsV2" + name, [&]() -> Status {
    bool found = false;
    const Status listed =
        s3.ForEachObject(source, key.str(),
                         [&](const s3::ObjectSummary& object) {
                           found = found || (object.key == key && object.size == body.size());
                           return true;
                         },
                         {});
    if (!listed) return listed;
    if (!found) return MakeError(ErrorKind::kBadReply, "the key is not listed");
    return Ok();
  }());
  judge.Check("DeleteObject" + name, s3.DeleteObject(source, key, {}));
  judge.CheckFails("GetObject after delete" + name,
                   AsStatus(s3.GetObject(source, key, std::nullopt, {})), ErrorKind::kNotFound);
}

void JudgePaging(Judge& judge, s3::S3Client& s3, const s3::BucketName& bucket) {
  for (int i = 0; i < 5; ++i) {
    judge.Check("PutObject paged",
                s3.PutObject(bucket, s3::ObjectKey("pages/a=b/" + std::to_string(i)), "x", {}, {}));
  }
  std::string token;
  std::vector<std::string> keys;
  for (int pages = 0; pages < 10; ++pages) {
    const Result<s3::ListPage> page =
        s3.ListObjects(bucket, "pages/a=b/", token, {.delimiter = "", .max_keys = 2}, {});
    judge.Check("ListObjectsV2 page", page);
    if (!page) return;
    for (const s3::ObjectSummary& object : page->objects) keys.push_back(object.key.str());
    token = page->next_token;
    if (token.empty()) break;
  }
  const bool all = keys == std::vector<std::string>{"pages/a=b/0", "pages/a=b/1", "pages/a=b/2",
                                                    "pages/a=b/3", "pages/a=b/4"};
  judge.Check("ListObjectsV2 paged", all ? Ok() : MakeError(ErrorKind::kBadReply, "keys differ"));
  judge.Check<s3::ListPage>("ListObjectsV2 delimiter",
                            s3.ListObjects(bucket, "pages/", "", {.delimiter = "/"}, {}),
                            [](const s3::ListPage& page) {
                              return page.objects.empty() && page.common_prefixes.size() == 1 &&
                                     page.common_prefixes[0].str() == "pages/a=b/";
                            });
}

void JudgeS3(Judge& judge, s3::S3Client& s3, const std::string& region) {
  const s3::BucketName source = *s3::BucketName::Parse("judge-source-" + region);
  const s3::BucketName target = *s3::BucketName::Parse("judge.target-" + region);
  judge.CheckFails("HeadBucket of none", AsStatus(s3.HeadBucket(source, {})), ErrorKind::kNotFound);
  judge.Check("CreateBucket", s3.CreateBucket(source, {}));
  judge.Check("CreateBucket dotted", s3.CreateBucket(target, {}));
  judge.Check<std::string>("HeadBucket", s3.HeadBucket(source, {}),
                           [&](const std::string& got) { return got == region; });
  judge.Check<std::string>("GetBucketPolicy of none", s3.GetBucketPolicy(source, {}),
                           [](const std::string& policy) { return policy.empty(); });
  const std::string policy =
      R"({"Version":"2012-10-17","Statement":[{"Sid":"judge","Effect":"Allow","Principal":"*",)"
      R"("Action":"s3:GetObject","Resource":"arn:aws:s3:::judge-source-)" +
      region + R"(/*"}]})";
  judge.Check("PutBucketPolicy", s3.PutBucketPolicy(source, policy, {}));
  judge.Check<std::string>("GetBucketPolicy", s3.GetBucketPolicy(source, {}),
                           [&](const std::string& got) { return got == policy; });
  for (const char* key : kOddKeys) JudgeObject(judge, s3, source, target, s3::ObjectKey(key));
  judge.Check("PutObject large",
              s3.PutObject(source, s3::ObjectKey("large"), std::string(5'000'000, 'x'), {}, {}));
  judge.Check<std::string>("GetObject large",
                           s3.GetObject(source, s3::ObjectKey("large"), std::nullopt, {}),
                           [](const std::string& got) { return got.size() == 5'000'000; });
  judge.Check("PutObject if absent",
              s3.PutObject(source, s3::ObjectKey("once"), "1", {.only_if_absent = true}, {}));
  judge.CheckFails(
      "PutObject if absent, again",
      AsStatus(s3.PutObject(source, s3::ObjectKey("once"), "2", {.only_if_absent = true}, {})),
      ErrorKind::kAlreadyExists);
  JudgePaging(judge, s3, source);
}

timestream::Record MakeRecord(UnixNanos time) {
  timestream::Record record;
  record.dimensions = {{"city", "Köln"}};
  record.measure_name = "wave";
  record.measures = {{.name = "load", .value = "1.5", .type = "DOUBLE"},
                     {.name = "note", .value = "a, \"b\"\\", .type = "VARCHAR"}};
  record.time = time;
  return record;
}

void JudgeTimestream(Judge& judge, timestream::WriteClient& write) {
  const timestream::TableRef table{.database = "judge-db", .table = "judge.table"};
  judge.CheckFails("DescribeDatabase of none", write.DescribeDatabase(table.database, {}),
                   ErrorKind::kNotFound);
  judge.Check("CreateDatabase", write.CreateDatabase(table.database, {}));
  judge.Check("DescribeDatabase", write.DescribeDatabase(table.database, {}));
  judge.Check<std::vector<std::string>>(
      "ListDatabases", write.ListDatabases({}),
      [](const std::vector<std::string>& names) { return names.size() == 1; });
  timestream::TableSettings settings;
  settings.magnetic_store_days = 7300;
  settings.rejected_data =
      timestream::RejectedDataLocation{.bucket = "judge-errors", .prefix = "r"};
  settings.partition_key = timestream::PartitionKey{.name = "city"};
  judge.Check("CreateTable", write.CreateTable(table, settings, {}));
  judge.Check<timestream::TableDescription>(
      "DescribeTable", write.DescribeTable(table, {}),
      [&](const timestream::TableDescription& described) {
        return described.table == table && described.settings.magnetic_store_days == 7300 &&
               described.settings.partition_key && described.settings.partition_key->name == "city";
      });
  judge.Check<std::vector<std::string>>("ListTables", write.ListTables(table.database, {}),
                                        [&](const std::vector<std::string>& names) {
                                          return names == std::vector<std::string>{table.table};
                                        });
  const UnixNanos now = std::chrono::duration_cast<std::chrono::nanoseconds>(
                            std::chrono::system_clock::now().time_since_epoch())
                            .count();
  judge.Check("WriteRecords",
              write.WriteRecords(table, {MakeRecord(now), MakeRecord(now + 1)}, {}));
}

// Everything that is configured from outside, once.
struct Setup {
  std::shared_ptr<aws::CredentialsProvider> credentials;
  aws::Environment environment;
  std::string region;
  aws::Endpoint endpoint;
};

Result<Setup> ReadSetup() {
  Setup setup;
  setup.environment = aws::Environment::OfProcess();
  const aws::Profile none;
  auto credentials = aws::ResolveCredentials(setup.environment, none, false);
  if (!credentials) return credentials.error();
  auto region = aws::ResolveRegion("", setup.environment, none);
  if (!region) return region.error();
  auto endpoint = aws::ResolveEndpoint(aws::Service::kS3, *region, "", setup.environment);
  if (!endpoint) return endpoint.error();
  if (!endpoint->custom) {
    return MakeError(ErrorKind::kConfiguration, "AWS_ENDPOINT_URL must name the judge");
  }
  setup.credentials = *credentials;
  setup.region = *region;
  setup.endpoint = *endpoint;
  return setup;
}

int Run() {
  const Result<Setup> setup = ReadSetup();
  if (!setup) {
    std::fprintf(stderr, "judge_calls: %s\n", setup.error().Text().c_str());
    return 3;
  }
  http::CurlTransport transport;
  const SystemClock clock;
  SystemRandom random;
  aws::Client client({.transport = &transport,
                      .clock = &clock,
                      .random = &random,
                      .credentials = setup->credentials,
                      .retry = {},
                      .user_agent = "judge-calls/1"});
  Judge judge;
  sts::StsClient sts(client, setup->endpoint, setup->region);
  judge.Check<sts::CallerIdentity>(
      "GetCallerIdentity", sts.GetCallerIdentity({}),
      [](const sts::CallerIdentity& identity) { return identity.account.size() == 12; });
  s3::S3Client s3(client, setup->endpoint, setup->region);
  JudgeS3(judge, s3, setup->region);
  timestream::WriteClient write(client, setup->endpoint, setup->region);
  JudgeTimestream(judge, write);
  const Result<sns::TopicArn> topic =
      sns::TopicArn::Parse(setup->environment.Get("JUDGE_TOPIC_ARN").value_or(""));
  if (topic) {
    sns::SnsClient sns(client, setup->endpoint, setup->region);
    judge.Check("Publish", sns.Publish(*topic, "Batch load failed: ü", "a=1&b=2\n\"ü\"+%20", {}));
  } else {
    judge.Check("Publish", Discard(topic.error()));
  }
  return judge.failures() == 0 ? 0 : 1;
}

}  // namespace
}  // namespace tsm

int main() { return tsm::Run(); }
