#include <algorithm>
#include <string_view>
#include <utility>

#include "secret_file.h"
#include "sts_call.h"
#include "tsm/aws/client.h"
#include "tsm/aws/credentials/secret_text.h"
#include "tsm/aws/credentials/sources.h"
#include "tsm/core/text.h"

namespace tsm::aws {

namespace {

constexpr std::string_view kAction = "AssumeRoleWithWebIdentity";
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
constexpr std::size_t kLongestToken = 20'000;

bool BreaksToken(char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; }

// The file's own end of line is none of the token.
Result<std::string> ReadToken(const WebIdentity& plan) {
  const auto bad = [&](const std::string& why) {
    return MakeError(ErrorKind::kCredentials, "web identity by " + plan.origin + ": " + why);
  };
  Result<std::string> text = ReadSecretFile(plan.token_file, kLongestToken);
  if (!text) return bad("the token file " + text.error().message);
  std::string token(TrimAscii(*text));
  if (token.empty()) return bad("the token file " + plan.token_file + " is empty");
  if (std::any_of(token.begin(), token.end(), BreaksToken)) {
    return bad("the token file " + plan.token_file +
               " holds blanks or line ends inside the token: it must hold the token alone");
  }
  return token;
}

std::string Advice(const Error& error, const WebIdentity& plan) {
  const std::string file = plan.token_file + " (" + plan.origin + ")";
  if (error.code == "InvalidIdentityToken") {
    return "the token in " + file +
           " is not accepted: its issuer must be an identity provider of the role's account and "
           "its audience one that the provider lists";
  }
  if (error.code == "IDPRejectedClaim") {
    return "the identity provider rejects the token in " + file + ": it may have been revoked";
  }
  if (error.code == "IDPCommunicationError") {
    return "STS could not ask the identity provider about the token in " + file;
  }
  if (error.code == "RegionDisabledException") {
    return "STS is not active in this region for the role's account: activate it there, or name "
           "another region";
  }
  switch (error.kind) {
    case ErrorKind::kExpiredCredentials:
      return "the token in " + file +
             " has expired: whatever writes the file (on EKS the kubelet) must renew it";
    case ErrorKind::kAccessDenied:
      return "the trust policy of " + plan.role_arn +
             " must allow sts:AssumeRoleWithWebIdentity to the issuer, audience and subject of the "
             "token in " +
             file;
    case ErrorKind::kValidation:
      return "check the role ARN and session name that go with " + plan.origin +
             ", and that the token file " + plan.token_file + " holds a token";
    default:
      return {};
  }
}

}  // namespace

WebIdentitySource::WebIdentitySource(WebIdentity plan, std::string session_name,
                                     std::unique_ptr<Client> sts, Endpoint endpoint,
                                     std::string region)
    : plan_(std::move(plan)),
      session_name_(std::move(session_name)),
      sts_(std::move(sts)),
      endpoint_(std::move(endpoint)),
      region_(std::move(region)) {}

WebIdentitySource::~WebIdentitySource() = default;

Result<Credentials> WebIdentitySource::Fetch(std::stop_token stop) {
  const Result<std::string> token = ReadToken(plan_);
  if (!token) return token.error();
  Operation operation = MakeStsOperation(kAction, plan_.role_arn,
                                         {{"RoleArn", plan_.role_arn},
                                          {"RoleSessionName", session_name_},
                                          {"WebIdentityToken", *token}},
                                         endpoint_, region_);
  operation.sign = false;
  Result<http::Response> response = sts_->Call(operation, stop);
  if (!response) {
    Error error = WithoutSecrets(std::move(response).error(), {*token});
    if (const std::string advice = Advice(error, plan_); !advice.empty()) {
      error = WithAdvice(std::move(error), advice);
    }
    if (error.code == "InvalidIdentityToken") error.kind = ErrorKind::kCredentials;
    return AsSourceError(std::move(error));
  }
  return ParseAssumedRole(kAction, response->body,
                          "web identity role " + plan_.role_arn + " (" + plan_.origin + ")");
}

}  // namespace tsm::aws
