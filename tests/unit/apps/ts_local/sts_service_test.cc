// ts-local's STS: what it gives, what it refuses, and what a restart still knows of it.

#include "ts_local/sts_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "apps/ts_local/scratch_dir.h"
#include "ts_local/api_error.h"

namespace ts_local {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kAccount[] = "123456789012";
constexpr std::int64_t kStart = 1'774'051'200'000;  // 2026-03-21T00:00:00Z
const std::string kRole = "&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fa%2Fmover";

std::string Between(const std::string& xml, const std::string& name) {
  const std::size_t begin = xml.find("<" + name + ">");
  if (begin == std::string::npos) return "(no " + name + ")";
  const std::size_t from = begin + name.size() + 2;
  return xml.substr(from, xml.find("</" + name + ">") - from);
}

class StsServiceTest : public testing::Test {
 protected:
  std::string Call(const std::string& body, const Caller* caller) {
    return sts_.Handle(caller, QueryForm(body), "id");
  }
  // "<status> <code>: <message>", or "given".
  std::string Outcome(const std::string& body, const Caller* caller) {
    try {
      (void)Call(body, caller);
    } catch (const ApiError& error) {
      return std::to_string(error.status()) + " " + error.code() + ": " + error.what();
    }
    return "given";
  }

  std::int64_t now_ = kStart + 250;
  ScratchDir dir_;
  SessionStore sessions_{dir_.path(), std::nullopt, [this] { return now_; }};
  StsService sts_{kAccount, sessions_};
  Caller user_{"test", kAccount, "arn:aws:iam::123456789012:user/ts-local", "us-east-1", "sts"};
};

TEST_F(StsServiceTest, AssumeRoleGivesASessionOfTheRole) {
  const std::string xml = Call(
      "Action=AssumeRole" + kRole + "&RoleSessionName=night&DurationSeconds=900&ExternalId=x%3Ay",
      &user_);
  EXPECT_THAT(xml, HasSubstr("<AssumeRoleResult><Credentials><AccessKeyId>ASIA"));
  EXPECT_EQ(Between(xml, "Expiration"), "2026-03-21T00:15:00Z");
  const auto session = sessions_.Find(Between(xml, "AccessKeyId"));
  ASSERT_TRUE(session);
  EXPECT_EQ(session->access_key_id.size(), 20U);
  EXPECT_EQ(Between(xml, "SecretAccessKey"), session->secret);
  EXPECT_EQ(session->secret.size(), 40U);
  EXPECT_EQ(Between(xml, "SessionToken"), session->token);
  EXPECT_EQ(session->arn, "arn:aws:sts::123456789012:assumed-role/mover/night");
  EXPECT_EQ(session->end_ms, kStart + 900'000);

  Caller assumed = user_;
  assumed.arn = session->arn;
  assumed.user_id = session->user_id;
  assumed.temporary = true;
  const std::string who = Call("Action=GetCallerIdentity", &assumed);
  EXPECT_EQ(Between(who, "Arn"), session->arn);
  EXPECT_THAT(Between(who, "UserId"), StartsWith("AROA"));
  EXPECT_THAT(Between(who, "UserId"), HasSubstr(":night"));
}

TEST_F(StsServiceTest, WebIdentityNeedsNoCallerAndSessionTokenKeepsTheUser) {
  const std::string web = "Action=AssumeRoleWithWebIdentity" + kRole + "&RoleSessionName=pod";
  EXPECT_TRUE(StsService::IsUnsigned(QueryForm(web)));
  EXPECT_FALSE(StsService::IsUnsigned(QueryForm("Action=AssumeRole" + kRole)));
  const std::string xml = Call(web + "&WebIdentityToken=any-token", nullptr);
  EXPECT_EQ(Between(xml, "Expiration"), "2026-03-21T01:00:00Z");
  EXPECT_EQ(sessions_.Find(Between(xml, "AccessKeyId"))->arn,
            "arn:aws:sts::123456789012:assumed-role/mover/pod");

  const std::string user = Call("Action=GetSessionToken", &user_);
  EXPECT_EQ(Between(user, "Expiration"), "2026-03-21T12:00:00Z");
  EXPECT_EQ(sessions_.Find(Between(user, "AccessKeyId"))->arn, user_.arn);
}

TEST_F(StsServiceTest, RefusesWhatAwsRefuses) {
  Caller chained = user_;
  chained.temporary = true;
  const std::string assume = "Action=AssumeRole" + kRole + "&RoleSessionName=night";
  const std::string web = "Action=AssumeRoleWithWebIdentity" + kRole + "&RoleSessionName=pod";
  struct Case {
    std::string body;
    const Caller* caller;
    std::string outcome;
  };
  for (const Case& c : std::vector<Case>{
           {assume + "&DurationSeconds=899", &user_,
            "400 ValidationError: 1 validation error "
            "detected: Value '899' at 'durationSeconds' failed"},
           {assume + "&DurationSeconds=43201", &user_, "400 ValidationError: "},
           {assume + "&DurationSeconds=43200", &user_, "given"},
           {assume + "&DurationSeconds=1h", &user_, "400 MalformedInput: "},
           {assume + "&DurationSeconds=3601", &chained,
            "400 ValidationError: The requested "
            "DurationSeconds exceeds the 1 hour session limit"},
           {assume + "&DurationSeconds=3600", &chained, "given"},
           {"Action=AssumeRole&RoleSessionName=night", &user_,
            "400 ValidationError: 1 validation "
            "error detected: Value null at 'roleArn'"},
           {"Action=AssumeRole" + kRole, &user_,
            "400 ValidationError: 1 validation error "
            "detected: Value null at 'roleSessionName'"},
           {"Action=AssumeRole" + kRole + "&RoleSessionName=a%20b", &user_,
            "400 ValidationError: 1 validation error detected: Value 'a b' at 'roleSessionName'"},
           {"Action=AssumeRole&RoleSessionName=night&RoleArn=arn:aws:iam::123456789012:user/x",
            &user_, "400 ValidationError: arn:aws:iam::123456789012:user/x is invalid"},
           {"Action=AssumeRole&RoleSessionName=night&RoleArn=arn:aws:iam::999999999999:role/x",
            &user_,
            "403 AccessDenied: User: arn:aws:iam::123456789012:user/ts-local is not "
            "authorized to perform: sts:AssumeRole on resource: arn:aws:iam::999999999999:role/x"},
           {assume + "&Policy=%7B%7D", &user_, "400 ValidationError: ts-local knows no session"},
           {assume + "&SerialNumber=arn", &user_, "403 AccessDenied: MultiFactor"},
           {assume + "&SerialNumber=arn&TokenCode=12345", &user_, "400 ValidationError: "},
           {assume + "&SerialNumber=arn&TokenCode=123456", &user_, "given"},
           {web, nullptr,
            "400 ValidationError: 1 validation error detected: Value null at "
            "'webIdentityToken'"},
           {web + "&WebIdentityToken=", nullptr, "400 ValidationError: "},
           {"Action=GetSessionToken", &chained, "403 AccessDenied: Cannot call GetSessionToken"},
           {"Action=GetFederationToken", &user_, "400 InvalidAction: "}}) {
    EXPECT_THAT(Outcome(c.body, c.caller), StartsWith(c.outcome)) << c.body;
  }
  EXPECT_THAT(Outcome(web + "&WebIdentityToken=abc", nullptr), Not(HasSubstr("abc")));
}

TEST_F(StsServiceTest, ARestartKnowsItsSessionsForADayAfterTheyEnd) {
  const Session kept = sessions_.Issue("arn:a", "id-a", 3600);
  const std::string file = dir_.path() + "/sessions.jsonl";
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  std::ofstream(file, std::ios::app) << R"({"access_key_id":"ASIACUT")";  // killed in mid-write

  {
    SessionStore again(dir_.path(), 5, [this] { return now_; });
    const auto found = again.Find(kept.access_key_id);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->secret, kept.secret);
    EXPECT_EQ(found->token, kept.token);
    EXPECT_EQ(found->arn, "arn:a");
    EXPECT_EQ(found->end_ms, kept.end_ms) << "--session_seconds is for those given from now on";
    const Session brief = again.Issue("arn:b", "id-b", 3600);
    EXPECT_EQ(brief.end_ms, now_ + 5000);
    EXPECT_EQ(brief.told_end_ms, kStart + 3'600'000);
    SessionStore third(dir_.path(), std::nullopt, [this] { return now_; });
    EXPECT_TRUE(third.Find(brief.access_key_id)) << "the cut line took it along";
  }
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  now_ = kept.end_ms + 24 * 3'600'000 + 1;
  SessionStore later(dir_.path(), std::nullopt, [this] { return now_; });
  EXPECT_FALSE(later.Find(kept.access_key_id));
}

TEST_F(StsServiceTest, AFileThatIsNotTheStoresIsRefusedWithoutItsContent) {
  std::ofstream(dir_.path() + "/sessions.jsonl") << "{\"secret\":\"abc\"}\n";
  try {
    const SessionStore store(dir_.path(), std::nullopt, [this] { return now_; });
    ADD_FAILURE() << "it started";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("sessions.jsonl"));
    EXPECT_THAT(error.what(), Not(HasSubstr("abc")));
  }
}

}  // namespace
}  // namespace ts_local
