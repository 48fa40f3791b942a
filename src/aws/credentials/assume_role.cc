#include <algorithm>
#include <string_view>
#include <utility>

#include "sts_call.h"
#include "tsm/aws/client.h"
#include "tsm/aws/credentials/secret_text.h"
#include "tsm/aws/credentials/sources.h"
#include "tsm/core/text.h"

namespace tsm::aws {

namespace {

constexpr std::string_view kAction = "AssumeRole";

// The context of an error of the base is longer: it begins with the base itself (chain.cc).
bool IsAnswerOfSts(const Error& error) { return error.context.size() <= 1; }

bool IsMfaCode(std::string_view code) {
  return code.size() == 6 &&
         std::all_of(code.begin(), code.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string DenialAdvice(const AssumeRole& plan, const std::string& principal) {
  std::string advice = principal + " asked for the role of profile " + plan.profile +
                       ": the role's trust policy must allow that principal (and the external id, "
                       "where it asks for one), and the principal's own policies must allow "
                       "sts:AssumeRole on " +
                       plan.role_arn;
  if (!plan.mfa_serial.empty()) advice += "; the MFA code must be the device's newest and unused";
  return advice;
}

std::string Advice(const Error& error, const AssumeRole& plan) {
  const std::string principal = plan.base ? Describe(*plan.base) : "the base credentials";
  if (error.code == "RegionDisabledException") {
    return "STS is not active in this region for the role's account: activate it there, or name "
           "another region";
  }
  switch (error.kind) {
    case ErrorKind::kAccessDenied:
      return DenialAdvice(plan, principal);
    case ErrorKind::kExpiredCredentials:
      return "those of " + principal + " that assume the role have run out: get new ones";
    case ErrorKind::kCredentials:
      return "the credentials of " + principal + ", which assume the role, are not accepted";
    case ErrorKind::kValidation:
      return "check role_arn, role_session_name, external_id, duration_seconds and mfa_serial of "
             "profile " +
             plan.profile + " (a role assumed by a role's session lasts at most one hour)";
    default:
      return {};
  }
}

}  // namespace

AssumeRoleSource::AssumeRoleSource(AssumeRole plan, std::string session_name,
                                   std::unique_ptr<Client> sts, Endpoint endpoint,
                                   std::string region, AskMfa ask_mfa)
    : plan_(std::move(plan)),
      session_name_(std::move(session_name)),
      sts_(std::move(sts)),
      endpoint_(std::move(endpoint)),
      region_(std::move(region)),
      ask_mfa_(std::move(ask_mfa)) {}

AssumeRoleSource::~AssumeRoleSource() = default;

Result<std::string> AssumeRoleSource::AskForCode(std::stop_token stop) {
  const std::string who = "role " + plan_.role_arn + " of profile " + plan_.profile;
  const std::string needs = who + " needs a code of the MFA device " + plan_.mfa_serial;
  if (given_once_) {
    return MakeError(ErrorKind::kExpiredCredentials,
                     "the session of " + who +
                         " ends and a new one needs a code of the MFA device " + plan_.mfa_serial +
                         ", for which a run does not wait: run the same command again");
  }
  if (asked_) {
    return MakeError(ErrorKind::kCredentials,
                     needs +
                         ", and the one that was given led to no session: run the same command "
                         "again with a new code");
  }
  if (!ask_mfa_) {
    return MakeError(ErrorKind::kCredentials, needs + ", and nobody can be asked for it here");
  }
  asked_ = true;
  Result<std::string> answer = ask_mfa_(plan_.mfa_serial, std::move(stop));
  if (!answer) return std::move(answer).error().With(needs);
  std::string code(TrimAscii(*answer));
  if (!IsMfaCode(code)) {
    return MakeError(ErrorKind::kCredentials, needs + ": six digits, which the answer was not");
  }
  return code;
}

Result<Credentials> AssumeRoleSource::Fetch(std::stop_token stop) {
  FormFields fields = {{"RoleArn", plan_.role_arn},
                       {"RoleSessionName", session_name_},
                       {"DurationSeconds", std::to_string(plan_.duration.count())}};
  if (!plan_.external_id.empty()) fields.emplace_back("ExternalId", plan_.external_id);
  if (!plan_.mfa_serial.empty()) {
    Result<std::string> code = AskForCode(stop);
    if (!code) return std::move(code).error();
    fields.emplace_back("SerialNumber", plan_.mfa_serial);
    fields.emplace_back("TokenCode", *code);
  }
  const Operation operation = MakeStsOperation(kAction, plan_.role_arn, fields, endpoint_, region_);
  Result<http::Response> response = sts_->Call(operation, stop);
  if (!response) {
    Error error = std::move(response).error();
    if (!IsAnswerOfSts(error)) return error;
    if (const std::string advice = Advice(error, plan_); !advice.empty()) {
      error = WithAdvice(std::move(error), advice);
    }
    return AsSourceError(WithoutSecrets(std::move(error), {}));
  }
  Result<Credentials> credentials = ParseAssumedRole(
      kAction, response->body, "role " + plan_.role_arn + " (profile " + plan_.profile + ")");
  if (credentials) given_once_ = true;
  return credentials;
}

}  // namespace tsm::aws
