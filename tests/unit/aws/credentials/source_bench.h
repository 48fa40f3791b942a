// What the tests of the credential sources share: a client on a scripted transport and a fake
// clock, a folder for token files, AWS's answers, and a search for secrets in errors.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "aws/credentials/scratch_files.h"
#include "support/fake_clock.h"
#include "support/scripted_transport.h"
#include "tsm/aws/client.h"
#include "tsm/aws/clock_skew.h"
#include "tsm/aws/endpoints.h"
#include "tsm/core/text.h"

namespace tsm::test {

struct SourceBench {
  FakeClock clock;  // 2024-02-26T17:24:38Z
  aws::ClockSkew skew;
  SeededRandom random{1};
  ScriptedTransport transport;

  std::unique_ptr<aws::Client> MakeClient(
      std::shared_ptr<aws::CredentialsProvider> credentials = nullptr) {
    return std::make_unique<aws::Client>(aws::ClientParts{.transport = &transport,
                                                          .clock = &clock,
                                                          .random = &random,
                                                          .credentials = std::move(credentials),
                                                          .retry = {},
                                                          .user_agent = "test/1",
                                                          .skew = &skew});
  }
};

inline std::string DirectoryOf(const ScratchFiles& files) {
  return std::filesystem::path(files.Path("x")).parent_path().string();
}

// The fields of a form, decoded; a field given twice fails the test.
inline std::map<std::string, std::string> FormOf(std::string_view body) {
  std::map<std::string, std::string> fields;
  for (const std::string_view pair : Split(body, '&')) {
    const std::size_t equals = pair.find('=');
    const bool added =
        fields
            .emplace(PercentDecode(pair.substr(0, equals)),
                     equals == pair.npos ? "" : PercentDecode(pair.substr(equals + 1)))
            .second;
    EXPECT_TRUE(added) << pair;
  }
  return fields;
}

// As STS writes it, with the number in each of the keys.
inline std::string AssumedRoleAnswer(const std::string& action, const std::string& number,
                                     const std::string& expiration = "2024-02-26T18:24:38Z") {
  return "<" + action + "Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n  <" +
         action + "Result>\n    <AssumedRoleUser>\n" +
         "      <AssumedRoleId>AROA123:session</AssumedRoleId>\n" +
         "      <Arn>arn:aws:sts::123456789012:assumed-role/reader/session</Arn>\n" +
         "    </AssumedRoleUser>\n    <Credentials>\n      <AccessKeyId>ASIA" + number +
         "</AccessKeyId>\n      <SecretAccessKey>role/secret+" + number +
         "</SecretAccessKey>\n      <SessionToken>role-session-token-" + number +
         "==</SessionToken>\n      <Expiration>" + expiration +
         "</Expiration>\n    </Credentials>\n  </" + action +
         "Result>\n  <ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata>\n</" +
         action + "Response>\n";
}

inline std::string StsRefusal(const std::string& code, const std::string& message) {
  return "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender"
         "</Type><Code>" +
         code + "</Code><Message>" + message +
         "</Message></Error><RequestId>id-9</RequestId></ErrorResponse>";
}

inline aws::Endpoint HttpsEndpoint(const std::string& host) {
  return {.scheme = "https", .host = host, .base_path = "", .custom = false};
}

inline std::string HeaderOf(const http::Request& request, std::string_view name) {
  return std::string(http::FindHeader(request.headers, name));
}

// Nothing of `text` tells a secret: neither whole nor its first half.
inline void ExpectNone(const std::string& text, const std::vector<std::string>& secrets) {
  for (const std::string& secret : secrets) {
    ASSERT_GE(secret.size(), 12U) << "too short to be searched for";
    EXPECT_EQ(text.find(secret.substr(0, secret.size() / 2)), std::string::npos)
        << "'" << secret << "' is told by: " << text;
  }
}

inline std::chrono::system_clock::time_point AtSecond(std::int64_t unix_seconds) {
  return std::chrono::system_clock::time_point(std::chrono::seconds(unix_seconds));
}

}  // namespace tsm::test
