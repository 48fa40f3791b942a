#include "tsm/aws/credentials/chain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "aws/credentials/source_bench.h"
#include "tsm/aws/signer.h"

namespace tsm::aws {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

const std::string kInner = "arn:aws:iam::111111111111:role/inner";
const std::string kOuter = "arn:aws:iam::222222222222:role/outer";
const Credentials kKeys{.access_key_id = "AKIDCHAIN",
                        .secret_access_key = "chain/secret+access/key",
                        .session_token = "",
                        .source = "environment",
                        .expiration = {},
                        .account_id = {}};

CredentialsPlan PlanOf(decltype(CredentialsPlan::source) source) {
  CredentialsPlan plan;
  plan.source = std::move(source);
  return plan;
}

AssumeRole RoleOf(const std::string& arn, const std::string& profile, CredentialsPlan base) {
  return {.profile = profile,
          .role_arn = arn,
          .session_name = {},
          .external_id = {},
          .mfa_serial = {},
          .base = std::make_shared<const CredentialsPlan>(std::move(base))};
}

// Role "outer" of profile "out", assumed by role "inner" of profile "in", assumed by the keys.
CredentialsPlan TwoRoles() {
  return PlanOf(RoleOf(kOuter, "out", PlanOf(RoleOf(kInner, "in", PlanOf(StaticKeys{kKeys})))));
}

class ChainTest : public ::testing::Test {
 protected:
  CredentialsContext Context() {
    CredentialsContext context;
    context.transport = &bench_.transport;
    context.clock = &bench_.clock;
    context.skew = &bench_.skew;
    context.random = &bench_.random;
    context.region = "eu-west-1";
    context.user_agent = "ts-unload/1";
    context.tool = "ts-unload";
    return context;
  }

  std::shared_ptr<CredentialsProvider> Make(const CredentialsPlan& plan) {
    return MakeCredentialsProvider(plan, Context());
  }

  Error Failure(const CredentialsPlan& plan) {
    const Result<Credentials> credentials = Make(plan)->Get({});
    if (credentials) return MakeError(ErrorKind::kService, "it worked");
    test::ExpectNone(credentials.error().Text(),
                     {kKeys.secret_access_key, "role/secret+1", "role-session-token-1=="});
    return credentials.error();
  }

  void AnswerRole(const std::string& number, const std::string& until = "2024-02-26T18:24:38Z") {
    bench_.transport.Add(200, test::AssumedRoleAnswer("AssumeRole", number, until));
  }

  // "role/inner by AKIDCHAIN" of each call to STS.
  std::vector<std::string> Calls() const {
    std::vector<std::string> calls;
    for (const http::Request& request : bench_.transport.requests()) {
      const std::string role = test::FormOf(request.body)["RoleArn"];
      if (role.empty()) continue;
      const std::string signature = test::HeaderOf(request, "authorization");
      const std::size_t key = signature.find("Credential=") + 11;
      calls.push_back(role.substr(role.rfind(':') + 1) + " by " +
                      signature.substr(key, signature.find('/', key) - key));
    }
    return calls;
  }

  test::SourceBench bench_;  // 17:24:38
  test::ScratchFiles files_;
};

TEST_F(ChainTest, KeysAreGivenAsTheyAre) {
  const auto provider = Make(PlanOf(StaticKeys{kKeys}));
  const auto credentials = provider->Get({});
  ASSERT_TRUE(credentials);
  EXPECT_EQ(credentials->access_key_id, "AKIDCHAIN");
  EXPECT_EQ(credentials->source, "environment");
  EXPECT_FALSE(provider->Renew(*credentials)) << "there is nothing to renew them from";
}

TEST_F(ChainTest, KeysWhoseEndIsKnownAreRefusedFromThenOn) {
  Credentials ending = kKeys;
  ending.expiration = bench_.clock.Now() + std::chrono::minutes(10);
  const auto provider = MakeCredentialsProvider(PlanOf(StaticKeys{ending}), Context());
  EXPECT_TRUE(provider->Get({}));
  bench_.skew.Set(std::chrono::minutes(10));  // the service's clock decides
  const auto ended = provider->Get({});
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().kind, ErrorKind::kExpiredCredentials);
  EXPECT_THAT(ended.error().Text(), HasSubstr("AWS_CREDENTIAL_EXPIRATION"));
  EXPECT_THAT(bench_.transport.requests(), IsEmpty());
}

TEST_F(ChainTest, ARoleIsAssumedByARoleThatIsAssumedByKeys) {
  const auto provider = Make(TwoRoles());
  EXPECT_THAT(bench_.transport.requests(), IsEmpty()) << "nothing is asked before the first Get";
  AnswerRole("1");
  AnswerRole("2");
  const auto credentials = provider->Get({});
  ASSERT_TRUE(credentials) << credentials.error().Text();
  EXPECT_EQ(credentials->access_key_id, "ASIA2");
  EXPECT_EQ(credentials->source, "role " + kOuter + " (profile out)");
  EXPECT_THAT(Calls(), ElementsAre("role/inner by AKIDCHAIN", "role/outer by ASIA1"));

  const auto requests = bench_.transport.requests();
  EXPECT_EQ(test::HeaderOf(requests[0], "x-amz-security-token"), "");
  EXPECT_EQ(test::HeaderOf(requests[1], "x-amz-security-token"), "role-session-token-1==");
  EXPECT_EQ(requests[1].host, "sts.eu-west-1.amazonaws.com");
  EXPECT_EQ(test::HeaderOf(requests[1], "user-agent"), "ts-unload/1");
  EXPECT_EQ(test::FormOf(requests[1].body)["RoleSessionName"], "ts-unload-1708968278");

  ASSERT_TRUE(provider->Get({}));
  EXPECT_THAT(bench_.transport.requests(), SizeIs(2)) << "kept while they hold";
}

TEST_F(ChainTest, EachRoleIsRenewedInItsTime) {
  const auto provider = Make(TwoRoles());
  AnswerRole("1", "2024-02-26T23:24:38Z");
  AnswerRole("2", "2024-02-26T18:24:38Z");
  ASSERT_TRUE(provider->Get({}));
  bench_.clock.Advance(std::chrono::minutes(55));
  AnswerRole("3", "2024-02-26T19:19:38Z");
  EXPECT_EQ(provider->Get({})->access_key_id, "ASIA3");
  EXPECT_THAT(Calls(),
              ElementsAre("role/inner by AKIDCHAIN", "role/outer by ASIA1", "role/outer by ASIA1"));
  bench_.clock.Advance(std::chrono::hours(5));
  AnswerRole("4", "2024-02-27T05:00:00Z");
  AnswerRole("5", "2024-02-27T00:19:38Z");
  EXPECT_EQ(provider->Get({})->access_key_id, "ASIA5");
  EXPECT_EQ(Calls()[3], "role/inner by AKIDCHAIN");
  EXPECT_EQ(Calls()[4], "role/outer by ASIA4");
}

TEST_F(ChainTest, ABaseThatStsTakesForExpiredIsRenewedAtOnce) {
  const auto provider = Make(TwoRoles());
  AnswerRole("1");
  bench_.transport.Add(403, test::StsRefusal("ExpiredToken", "The security token has expired"));
  AnswerRole("3");
  AnswerRole("4");
  const auto credentials = provider->Get({});
  ASSERT_TRUE(credentials) << credentials.error().Text();
  EXPECT_EQ(credentials->access_key_id, "ASIA4");
  EXPECT_THAT(Calls(), ElementsAre("role/inner by AKIDCHAIN", "role/outer by ASIA1",
                                   "role/inner by AKIDCHAIN", "role/outer by ASIA3"));
}

TEST_F(ChainTest, ExpiredCredentialsOfTheProviderAreRenewedFromTheSource) {
  const auto provider = Make(PlanOf(RoleOf(kInner, "in", PlanOf(StaticKeys{kKeys}))));
  AnswerRole("1");
  const auto first = provider->Get({});
  ASSERT_TRUE(first);
  ASSERT_TRUE(provider->Renew(*first));
  AnswerRole("2");
  EXPECT_EQ(provider->Get({})->access_key_id, "ASIA2");
}

TEST_F(ChainTest, ADeniedLinkOfTheChainSaysWhichItWas) {
  bench_.transport.Add(403, test::StsRefusal("AccessDenied", "not authorized"));
  Error error = Failure(TwoRoles());
  EXPECT_EQ(error.kind, ErrorKind::kCredentials);
  EXPECT_EQ(error.Text(),
            "AssumeRole " + kOuter + ": credentials of role " + kInner +
                " by environment: AssumeRole " + kInner +
                ": AccessDenied: not authorized; environment asked for the role of profile in: the "
                "role's trust policy must allow that principal (and the external id, where it asks "
                "for one), and the principal's own policies must allow sts:AssumeRole on " +
                kInner + " (HTTP 403, request id id-9)");

  AnswerRole("1");
  bench_.transport.Add(403, test::StsRefusal("AccessDenied", "not authorized"));
  error = Failure(TwoRoles());
  EXPECT_EQ(error.kind, ErrorKind::kCredentials);
  EXPECT_THAT(error.Text(), StartsWith("AssumeRole " + kOuter +
                                       ": AccessDenied: not authorized; "
                                       "role " +
                                       kInner + " by environment asked"));
}

TEST_F(ChainTest, APassingFailureOfTheBaseStaysOne) {
  for (int i = 0; i < 3; ++i) bench_.transport.Add(503, "");
  const Error error = Failure(TwoRoles());
  EXPECT_EQ(error.kind, ErrorKind::kTransient);
  EXPECT_THAT(bench_.transport.requests(), SizeIs(3)) << "repeated by the inner client alone";
}

TEST_F(ChainTest, TheClocksSkewIsSharedByAllLinks) {
  const std::string refusal =
      test::StsRefusal("SignatureDoesNotMatch", "Signature expired: 20240226T172438Z");
  bench_.transport.Add(403, refusal, {{"date", "Mon, 26 Feb 2024 17:44:38 GMT"}});
  AnswerRole("1", "2024-02-26T18:44:38Z");
  AnswerRole("2", "2024-02-26T18:44:38Z");
  const auto credentials = Make(TwoRoles())->Get({});
  ASSERT_TRUE(credentials) << credentials.error().Text();
  EXPECT_EQ(bench_.skew.offset(), std::chrono::minutes(20));
  EXPECT_THAT(bench_.transport.requests(), SizeIs(3)) << "the outer role's client knows it already";
  EXPECT_EQ(test::HeaderOf(bench_.transport.requests()[2], "x-amz-date"), "20240226T174438Z");
}

TEST_F(ChainTest, TheOperatorIsAskedThroughTheContext) {
  AssumeRole role = RoleOf(kInner, "in", PlanOf(StaticKeys{kKeys}));
  role.mfa_serial = "arn:aws:iam::111111111111:mfa/jo";
  role.session_name = "jo@laptop";
  CredentialsContext context = Context();
  context.ask_mfa = [](const std::string& serial, std::stop_token) -> Result<std::string> {
    return std::string(serial.ends_with("mfa/jo") ? "654321" : "no");
  };
  AnswerRole("1");
  ASSERT_TRUE(MakeCredentialsProvider(PlanOf(role), context)->Get({}));
  const auto form = test::FormOf(bench_.transport.requests()[0].body);
  EXPECT_EQ(form.at("TokenCode"), "654321");
  EXPECT_EQ(form.at("RoleSessionName"), "jo@laptop");
}

TEST_F(ChainTest, AMadeUpSessionNameIsOneThatStsTakes) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"ts-unload", "ts-unload-1708968278"},
      {"my tool/ü", "my-tool----1708968278"},
      {"", "-1708968278"},
      {std::string(100, 'x'), std::string(53, 'x') + "-1708968278"},
  };
  for (const auto& [tool, expected] : cases) {
    CredentialsContext context = Context();
    context.tool = tool;
    AnswerRole("1");
    const CredentialsPlan plan = PlanOf(RoleOf(kInner, "in", PlanOf(StaticKeys{kKeys})));
    ASSERT_TRUE(MakeCredentialsProvider(plan, context)->Get({}));
    EXPECT_EQ(test::FormOf(bench_.transport.requests().back().body)["RoleSessionName"], expected);
  }
}

TEST_F(ChainTest, WebIdentityIsUnsignedAndGoesToTheConfiguredEndpoint) {
  CredentialsContext context = Context();
  context.endpoints = EndpointResolver(
      {.scheme = "http", .host = "localhost:5000", .base_path = "/x", .custom = true});
  bench_.transport.Add(200, test::AssumedRoleAnswer("AssumeRoleWithWebIdentity", "1"));
  const auto provider = MakeCredentialsProvider(
      PlanOf(WebIdentity{.role_arn = kInner,
                         .session_name = {},
                         .token_file = files_.Write("token", "web-identity-token"),
                         .origin = "profile dev"}),
      context);
  const auto credentials = provider->Get({});
  ASSERT_TRUE(credentials) << credentials.error().Text();
  EXPECT_EQ(credentials->access_key_id, "ASIA1");
  const http::Request sent = bench_.transport.requests()[0];
  EXPECT_EQ(sent.scheme + "://" + sent.host + sent.Target(), "http://localhost:5000/x/");
  EXPECT_EQ(test::HeaderOf(sent, "authorization"), "");
  EXPECT_EQ(test::FormOf(sent.body)["RoleSessionName"], "ts-unload-1708968278");
}

TEST_F(ChainTest, SsoIsAskedInItsOwnRegion) {
  files_.Write(Sha1Hex("corp") + ".json", nlohmann::json{{"accessToken", "sso-access-token"},
                                                         {"expiresAt", "2024-02-26T18:24:38Z"}}
                                              .dump());
  bench_.transport.Add(200, R"({"roleCredentials":{"accessKeyId":"ASIASSO","secretAccessKey":"s",)"
                            R"("sessionToken":"t","expiration":1708971878000}})");
  const auto credentials = Make(PlanOf(Sso{.profile = "dev",
                                           .session = "corp",
                                           .start_url = "https://example.awsapps.com/start",
                                           .region = "eu-central-1",
                                           .account_id = "111111111111",
                                           .role_name = "reader",
                                           .cache_directory = test::DirectoryOf(files_)}))
                               ->Get({});
  ASSERT_TRUE(credentials) << credentials.error().Text();
  EXPECT_EQ(credentials->access_key_id, "ASIASSO");
  EXPECT_EQ(bench_.transport.requests()[0].host, "portal.sso.eu-central-1.amazonaws.com");
}

TEST_F(ChainTest, LoginAndProcessGiveTheirKeys) {
  files_.Write(Sha256Hex("me") + ".json",
               R"({"accessToken":{"accessKeyId":"ASIALOGIN","secretAccessKey":"s",)"
               R"("sessionToken":"t","accountId":"1","expiresAt":"2024-02-26T17:39:38Z"}})");
  const auto login = Make(PlanOf(LoginSession{
      .profile = "dev", .session = "me", .cache_directory = test::DirectoryOf(files_)}));
  const auto by_login = login->Get({});
  ASSERT_TRUE(by_login) << by_login.error().Text();
  EXPECT_EQ(by_login->access_key_id, "ASIALOGIN");

  const std::string answer =
      files_.Write("answer", R"({"Version":1,"AccessKeyId":"AKIDPROCESS","SecretAccessKey":"s"})");
  const auto by_process =
      Make(PlanOf(Process{.profile = "dev", .command = "/bin/cat '" + answer + "'"}))->Get({});
  ASSERT_TRUE(by_process) << by_process.error().Text();
  EXPECT_EQ(by_process->access_key_id, "AKIDPROCESS");
}

TEST_F(ChainTest, AContainersKeysAssumeARole) {
  bench_.transport.Add(200, R"({"AccessKeyId":"ASIATASK","SecretAccessKey":"s","Token":"t",)"
                            R"("Expiration":"2024-02-26T18:24:38Z"})");
  AnswerRole("1");
  const auto provider = Make(PlanOf(
      RoleOf(kInner, "in",
             PlanOf(Container{
                 .url = "http://169.254.170.2/v2/credentials", .token = {}, .token_file = {}}))));
  const auto credentials = provider->Get({});
  ASSERT_TRUE(credentials) << credentials.error().Text();
  EXPECT_EQ(credentials->access_key_id, "ASIA1");
  EXPECT_EQ(bench_.transport.requests()[0].host, "169.254.170.2");
  EXPECT_THAT(Calls(), ElementsAre("role/inner by ASIATASK"));
}

TEST_F(ChainTest, TheLastResortSaysWhatEveryOtherPlaceSaid) {
  CredentialsPlan plan = PlanOf(Instance{});
  plan.looked_at = {"environment: AWS_ACCESS_KEY_ID is not set", "profile default: not found"};
  bench_.transport.SetHandler([](const http::Request&) -> Result<http::Response> {
    return MakeError(ErrorKind::kTransient, "no route to host");
  });
  Error error = Failure(plan);
  EXPECT_EQ(error.kind, ErrorKind::kCredentials);
  EXPECT_THAT(error.Text(),
              StartsWith("no credentials found (environment: AWS_ACCESS_KEY_ID is not set; profile "
                         "default: not found; the instance metadata service at "
                         "http://169.254.169.254 "));
  EXPECT_THAT(error.Text(), HasSubstr("no route to host"));

  plan.looked_at.clear();  // credential_source = Ec2InstanceMetadata: nothing else was looked at
  error = Failure(plan);
  EXPECT_THAT(error.Text(), Not(HasSubstr("no credentials found")));
  EXPECT_THAT(error.Text(), StartsWith("the instance metadata service"));
}

TEST_F(ChainTest, AnInstanceThatGaveCredentialsOutlivesItsOutage) {
  CredentialsPlan plan = PlanOf(Instance{});
  plan.looked_at = {"environment: AWS_ACCESS_KEY_ID is not set"};
  const auto provider = Make(plan);
  bench_.transport.Add(200, "imds-token");
  bench_.transport.Add(200, "instance-role");
  bench_.transport.Add(200, R"({"Code":"Success","AccessKeyId":"ASIAINSTANCE",)"
                            R"("SecretAccessKey":"s","Token":"t",)"
                            R"("Expiration":"2024-02-26T18:24:38Z"})");
  ASSERT_TRUE(provider->Get({}));
  bench_.clock.Advance(std::chrono::hours(2));
  const auto credentials = provider->Get({});
  ASSERT_TRUE(credentials) << credentials.error().Text();
  EXPECT_EQ(credentials->access_key_id, "ASIAINSTANCE");

  ASSERT_TRUE(provider->Renew(*credentials));  // a service refuses them after all
  const auto none = provider->Get({});
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().Text(), StartsWith("the instance metadata service"))
      << "credentials were found here: the other places no longer matter";
}

TEST_F(ChainTest, ASettingOfTheLastResortThatCantWorkIsNamedByItself) {
  CredentialsPlan plan = PlanOf(Instance{});
  std::get<Instance>(plan.source).endpoint = "ftp://169.254.169.254";
  plan.looked_at = {"environment: AWS_ACCESS_KEY_ID is not set"};
  const Error error = Failure(plan);
  EXPECT_EQ(error.kind, ErrorKind::kConfiguration);
  EXPECT_THAT(error.Text(), HasSubstr("AWS_EC2_METADATA_SERVICE_ENDPOINT"));
}

TEST_F(ChainTest, AStopIsNoMissingCredential) {
  CredentialsPlan plan = PlanOf(Instance{});
  plan.looked_at = {"environment: AWS_ACCESS_KEY_ID is not set"};
  std::stop_source stop;
  stop.request_stop();
  const auto credentials = Make(plan)->Get(stop.get_token());
  ASSERT_FALSE(credentials);
  EXPECT_EQ(credentials.error().kind, ErrorKind::kCancelled);
}

}  // namespace
}  // namespace tsm::aws
