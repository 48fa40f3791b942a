#include <string_view>
#include <utility>

#include "credentials_json.h"
#include "sso_token.h"
#include "sts_call.h"
#include "tsm/aws/client.h"
#include "tsm/aws/credentials/secret_text.h"
#include "tsm/aws/credentials/sources.h"

namespace tsm::aws {

namespace {

// AWS's own: a token with less to go is renewed.
constexpr std::chrono::minutes kRenewalWindow{15};
constexpr int kUnauthorized = 401;

Operation UnsignedOperation(const Endpoint& endpoint, const char* method, const char* path) {
  Operation operation;
  operation.sign = false;
  operation.protocol = Protocol::kJson;
  operation.request.method = method;
  operation.request.scheme = endpoint.scheme;
  operation.request.host = endpoint.host;
  operation.request.path = endpoint.base_path + path;
  return operation;
}

bool MayPass(ErrorKind kind) {
  return kind == ErrorKind::kTransient || kind == ErrorKind::kThrottled ||
         kind == ErrorKind::kCancelled || kind == ErrorKind::kConfiguration;
}

std::string Role(const Sso& plan) {
  return "role " + plan.role_name + " of account " + plan.account_id;
}

// Nothing but a login helps: `why` says what is wrong with the token.
Error LogInAgain(const Sso& plan, const std::string& why) {
  return MakeError(ErrorKind::kExpiredCredentials,
                   SsoName(plan) + ": " + why + "; " + SsoLoginAdvice(plan));
}

std::string PortalAdvice(const Error& error, const Sso& plan) {
  const std::string settings = "sso_account_id and sso_role_name of profile " + plan.profile;
  switch (error.kind) {
    case ErrorKind::kAccessDenied:
    case ErrorKind::kNotFound:
      return "the " + Role(plan) + " is not assigned to whoever is signed in: check " + settings;
    case ErrorKind::kValidation:
      return "check " + settings;
    default:
      return {};
  }
}

}  // namespace

SsoSource::SsoSource(Sso plan, std::unique_ptr<Client> client, Endpoint portal, Endpoint oidc,
                     const Clock& clock, const ClockSkew& skew)
    : plan_(std::move(plan)),
      client_(std::move(client)),
      portal_(std::move(portal)),
      oidc_(std::move(oidc)),
      clock_(clock),
      skew_(skew) {}

SsoSource::~SsoSource() = default;

Result<SsoToken> SsoSource::Renew(const SsoToken& token, std::stop_token stop) {
  Result<SsoToken> renewed = CreateToken(token, stop);
  if (renewed) {
    // A cache that can't be written (a read-only home) costs AWS's tools this renewal, not the run.
    unsaved_ = SaveSsoToken(plan_, *renewed) ? nullptr : std::make_unique<SsoToken>(*renewed);
    return renewed;
  }
  // A refresh token holds once: another program may have been quicker with it.
  Result<SsoToken> others = LoadSsoToken(plan_);
  const bool newer =
      others && others->access_token != token.access_token && others->Holds(skew_.Now(clock_));
  return newer ? others : renewed;
}

Result<SsoToken> SsoSource::CreateToken(const SsoToken& token, std::stop_token stop) {
  Operation operation = UnsignedOperation(oidc_, "POST", "/token");
  operation.name = "CreateToken";
  operation.request.headers = {{"content-type", "application/json"}};
  operation.request.body = SsoRenewalBody(token);
  Result<http::Response> response = client_->Call(operation, stop);
  if (!response) return WithoutSecrets(std::move(response).error(), token.Secrets());
  return RenewedSsoToken(token, response->body, skew_.Now(clock_));
}

Result<SsoToken> SsoSource::CurrentToken(std::stop_token stop) {
  Result<SsoToken> token = LoadSsoToken(plan_);
  if (!token) return token;
  if (unsaved_ && unsaved_->expires_at > token->expires_at) token = *unsaved_;
  const auto now = skew_.Now(clock_);
  if (token->Holds(now + kRenewalWindow)) return token;
  if (!token->MayBeRenewed(now)) {
    if (token->Holds(now)) return token;
    return LogInAgain(plan_, "the sign-in has expired");
  }
  Result<SsoToken> renewed = Renew(*token, stop);
  if (renewed) return renewed;
  if (renewed.error().kind == ErrorKind::kCancelled) return renewed;
  if (token->Holds(now)) return token;
  if (MayPass(renewed.error().kind)) return renewed.error().With(SsoName(plan_));
  return LogInAgain(plan_,
                    "the sign-in has expired and was not renewed: " + renewed.error().Text());
}

Result<Credentials> SsoSource::AskPortal(const SsoToken& token, std::stop_token stop) {
  Operation operation = UnsignedOperation(portal_, "GET", "/federation/credentials");
  operation.name = "GetRoleCredentials " + plan_.role_name;
  operation.request.query = {{"role_name", plan_.role_name}, {"account_id", plan_.account_id}};
  operation.request.headers = {{"x-amz-sso_bearer_token", token.access_token}};
  Result<http::Response> response = client_->Call(operation, stop);
  if (!response) return WithoutSecrets(std::move(response).error(), token.Secrets());
  Result<Credentials> credentials = ParseCredentialsJson(
      response->body, kSsoFields, "SSO " + Role(plan_) + " (profile " + plan_.profile + ")");
  if (credentials) credentials->account_id = plan_.account_id;
  return credentials;
}

Result<Credentials> SsoSource::Fetch(std::stop_token stop) {
  Result<SsoToken> token = CurrentToken(stop);
  if (!token) return std::move(token).error();
  Result<Credentials> credentials = AskPortal(*token, stop);
  if (credentials) return credentials;
  if (credentials.error().http_status == kUnauthorized) {
    // Signed out elsewhere, or revoked: the expiration in the file does not know.
    const std::string refusal = credentials.error().Text();
    const auto log_in = [&](const std::string& why) {
      return LogInAgain(plan_, "the sign-in is no longer accepted: " + why);
    };
    if (!token->MayBeRenewed(skew_.Now(clock_))) return log_in(refusal);
    Result<SsoToken> renewed = Renew(*token, stop);
    if (!renewed) {
      if (MayPass(renewed.error().kind)) return renewed.error().With(SsoName(plan_));
      return log_in(renewed.error().Text());
    }
    credentials = AskPortal(*renewed, stop);
    if (credentials) return credentials;
    if (credentials.error().http_status == kUnauthorized) return log_in(credentials.error().Text());
  }
  Error error = std::move(credentials).error();
  if (const std::string advice = PortalAdvice(error, plan_); !advice.empty()) {
    error = WithAdvice(std::move(error), advice);
  }
  return AsSourceError(std::move(error)).With(SsoName(plan_));
}

}  // namespace tsm::aws
