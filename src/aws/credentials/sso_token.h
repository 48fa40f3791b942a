// The token that `aws sso login` leaves in AWS's own cache, shared with AWS's tools: where it is,
// what it holds, and how a renewed one is written back so that they go on with it.
// https://docs.aws.amazon.com/sdkref/latest/guide/understanding-sso.html
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tsm/aws/credentials/plan.h"
#include "tsm/core/result.h"

namespace tsm::aws {

struct SsoToken {
  using Time = std::chrono::system_clock::time_point;

  std::string access_token;
  Time expires_at;
  // What renews it; "" where the login gave none (the legacy form has no refresh token).
  std::string refresh_token;
  std::string client_id;
  std::string client_secret;
  std::optional<Time> registration_expires_at;
  std::string document;  // the file as it was read

  bool Holds(Time now) const { return expires_at > now; }
  bool MayBeRenewed(Time now) const;
  // For WithoutSecrets; they point into this token.
  std::vector<std::string_view> Secrets() const;
};

// ~/.aws/sso/cache/<SHA-1 of the session's name, or of the start URL in the legacy form>.json.
std::string SsoTokenPath(const Sso& plan);
// "run: aws sso login --sso-session corp".
std::string SsoLoginAdvice(const Sso& plan);
// "IAM Identity Center (profile dev, session corp)", for messages.
std::string SsoName(const Sso& plan);

// kCredentials where the file is absent, not readable or not as AWS's tools write it: the text
// names it and says to log in.
Result<SsoToken> LoadSsoToken(const Sso& plan);

// OIDC's CreateToken for `token`, and its answer's token; the rest stays as it was.
// https://docs.aws.amazon.com/singlesignon/latest/OIDCAPIReference/API_CreateToken.html
std::string SsoRenewalBody(const SsoToken& token);
Result<SsoToken> RenewedSsoToken(const SsoToken& token, std::string_view answer,
                                 SsoToken::Time now);

// Writes access token, expiration and refresh token into the cache file; its other members stay.
Status SaveSsoToken(const Sso& plan, const SsoToken& token);

}  // namespace tsm::aws
