// Looking before creating, by the requests that are made.
#include "tsm/batchload/target_resources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>

#include "support/client_bench.h"

namespace tsm::batchload {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Lines final : public ProgressSink {
 public:
  void OnNotice(const Notice& notice) override { lines.push_back(notice.text); }
  void OnProgress(const Progress& /*progress*/) override {}
  std::vector<std::string> lines;
};

// S3 and Timestream as far as resources go: what exists, and what is refused.
class Account {
 public:
  std::map<std::string, std::string> buckets;  // name -> region
  std::set<std::string> databases;
  std::map<std::string, std::string> tables;      // "db.t" -> its Schema member
  std::map<std::string, http::Response> answers;  // by call, before anything else
  std::vector<std::string> calls;

  http::Response Answer(const http::Request& request) {
    const std::lock_guard lock(mutex_);  // buckets are looked at side by side
    const std::string target = test::Header(request, "x-amz-target");
    if (target.empty()) return AnswerS3(request);
    const std::string operation = target.substr(target.find('.') + 1);
    const std::string database = Field(request.body, "DatabaseName");
    const std::string table = Field(request.body, "TableName");
    const std::string name = table.empty() ? database : database + "." + table;
    calls.push_back(operation + " " + name);
    if (const auto set = answers.find(calls.back()); set != answers.end()) return set->second;
    if (operation == "CreateDatabase") {
      databases.insert(database);
      return {200, {}, R"({"Database":{"DatabaseName":")" + database + "\"}}"};
    }
    if (operation == "CreateTable") {
      tables[name] = request.body;
      return {200, {}, "{}"};
    }
    if (operation == "DescribeDatabase") {
      if (!databases.contains(database)) return NotFound();
      return {200, {}, R"({"Database":{"DatabaseName":")" + database + "\"}}"};
    }
    const auto found = tables.find(name);
    if (found == tables.end()) return NotFound();
    return Describe(database, table, found->second);
  }

  static http::Response Describe(const std::string& database, const std::string& table,
                                 const std::string& schema) {
    return {200,
            {},
            R"({"Table":{"DatabaseName":")" + database + R"(","TableName":")" + table +
                R"(","TableStatus":"ACTIVE","Schema":)" + schema + "}}"};
  }
  static http::Response Json(const std::string& code, const std::string& message) {
    return {400, {}, R"({"__type":")" + code + R"(","message":")" + message + "\"}"};
  }

 private:
  std::mutex mutex_;

  static http::Response NotFound() { return Json("ResourceNotFoundException", "not there"); }

  static std::string Field(const std::string& body, const std::string& name) {
    const std::string key = "\"" + name + "\":\"";
    const auto start = body.find(key);
    if (start == std::string::npos) return "";
    return body.substr(start + key.size(), body.find('"', start + key.size()) - start - key.size());
  }

  http::Response AnswerS3(const http::Request& request) {
    const std::string path = request.Target().substr(0, request.Target().find('?'));
    std::string bucket = path.substr(1);
    while (!bucket.empty() && bucket.back() == '/') bucket.pop_back();
    calls.push_back(request.method + " " + bucket);
    if (const auto set = answers.find(calls.back()); set != answers.end()) return set->second;
    if (request.method == "PUT") {
      buckets[bucket] = "eu-west-1";
      return {200, {}, ""};
    }
    const auto found = buckets.find(bucket);
    if (found == buckets.end()) return {404, {}, ""};
    return {200, {{"x-amz-bucket-region", found->second}}, ""};
  }
};

struct TargetResourcesTest : ::testing::Test {
  TargetResourcesTest() {
    bench.transport.SetHandler([this](const http::Request& request) -> Result<http::Response> {
      return account.Answer(request);
    });
    wishes.region = "eu-west-1";
    DesiredTable table;
    table.table = {.database = "targetdb", .table = "t"};
    table.partition_key = model::MakePartitionKey("city", true);
    table.rejected_data = RejectedDataOf(Bucket("reports"), table.table);
    wishes.tables = {table};
    wishes.source_bucket = Bucket("unloaded");
    wishes.target = {Bucket("copies"), true};
    wishes.report = {Bucket("reports"), true};
    wishes.create_tables = true;
    account.buckets = {{"unloaded", "us-east-1"}};
  }

  static s3::BucketName Bucket(const std::string& name) { return *s3::BucketName::Parse(name); }

  void AllThere() {
    account.buckets["copies"] = account.buckets["reports"] = "eu-west-1";
    account.databases = {"targetdb"};
    account.tables = {{"targetdb.t", "{}"}};
  }

  ResourceServices Services() { return {write, s3, s3, sink}; }
  Result<FoundResources> Look() { return LookAtResources(wishes, Services(), {}); }
  std::string Why() {
    const Result<FoundResources> found = Look();
    return found ? "found" : found.error().Text();
  }

  test::ClientBench bench;
  timestream::WriteClient write{bench.client, test::CustomEndpoint("aws.test"), "eu-west-1"};
  s3::S3Client s3{bench.client, aws::EndpointResolver(test::CustomEndpoint("aws.test")),
                  "eu-west-1"};
  Account account;
  Lines sink;
  ResourceWishes wishes;
};

TEST_F(TargetResourcesTest, LooksAtEverythingBeforeItCreatesAnything) {
  const Result<FoundResources> found = Look();
  ASSERT_TRUE(found) << found.error().Text();
  EXPECT_EQ(found->source_region, "us-east-1") << "copies may cross regions";
  EXPECT_TRUE(found->target_missing);
  EXPECT_TRUE(found->report_missing);
  EXPECT_THAT(found->missing_databases, ElementsAre("targetdb"));
  ASSERT_EQ(found->tables.size(), 1U);
  EXPECT_FALSE(found->tables[0]);
  ASSERT_GE(account.calls.size(), 3U);
  std::sort(account.calls.begin(), account.calls.begin() + 3);
  EXPECT_THAT(account.calls, ElementsAre("HEAD copies", "HEAD reports", "HEAD unloaded",
                                         "DescribeTable targetdb.t", "DescribeDatabase targetdb"));
  account.calls.clear();
  const Status created = CreateResources(wishes, *found, Services(), {});
  ASSERT_TRUE(created) << created.error().Text();
  EXPECT_THAT(account.calls, ElementsAre("PUT copies", "PUT reports", "CreateDatabase targetdb",
                                         "CreateTable targetdb.t"));
  EXPECT_THAT(account.tables["targetdb.t"],
              HasSubstr(R"("MagneticStoreRetentionPeriodInDays":3655)"));
  EXPECT_THAT(account.tables["targetdb.t"], HasSubstr(R"("EnableMagneticStoreWrites":true)"));
  EXPECT_THAT(account.tables["targetdb.t"], HasSubstr(R"("rejected_data/targetdb/t")"));
  EXPECT_THAT(account.tables["targetdb.t"], HasSubstr(R"("EnforcementInRecord":"REQUIRED")"));
  EXPECT_THAT(
      sink.lines,
      ElementsAre("created the bucket copies in eu-west-1",
                  "created the bucket reports in eu-west-1", "created the database targetdb",
                  "created the table targetdb.t with the partition key \"city\" (REQUIRED), "
                  "rejected data goes to s3://reports/rejected_data/targetdb/t"));
}

TEST_F(TargetResourcesTest, NothingIsCreatedWhereAllIsThere) {
  AllThere();
  const Result<FoundResources> found = Look();
  ASSERT_TRUE(found) << found.error().Text();
  ASSERT_TRUE(found->tables[0]);
  EXPECT_EQ(found->tables[0]->table.str(), "targetdb.t");
  account.calls.clear();
  ASSERT_TRUE(CreateResources(wishes, *found, Services(), {}));
  EXPECT_THAT(account.calls, IsEmpty());
  EXPECT_THAT(sink.lines, IsEmpty());
}

TEST_F(TargetResourcesTest, EverythingThatIsMissingIsToldAtOnce) {
  account.buckets.clear();
  wishes.target.create = wishes.report.create = wishes.create_tables = false;
  EXPECT_EQ(
      Why(),
      "the source bucket unloaded does not exist: check --s3_source_bucket_location; the "
      "target bucket copies does not exist: --create_destination_bucket creates it; the error "
      "bucket reports does not exist: --create_error_logging_bucket creates it; the table "
      "targetdb.t, the database targetdb do not exist in eu-west-1: "
      "--create_timestream_resource creates what is missing");
  for (const std::string& call : account.calls) {
    EXPECT_THAT(call, Not(HasSubstr("PUT")));
    EXPECT_THAT(call, Not(HasSubstr("Create")));
  }
  account.databases = {"targetdb"};
  EXPECT_THAT(Why(), HasSubstr("; the table targetdb.t does not exist in eu-west-1"));
}

TEST_F(TargetResourcesTest, FilesInPlaceNeedTheirBucket) {
  wishes.source_bucket = {};
  EXPECT_THAT(Why(),
              HasSubstr("the target bucket copies does not exist: the files to load must lie "
                        "in it, or be copied there (--copy_s3_bucket)"));
}

TEST_F(TargetResourcesTest, BucketsOfOtherRegionsAreRefusedWhereTasksUseThem) {
  AllThere();
  account.buckets["copies"] = "us-west-2";
  account.buckets["reports"] = "us-west-2";
  const std::string why = Why();
  EXPECT_THAT(why,
              HasSubstr("the target bucket copies is in us-west-2, the tables are in eu-west-1: "
                        "batch load reads and reports only in the table's region"));
  EXPECT_THAT(why, HasSubstr("the error bucket reports is in us-west-2"));
  // --copy_only
  wishes.tables.clear();
  wishes.report = {};
  const Result<FoundResources> found = Look();
  ASSERT_TRUE(found) << found.error().Text();
  EXPECT_EQ(found->target_region, "us-west-2");
}

TEST_F(TargetResourcesTest, OneBucketForBothIsMadeOnce) {
  wishes.report.bucket = wishes.target.bucket;
  const Result<FoundResources> found = Look();
  ASSERT_TRUE(found) << found.error().Text();
  EXPECT_TRUE(found->target_missing);
  EXPECT_FALSE(found->report_missing);
}

TEST_F(TargetResourcesTest, ADatabaseIsAskedForAndMadeOnce) {
  wishes.tables.push_back(wishes.tables[0]);
  wishes.tables[1].table.table = "u";
  const Result<FoundResources> found = Look();
  ASSERT_TRUE(found) << found.error().Text();
  EXPECT_THAT(found->missing_databases, ElementsAre("targetdb"));
  EXPECT_EQ(std::count(account.calls.begin(), account.calls.end(), "DescribeDatabase targetdb"), 1);
  ASSERT_TRUE(CreateResources(wishes, *found, Services(), {}));
  EXPECT_EQ(account.tables.size(), 2U);
}

TEST_F(TargetResourcesTest, WhatAnotherRunMadeMeanwhileIsUsed) {
  const Result<FoundResources> found = Look();
  ASSERT_TRUE(found) << found.error().Text();
  const http::Response conflict = Account::Json("ConflictException", "already exists");
  account.answers = {
      {"PUT copies",
       {409, {}, "<Error><Code>BucketAlreadyOwnedByYou</Code><Message>m</Message></Error>"}},
      {"CreateDatabase targetdb", conflict},
      {"CreateTable targetdb.t", conflict},
      {"DescribeTable targetdb.t",
       Account::Describe("targetdb", "t",
                         R"({"CompositePartitionKey":[{"Type":"DIMENSION","Name":"city",
                             "EnforcementInRecord":"REQUIRED"}]})")}};
  const Status created = CreateResources(wishes, *found, Services(), {});
  EXPECT_TRUE(created) << created.error().Text();
  EXPECT_THAT(sink.lines, ElementsAre("created the bucket reports in eu-west-1"));
  account.answers["DescribeTable targetdb.t"] = Account::Describe("targetdb", "t", "{}");
  const Status other = CreateResources(wishes, *found, Services(), {});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().kind, ErrorKind::kInTheWay);
  EXPECT_EQ(
      other.error().Text(),
      "another run has just created the table targetdb.t with the partition key measure_name, "
      "not \"city\" (REQUIRED): load into another table");
}

TEST_F(TargetResourcesTest, SomebodyElsesBucketIsNoneOfOurs) {
  const Result<FoundResources> found = Look();
  ASSERT_TRUE(found) << found.error().Text();
  account.answers = {
      {"PUT copies",
       {409, {}, "<Error><Code>BucketAlreadyExists</Code><Message>taken</Message></Error>"}}};
  const Status created = CreateResources(wishes, *found, Services(), {});
  ASSERT_FALSE(created);
  EXPECT_EQ(created.error().kind, ErrorKind::kAlreadyExists);
  EXPECT_THAT(created.error().Text(), HasSubstr("creating the bucket copies"));
  EXPECT_EQ(account.calls.back(), "PUT copies");
}

TEST_F(TargetResourcesTest, AMissingPermissionIsNamed) {
  const http::Response denied = Account::Json("AccessDeniedException", "no");
  const struct {
    const char* call;
    http::Response answer;
    const char* message;
  } cases[] = {
      {"HEAD copies", {403, {}, ""}, "looking at the target bucket copies (needs s3:ListBucket)"},
      {"DescribeTable targetdb.t", denied,
       "looking at the table targetdb.t (needs timestream:DescribeTable)"},
      {"DescribeDatabase targetdb", denied,
       "looking at the database targetdb (needs timestream:DescribeDatabase)"},
      {"PUT copies",
       {403, {}, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>"},
       "creating the bucket copies (needs s3:CreateBucket)"},
      {"CreateDatabase targetdb", denied,
       "creating the database targetdb (needs timestream:CreateDatabase)"},
      {"CreateTable targetdb.t", denied,
       "creating the table targetdb.t (needs timestream:CreateTable, and s3:PutObject and "
       "s3:GetBucketAcl on the bucket of rejected data reports)"},
  };
  for (const auto& c : cases) {
    account.buckets = {{"unloaded", "us-east-1"}};
    account.databases.clear();
    account.tables.clear();
    account.answers = {{c.call, c.answer}};
    if (std::string(c.call) == "HEAD copies") {
      account.answers["GET copies"] = {
          403, {}, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>"};
    }
    Result<FoundResources> found = Look();
    const Error error =
        found ? CreateResources(wishes, *found, Services(), {}).error() : found.error();
    EXPECT_EQ(error.kind, ErrorKind::kAccessDenied) << c.call;
    EXPECT_THAT(error.Text(), HasSubstr(c.message)) << c.call;
  }
}

}  // namespace
}  // namespace tsm::batchload
