// The JSON documents that hold credentials, as AWS's services, caches and credential processes
// write them, and their times. Pure functions; no text of theirs quotes a value of the document,
// except code and message of a refusal.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "tsm/aws/credentials.h"
#include "tsm/core/result.h"

namespace tsm::aws {

// What a source calls the members. The defaults are those of the instance and the container:
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html
struct CredentialFields {
  std::string_view object;  // the member that holds them all, "" where they stand at the top
  std::string_view access_key_id = "AccessKeyId";
  std::string_view secret_access_key = "SecretAccessKey";
  std::string_view session_token = "Token";
  std::string_view expiration = "Expiration";
  std::string_view account_id = "AccountId";
  bool token_required = true;
  bool expiration_required = true;
};

inline constexpr CredentialFields kProcessFields{.object = {},
                                                 .session_token = "SessionToken",
                                                 .token_required = false,
                                                 .expiration_required = false};
// https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_RoleCredentials.html
inline constexpr CredentialFields kSsoFields{.object = "roleCredentials",
                                             .access_key_id = "accessKeyId",
                                             .secret_access_key = "secretAccessKey",
                                             .session_token = "sessionToken",
                                             .expiration = "expiration",
                                             .account_id = "accountId"};
// The cache of `aws login`.
inline constexpr CredentialFields kLoginFields{.object = "accessToken",
                                               .access_key_id = "accessKeyId",
                                               .secret_access_key = "secretAccessKey",
                                               .session_token = "sessionToken",
                                               .expiration = "expiresAt",
                                               .account_id = "accountId"};

// The credentials of `body`, with `source` as their source and before each error. A member that is
// null counts as missing. An expiration is a text (ParseExpiration) or a number of milliseconds
// since the epoch. kCredentials: no JSON, a member that is missing, empty, of another type or with
// blanks in it (it is named, never quoted), or no time.
Result<Credentials> ParseCredentialsJson(std::string_view body, const CredentialFields& names,
                                         const std::string& source);

// ISO 8601 as AWS's tools write it: "2024-02-26T17:24:38Z", with a fraction, with an offset
// ("+01:00", "+0100"), with "UTC" for Z, or without any, which is UTC. Times after 2261 are held at
// its end, what the clock's 64 bits of nanoseconds can count to. Nothing for any other text.
std::optional<std::chrono::system_clock::time_point> ParseExpiration(std::string_view text);

// What a refusal says, each part made one line and cut.
struct Refusal {
  std::string code;
  std::string message;
  std::string Text() const;  // "code: message", "" where there is neither
};

// The members of either spelling ("code", "Code"); a body that is neither JSON nor markup is the
// message itself. Both are empty where the body has neither.
Refusal ReadRefusal(std::string_view body);

}  // namespace tsm::aws
