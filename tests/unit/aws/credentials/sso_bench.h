// What the tests of SSO share: the cache's token, the answers of portal and OIDC, the calls made.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "aws/credentials/scratch_files.h"
#include "aws/credentials/source_bench.h"
#include "tsm/aws/credentials/sources.h"

namespace tsm::aws {

using nlohmann::json;

// SHA-1 of "corp" and of the start URL, as sha1sum gives them.
inline const std::string kSessionFile = "ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
inline const std::string kLegacyFile = "e8be5486177c5b5392bd9aa76563515b29358e6e.json";
inline const std::string kStartUrl = "https://example.awsapps.com/start";

inline const std::string kAccess = "aoaAccessTokenOfTheFile:MGUCMQ";
inline const std::string kRefresh = "aorRefreshTokenOfTheFile:MGQCMB";
inline const std::string kClientSecret = "eyJraWQiOiJrZXktMTU2NDAyODA5OSJ9.client";
inline const std::string kNewAccess = "aoaAccessTokenThatIsNew:MGUCMA";
inline const std::string kNewRefresh = "aorRefreshTokenThatIsNew:MGQCMC";
inline const std::string kSecretKey = "portalSecretAccessKey/1";
inline const std::string kSessionToken = "portalSessionToken==";

// The clock stands at 17:24:38.
inline constexpr const char* kFresh = "2024-02-26T18:24:38Z";   // an hour to go
inline constexpr const char* kEnding = "2024-02-26T17:34:38Z";  // ten minutes to go
inline constexpr const char* kOver = "2024-02-26T17:24:38Z";    // this moment
inline constexpr const char* kMonthsAhead = "2024-05-20T00:00:00Z";

class SsoBench : public ::testing::Test {
 protected:
  Sso Plan() const {
    return {.profile = "dev",
            .session = "corp",
            .start_url = kStartUrl,
            .region = "eu-central-1",
            .account_id = "012345678901",
            .role_name = "Data Reader+",
            .cache_directory = test::DirectoryOf(folder_)};
  }

  SsoSource Make(Sso plan) {
    return SsoSource(std::move(plan), bench_.MakeClient(),
                     test::HttpsEndpoint("portal.sso.eu-central-1.amazonaws.com"),
                     test::HttpsEndpoint("oidc.eu-central-1.amazonaws.com"), bench_.clock,
                     bench_.skew);
  }

  static json Token(const std::string& expires_at) {
    return {{"startUrl", kStartUrl},
            {"region", "eu-central-1"},
            {"accessToken", kAccess},
            {"expiresAt", expires_at},
            {"clientId", "client-1"},
            {"clientSecret", kClientSecret},
            {"registrationExpiresAt", kMonthsAhead},
            {"refreshToken", kRefresh}};
  }

  void WriteToken(const json& token) { folder_.Write(kSessionFile, token.dump()); }
  json ReadToken() const { return json::parse(folder_.Read(kSessionFile)); }

  void AnswerCredentials() {
    bench_.transport.Add(200, json{{"roleCredentials",
                                    {{"accessKeyId", "ASIASSO"},
                                     {"secretAccessKey", kSecretKey},
                                     {"sessionToken", kSessionToken},
                                     {"expiration", 1'708'971'878'000}}}}
                                  .dump());
  }
  void AnswerToken() {
    bench_.transport.Add(200, json{{"accessToken", kNewAccess},
                                   {"tokenType", "Bearer"},
                                   {"expiresIn", 28'800},
                                   {"refreshToken", kNewRefresh}}
                                  .dump());
  }
  void Refuse(int status, const std::string& code, const json& body = json::object()) {
    bench_.transport.Add(status, body.dump(), {{"x-amzn-ErrorType", code}});
  }

  Error Failure(Sso plan) {
    SsoSource source = Make(std::move(plan));
    const Result<Credentials> credentials = source.Fetch({});
    if (credentials) return MakeError(ErrorKind::kService, "it worked");
    test::ExpectNone(credentials.error().Text(), {kAccess, kRefresh, kClientSecret, kNewAccess,
                                                  kNewRefresh, kSecretKey, kSessionToken});
    return credentials.error();
  }

  std::ptrdiff_t FilesInCache() const {
    return std::distance(std::filesystem::directory_iterator(test::DirectoryOf(folder_)), {});
  }

  // "POST oidc…/token", "GET portal…/federation/credentials?… with <bearer token>".
  std::vector<std::string> Calls() const {
    std::vector<std::string> calls;
    for (const http::Request& request : bench_.transport.requests()) {
      const std::string bearer = test::HeaderOf(request, "x-amz-sso_bearer_token");
      calls.push_back(request.method + " " + request.host.substr(0, request.host.find('.')) +
                      (bearer.empty() ? "" : " " + bearer));
      EXPECT_EQ(test::HeaderOf(request, "authorization"), "") << calls.back();
      EXPECT_EQ(test::HeaderOf(request, "x-amz-date"), "") << calls.back();
    }
    return calls;
  }

  test::SourceBench bench_;
  test::ScratchFiles folder_;
};

}  // namespace tsm::aws
