#include "tsm/unload/bucket_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace tsm::unload {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr const char* kRole = "arn:aws:iam::123456789123:role/BatchLoadRole";

const json kGet = {{"Sid", "PermissionS3CopyGetObj"},
                   {"Effect", "Allow"},
                   {"Principal", {{"AWS", kRole}}},
                   {"Action", "s3:GetObject"},
                   {"Resource", "arn:aws:s3:::bucket/*"}};
const json kList = {{"Sid", "PermissionS3CopyListBucket"},
                    {"Effect", "Allow"},
                    {"Principal", {{"AWS", kRole}}},
                    {"Action", "s3:ListBucket"},
                    {"Resource", "arn:aws:s3:::bucket"}};
const json kForeign = {{"Sid", "Mine"},
                       {"Effect", "Deny"},
                       {"Principal", "*"},
                       {"NotAction", {"s3:GetObject", "s3:ListBucket"}},
                       {"Resource", {"arn:aws:s3:::bucket/ä\"\\*", "arn:aws:s3:::bucket"}},
                       {"Condition", {{"Bool", {{"aws:SecureTransport", "false"}}}}}};

Result<std::optional<std::string>> Add(const std::string& existing,
                                       const std::string& partition = "aws") {
  return AddReadStatements(existing, *s3::BucketName::Parse("bucket"), kRole, partition);
}

json Added(const json& existing) {
  const auto policy = Add(existing.is_null() ? "" : existing.dump());
  if (!policy || !policy->has_value()) {
    ADD_FAILURE() << "no policy was made";
    return json();
  }
  return json::parse(**policy);
}

json Policy(const json& statements) {
  return {{"Version", "2012-10-17"}, {"Statement", statements}};
}

TEST(BucketPolicyTest, MakesAPolicyWhereThereIsNone) {
  EXPECT_EQ(Added(json()), Policy({kGet, kList}));
}

TEST(BucketPolicyTest, KeepsEverythingThatIsThere) {
  json existing = Policy({kForeign});
  existing["Id"] = "team-policy";
  existing["Version"] = "2008-10-17";
  json wanted = existing;
  wanted["Statement"] = {kForeign, kGet, kList};
  EXPECT_EQ(Added(existing), wanted);
}

TEST(BucketPolicyTest, KeepsAStatementThatStandsWithoutAList) {
  EXPECT_EQ(Added({{"Statement", kForeign}}), (json{{"Statement", {kForeign, kGet, kList}}}));
}

TEST(BucketPolicyTest, PutsNothingWhereBothAreThere) {
  for (const json& statements : {json{kGet, kForeign, kList}, json{kList, kGet}}) {
    const auto policy = Add(Policy(statements).dump());
    ASSERT_TRUE(policy);
    EXPECT_FALSE(policy->has_value());
  }
}

TEST(BucketPolicyTest, KnowsItsStatementsAsS3RewritesThem) {
  json get = kGet;
  get["Action"] = json::array({"s3:GetObject"});
  get["Principal"]["AWS"] = json::array({kRole});
  get["Sid"] = "AnyOther";
  json list = kList;
  list.erase("Sid");
  const auto policy = Add(Policy({get, list}).dump());
  ASSERT_TRUE(policy);
  EXPECT_FALSE(policy->has_value());
}

TEST(BucketPolicyTest, AddsOnlyTheMissingOne) {
  EXPECT_EQ(Added(Policy({kList})), Policy({kList, kGet}));
}

TEST(BucketPolicyTest, AnotherRolesStatementDoesNotCount) {
  json other = kGet;
  other["Principal"]["AWS"] = "arn:aws:iam::123456789123:role/Another";
  json denied = kList;
  denied["Effect"] = "Deny";
  json get = kGet;
  get["Sid"] = "PermissionS3CopyGetObj2";
  json list = kList;
  list["Sid"] = "PermissionS3CopyListBucket2";
  EXPECT_EQ(Added(Policy({other, denied})), Policy({other, denied, get, list}));
}

TEST(BucketPolicyTest, AConditionMakesAnotherStatement) {
  json limited = kGet;
  limited["Condition"] = {{"Bool", {{"aws:SecureTransport", "true"}}}};
  const json policy = Added(Policy({limited, kList}));
  EXPECT_EQ(policy["Statement"].size(), 3U);
}

TEST(BucketPolicyTest, ArnsAreOfTheRegionsPartition) {
  EXPECT_EQ(PartitionOfRegion("eu-west-1"), "aws");
  EXPECT_EQ(PartitionOfRegion("cn-north-1"), "aws-cn");
  EXPECT_EQ(PartitionOfRegion("us-gov-west-1"), "aws-us-gov");
  EXPECT_THAT(**Add("", "aws-cn"), HasSubstr("\"arn:aws-cn:s3:::bucket/*\""));
}

TEST(BucketPolicyTest, NeverReplacesWhatItCannotRead) {
  for (const char* text : {"{", "[]", "null", "{\"Version\":\"2012-10-17\"}", "{\"Statement\":7}",
                           "{\"Statement\":[\"x\"]}", "not json"}) {
    const auto policy = Add(text);
    ASSERT_FALSE(policy) << text;
    EXPECT_EQ(policy.error().kind, ErrorKind::kBadReply) << text;
    EXPECT_THAT(policy.error().message, HasSubstr("bucket")) << text;
  }
}

}  // namespace
}  // namespace tsm::unload
