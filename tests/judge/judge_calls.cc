// Calls an implementation of AWS that is not ours and that checks signatures, by the library as a
// program would use it: flags aside, everything is configured as for the tools (environment, shared
// files), any source of credentials included. The endpoints must be configured ones.
//
//   judge_calls                  every S3, STS, SNS and Timestream call once, on odd keys;
//                                JUDGE_TOPIC_ARN names an SNS topic that exists
//   judge_calls objects BUCKET   the calls on objects in a bucket that exists
//   judge_calls head BUCKET      the same with a HEAD as the first call, which has no error body
//   judge_calls state BUCKET     what a run with its state in S3 and its cleaning up ask for; every
//                                multipart upload of the bucket is aborted
//   judge_calls timestream       the Timestream calls alone
//   judge_calls identity [--profile NAME]  "source=<where the credentials came from> account=…
//   arn=…"
//
// All but the last print "ok <call>" or "FAILED <call>: <error>", a line per call. Exits 1 where a
// call failed, 2 for wrong arguments, 3 where the configuration is no good.
#include <chrono>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "judge.h"
#include "tsm/aws/adaptive_limiter.h"
#include "tsm/aws/client.h"
#include "tsm/aws/clock_skew.h"
#include "tsm/aws/credentials/chain.h"
#include "tsm/aws/settings.h"
#include "tsm/http/curl_transport.h"
#include "tsm/s3/s3_client.h"
#include "tsm/sns/sns_client.h"
#include "tsm/sts/sts_client.h"
#include "tsm/timestream/query_client.h"
#include "tsm/timestream/write_client.h"

namespace tsm {
namespace {

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
    Status listed =
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

void JudgeTimestreamWrite(Judge& judge, timestream::WriteClient& write) {
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

// The client as the programs put it together.
class Session {
 public:
  explicit Session(aws::ClientSettings settings)
      : settings_(std::move(settings)), transport_(settings_.http), limiter_(clock_) {
    aws::CredentialsContext context;
    context.transport = &transport_;
    context.clock = &clock_;
    context.skew = &skew_;
    context.random = &random_;
    context.endpoints = settings_.endpoints;
    context.region = settings_.region;
    context.retry = settings_.retry;
    context.user_agent = kUserAgent;
    context.tool = "judge-calls";
    aws::ClientParts parts;
    parts.transport = &transport_;
    parts.clock = &clock_;
    parts.random = &random_;
    parts.credentials = aws::MakeCredentialsProvider(settings_.credentials, context);
    parts.retry = settings_.retry;
    parts.user_agent = kUserAgent;
    parts.skew = &skew_;
    parts.limiter = settings_.adaptive ? &limiter_ : nullptr;
    client_ = std::make_unique<aws::Client>(std::move(parts));
  }

  aws::Client& client() { return *client_; }
  const aws::ClientSettings& settings() const { return settings_; }
  const std::string& region() const { return settings_.region; }
  aws::Endpoint Where(aws::Service service) const {
    return settings_.endpoints.Resolve(service, settings_.region);
  }
  // The judge as a regional host of AWS's: it answers DescribeEndpoints too.
  aws::Endpoint WhereToDiscover(aws::Service service) const {
    aws::Endpoint endpoint = Where(service);
    endpoint.custom = false;
    return endpoint;
  }

 private:
  static constexpr char kUserAgent[] = "judge-calls/1";
  aws::ClientSettings settings_;
  SystemClock clock_;
  SystemRandom random_;
  http::CurlTransport transport_;
  aws::ClockSkew skew_;
  aws::AdaptiveLimiter limiter_;
  std::unique_ptr<aws::Client> client_;
};

Result<aws::ClientSettings> ReadSettings(const std::string& profile) {
  aws::ClientFlags flags;
  flags.profile = profile;
  Result<aws::ClientSettings> settings = aws::ResolveSettings(flags, aws::Environment::OfProcess());
  if (!settings) return settings;
  for (const aws::Service service :
       {aws::Service::kS3, aws::Service::kSts, aws::Service::kSns, aws::Service::kTimestreamWrite,
        aws::Service::kTimestreamQuery}) {
    if (!settings->endpoints.Resolve(service, settings->region).custom) {
      return MakeError(ErrorKind::kConfiguration, "AWS_ENDPOINT_URL must name the judge");
    }
  }
  return settings;
}

int PrintIdentity(Session& session) {
  sts::StsClient sts(session.client(), session.Where(aws::Service::kSts), session.region());
  const Result<sts::CallerIdentity> identity = sts.GetCallerIdentity({});
  if (!identity) {
    std::fprintf(stderr, "judge_calls: %s\n", identity.error().Text().c_str());
    return 1;
  }
  std::printf("source=%s account=%s arn=%s\n",
              aws::Describe(session.settings().credentials).c_str(), identity->account.c_str(),
              identity->arn.c_str());
  return 0;
}

void JudgeExistingBucket(Judge& judge, Session& session, const std::string& name,
                         const std::string& mode) {
  s3::S3Client s3(session.client(), session.settings().endpoints, session.region(),
                  session.settings().s3);
  const Result<s3::BucketName> bucket = s3::BucketName::Parse(name);
  if (!bucket) return judge.Check("bucket", bucket);
  if (mode == "state") return JudgeState(judge, s3, *bucket);
  if (mode == "head") judge.Check("HeadBucket", s3.HeadBucket(*bucket, {}));
  JudgeObject(judge, s3, *bucket, *bucket, s3::ObjectKey("part=1/a b"));
}

void JudgeTimestream(Judge& judge, Session& session) {
  timestream::WriteClient write(
      session.client(), session.WhereToDiscover(aws::Service::kTimestreamWrite), session.region());
  JudgeTimestreamWrite(judge, write);
  timestream::QueryClient query(
      session.client(), session.WhereToDiscover(aws::Service::kTimestreamQuery), session.region());
  judge.Check("Query", query.Collect("SELECT 'ü' FROM \"judge-db\".\"judge.table\"", {}));
}

void JudgeAll(Judge& judge, Session& session) {
  aws::Client& client = session.client();
  sts::StsClient sts(client, session.Where(aws::Service::kSts), session.region());
  judge.Check<sts::CallerIdentity>(
      "GetCallerIdentity", sts.GetCallerIdentity({}),
      [](const sts::CallerIdentity& identity) { return identity.account.size() == 12; });
  s3::S3Client s3(client, session.settings().endpoints, session.region(), session.settings().s3);
  JudgeS3(judge, s3, session.region());
  JudgeTimestream(judge, session);
  const Result<sns::TopicArn> topic =
      sns::TopicArn::Parse(aws::Environment::OfProcess().Get("JUDGE_TOPIC_ARN").value_or(""));
  if (!topic) return judge.Check("Publish", topic);
  sns::SnsClient sns(client, session.settings().endpoints, session.region());
  judge.Check("Publish", sns.Publish(*topic, "Batch load failed: ü", "a=1&b=2\n\"ü\"+%20", {}));
}

int Run(const std::vector<std::string>& arguments) {
  const std::string mode = arguments.empty() ? "all" : arguments[0];
  const bool on_bucket = mode == "objects" || mode == "head" || mode == "state";
  const bool by_profile =
      mode == "identity" && arguments.size() == 3 && arguments[1] == "--profile";
  const bool known = on_bucket || mode == "timestream" || mode == "identity" || mode == "all";
  const std::size_t expected = on_bucket ? 2 : (arguments.empty() ? 0 : 1);
  if (!known || (arguments.size() != expected && !by_profile)) {
    std::fprintf(stderr,
                 "usage: judge_calls [objects BUCKET | head BUCKET | state BUCKET | timestream | "
                 "identity [--profile NAME]]\n");
    return 2;
  }
  Result<aws::ClientSettings> settings = ReadSettings(by_profile ? arguments[2] : "");
  if (!settings) {
    std::fprintf(stderr, "judge_calls: %s\n", settings.error().Text().c_str());
    return 3;
  }
  Session session(*std::move(settings));
  if (mode == "identity") return PrintIdentity(session);
  Judge judge;
  if (on_bucket) {
    JudgeExistingBucket(judge, session, arguments[1], mode);
  } else if (mode == "timestream") {
    JudgeTimestream(judge, session);
  } else {
    JudgeAll(judge, session);
  }
  return judge.failures() == 0 ? 0 : 1;
}

}  // namespace
}  // namespace tsm

int main(int argc, char** argv) {
  return tsm::Run(std::vector<std::string>(argv + 1, argv + argc));
}
