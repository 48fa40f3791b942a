#include "sso_token.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "credentials_json.h"
#include "secret_file.h"
#include "tsm/aws/signer.h"
#include "tsm/core/text.h"
#include "tsm/core/time_text.h"

namespace tsm::aws {

namespace {

using nlohmann::ordered_json;

constexpr std::size_t kLargestFile = 1'000'000;
// Longer than any token lives; a number beyond it would overflow the clock.
constexpr std::int64_t kLongestLife = 10LL * 365 * 24 * 3600;

std::string TextOf(const ordered_json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// The token becomes a header, where a line end would make a second one.
bool IsHeaderText(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; });
}

}  // namespace

bool SsoToken::MayBeRenewed(Time now) const {
  return !refresh_token.empty() && !client_id.empty() && !client_secret.empty() &&
         registration_expires_at && *registration_expires_at > now;
}

std::vector<std::string_view> SsoToken::Secrets() const {
  return {access_token, refresh_token, client_secret};
}

std::string SsoTokenPath(const Sso& plan) {
  return plan.cache_directory + "/" +
         Sha1Hex(plan.session.empty() ? plan.start_url : plan.session) + ".json";
}

std::string SsoLoginAdvice(const Sso& plan) {
  return plan.session.empty() ? "run: aws sso login --profile " + plan.profile
                              : "run: aws sso login --sso-session " + plan.session;
}

std::string SsoName(const Sso& plan) {
  std::string name = "IAM Identity Center (profile " + plan.profile;
  if (!plan.session.empty()) name += ", session " + plan.session;
  return name + ")";
}

Result<SsoToken> LoadSsoToken(const Sso& plan) {
  const std::string path = SsoTokenPath(plan);
  const auto bad = [&](const std::string& why) {
    return MakeError(ErrorKind::kCredentials,
                     SsoName(plan) + ": " + why + "; " + SsoLoginAdvice(plan));
  };
  Result<std::string> text = ReadSecretFile(path, kLargestFile);
  if (!text) {
    const bool absent = text.error().kind == ErrorKind::kNotFound;
    return bad(absent ? "nobody is signed in, there is no token " + path
                      : "the token " + text.error().message);
  }
  const auto object = ordered_json::parse(*text, nullptr, false);
  if (!object.is_object()) return bad("the token " + path + " is no JSON object");
  SsoToken token{
      .access_token = TextOf(object, "accessToken"),
      .expires_at = {},
      .refresh_token = TextOf(object, "refreshToken"),
      .client_id = TextOf(object, "clientId"),
      .client_secret = TextOf(object, "clientSecret"),
      .registration_expires_at = ParseExpiration(TextOf(object, "registrationExpiresAt")),
      .document = std::move(*text)};
  if (token.access_token.empty()) return bad("the token " + path + " has no accessToken");
  if (!IsHeaderText(token.access_token)) {
    return bad("the token " + path + " has blanks in its accessToken");
  }
  const auto expires_at = ParseExpiration(TextOf(object, "expiresAt"));
  if (!expires_at) return bad("the token " + path + " has no expiresAt that is a time");
  token.expires_at = *expires_at;
  return token;
}

std::string SsoRenewalBody(const SsoToken& token) {
  const ordered_json body = {{"grantType", "refresh_token"},
                             {"clientId", token.client_id},
                             {"clientSecret", token.client_secret},
                             {"refreshToken", token.refresh_token}};
  // Bytes that are no UTF-8 in a damaged cache must not end the program: the service refuses them.
  return body.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

Result<SsoToken> RenewedSsoToken(const SsoToken& token, std::string_view answer,
                                 SsoToken::Time now) {
  const auto bad = [](const std::string& why) {
    return MakeError(ErrorKind::kBadReply, "the answer " + why).With("CreateToken");
  };
  const auto object = ordered_json::parse(answer, nullptr, false);
  if (!object.is_object()) return bad("is no JSON object");
  SsoToken renewed = token;
  renewed.access_token = TextOf(object, "accessToken");
  if (renewed.access_token.empty() || !IsHeaderText(renewed.access_token)) {
    return bad("has no accessToken");
  }
  const auto life = object.find("expiresIn");
  if (life == object.end() || !life->is_number_integer()) return bad("has no expiresIn");
  const auto seconds = life->get<std::int64_t>();
  if (seconds <= 0 || seconds > kLongestLife) {
    return bad("has an expiresIn that is no time of a token: " + std::to_string(seconds));
  }
  renewed.expires_at =
      std::chrono::floor<std::chrono::seconds>(now) + std::chrono::seconds(seconds);
  // Without a new one the old one goes on.
  if (std::string next = TextOf(object, "refreshToken"); !next.empty()) {
    renewed.refresh_token = std::move(next);
  }
  return renewed;
}

Status SaveSsoToken(const Sso& plan, const SsoToken& token) {
  auto object = ordered_json::parse(token.document, nullptr, false);
  if (!object.is_object()) object = ordered_json::object();
  object["accessToken"] = token.access_token;
  object["expiresAt"] = FormatIso8601(token.expires_at);
  object["refreshToken"] = token.refresh_token;
  return ReplaceSecretFile(SsoTokenPath(plan),
                           object.dump(-1, ' ', false, ordered_json::error_handler_t::replace));
}

}  // namespace tsm::aws
