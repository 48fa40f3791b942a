#include "tsm/core/error.h"

#include <utility>

#include "tsm/core/text.h"
#include "tsm/core/time_text.h"

namespace tsm {

std::string_view Name(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalidInput:
      return "invalid_input";
    case ErrorKind::kInTheWay:
      return "in_the_way";
    case ErrorKind::kConfiguration:
      return "configuration";
    case ErrorKind::kCredentials:
      return "credentials";
    case ErrorKind::kExpiredCredentials:
      return "expired_credentials";
    case ErrorKind::kAccessDenied:
      return "access_denied";
    case ErrorKind::kLocalIo:
      return "local_io";
    case ErrorKind::kNotFound:
      return "not_found";
    case ErrorKind::kAlreadyExists:
      return "already_exists";
    case ErrorKind::kValidation:
      return "validation";
    case ErrorKind::kThrottled:
      return "throttled";
    case ErrorKind::kQuotaExceeded:
      return "quota_exceeded";
    case ErrorKind::kTransient:
      return "transient";
    case ErrorKind::kWrongRegion:
      return "wrong_region";
    case ErrorKind::kWrongEndpoint:
      return "wrong_endpoint";
    case ErrorKind::kClockSkew:
      return "clock_skew";
    case ErrorKind::kQueryFailed:
      return "query_failed";
    case ErrorKind::kBadReply:
      return "bad_reply";
    case ErrorKind::kProof:
      return "proof";
    case ErrorKind::kCancelled:
      return "cancelled";
    case ErrorKind::kService:
      return "service";
  }
  return "service";
}

Error Error::With(std::string where) && {
  context.push_back(std::move(where));
  return std::move(*this);
}

Error Error::With(std::string where) const& {
  Error copy = *this;
  copy.context.push_back(std::move(where));
  return copy;
}

std::string Error::Text() const {
  std::string text;
  for (const std::string& where : context) text.insert(0, where + ": ");
  if (!code.empty()) text += code;
  if (!code.empty() && !message.empty()) text += ": ";
  text += message;
  if (code.empty() && message.empty()) text += Name(kind);

  std::vector<std::string> facts;
  if (http_status != 0) facts.push_back("HTTP " + std::to_string(http_status));
  if (!request_id.empty()) facts.push_back("request id " + request_id);
  if (attempts > 1) {
    std::string fact = std::to_string(attempts) + " attempts";
    if (spent.count() > 0) fact += " in " + FormatDuration(spent);
    facts.push_back(std::move(fact));
  }
  if (!facts.empty()) text += " (" + Join(facts, ", ") + ")";
  return text;
}

Error MakeError(ErrorKind kind, std::string message, std::string code) {
  Error error;
  error.kind = kind;
  error.message = std::move(message);
  error.code = std::move(code);
  return error;
}

}  // namespace tsm
