#include "ts_local/sigv4_authorization.h"

#include <array>
#include <chrono>
#include <cstdio>

#include "ts_local/api_error.h"

namespace ts_local {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

std::optional<int> Digits(std::string_view text) {
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

// The credential "<key>/<date>/<region>/<service>/aws4_request"; a key id may hold no slash here.
bool ReadCredential(std::string_view text, Authorization& out) {
  const std::array<std::string*, 5> parts = {&out.access_key_id, &out.date, &out.region,
                                             &out.service, &out.terminator};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::size_t slash = text.find('/');
    if ((slash == std::string_view::npos) != (i + 1 == parts.size())) return false;
    *parts[i] = text.substr(0, slash);
    if (slash != std::string_view::npos) text.remove_prefix(slash + 1);
  }
  return true;
}

}  // namespace

std::optional<Authorization> ParseAuthorization(std::string_view header) {
  if (!header.starts_with(kAlgorithm)) return std::nullopt;
  header.remove_prefix(kAlgorithm.size());
  if (!header.starts_with(' ')) return std::nullopt;
  Authorization out;
  bool credential = false;
  while (!header.empty()) {
    const std::size_t first = header.find_first_not_of(", ");
    if (first == std::string_view::npos) break;
    header.remove_prefix(first);
    const std::size_t end = header.find_first_of(", ");
    const std::string_view item = header.substr(0, end);
    header = end == std::string_view::npos ? std::string_view() : header.substr(end);
    const std::size_t equals = item.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view name = item.substr(0, equals);
    const std::string_view value = item.substr(equals + 1);
    if (name == "Credential") credential = ReadCredential(value, out);
    if (name == "SignedHeaders") out.signed_headers = value;
    if (name == "Signature") out.signature = value;
  }
  if (!credential || out.signed_headers.empty() || out.signature.empty()) return std::nullopt;
  return out;
}

std::optional<std::int64_t> ParseAmzDate(std::string_view text) {
  if (text.size() != 16 || text[8] != 'T' || text[15] != 'Z') return std::nullopt;
  const auto year = Digits(text.substr(0, 4));
  const auto month = Digits(text.substr(4, 2));
  const auto day = Digits(text.substr(6, 2));
  const auto hour = Digits(text.substr(9, 2));
  const auto minute = Digits(text.substr(11, 2));
  const auto second = Digits(text.substr(13, 2));
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const auto days = std::chrono::sys_days{date}.time_since_epoch();
  return std::chrono::milliseconds{days}.count() + ((*hour * 60LL + *minute) * 60 + *second) * 1000;
}

std::string AmzDate(std::int64_t unix_ms) {
  const std::chrono::sys_seconds time{std::chrono::seconds{unix_ms / 1000}};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  std::array<char, 32> out{};
  std::snprintf(out.data(), out.size(), "%04d%02u%02uT%02d%02d%02dZ", int{date.year()},
                unsigned{date.month()}, unsigned{date.day()},
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return out.data();
}

void Refusal::Missing() const {
  if (protocol_ == Protocol::kS3) throw ApiError(403, "AccessDenied", "Access Denied");
  if (protocol_ == Protocol::kJson) {
    throw ApiError(400, "MissingAuthenticationTokenException", "Missing Authentication Token");
  }
  throw ApiError(403, "MissingAuthenticationToken", "Request is missing Authentication Token");
}

void Refusal::Malformed(const std::string& what) const {
  const std::string message = "The authorization header is malformed; " + what + ".";
  if (protocol_ == Protocol::kS3) throw ApiError(400, "AuthorizationHeaderMalformed", message);
  if (protocol_ == Protocol::kJson) throw ApiError(400, "IncompleteSignatureException", message);
  throw ApiError(400, "IncompleteSignature", message);
}

void Refusal::WrongService(std::string_view got, std::string_view wanted) const {
  if (protocol_ == Protocol::kS3) {
    Malformed("incorrect service \"" + std::string(got) + "\". This endpoint belongs to \"" +
              std::string(wanted) + "\"");
  }
  const std::string message =
      "Credential should be scoped to correct service: '" + std::string(wanted) + "'.";
  if (protocol_ == Protocol::kJson) throw ApiError(400, "InvalidSignatureException", message);
  throw ApiError(403, "SignatureDoesNotMatch", message);
}

void Refusal::UnknownKey() const {
  if (protocol_ == Protocol::kS3) {
    throw ApiError(403, "InvalidAccessKeyId",
                   "The AWS Access Key Id you provided does not exist in our records.");
  }
  const char* message = "The security token included in the request is invalid.";
  if (protocol_ == Protocol::kJson) throw ApiError(400, "UnrecognizedClientException", message);
  throw ApiError(403, "InvalidClientTokenId", message);
}

void Refusal::ForeignToken() const {
  if (protocol_ == Protocol::kS3) {
    throw ApiError(400, "InvalidToken", "The provided token is malformed or otherwise invalid.");
  }
  UnknownKey();
}

void Refusal::ExpiredToken() const {
  if (protocol_ == Protocol::kS3) {
    throw ApiError(400, "ExpiredToken", "The provided token has expired.");
  }
  const char* message = "The security token included in the request is expired";
  if (protocol_ == Protocol::kJson) throw ApiError(400, "ExpiredTokenException", message);
  throw ApiError(403, "ExpiredToken", message);
}

void Refusal::NoDate() const {
  if (protocol_ == Protocol::kS3) {
    throw ApiError(403, "AccessDenied",
                   "AWS authentication requires a valid Date or x-amz-date header");
  }
  Malformed("it requires a valid 'X-Amz-Date' header");
}

void Refusal::Skewed(const std::string& date, std::int64_t now_ms) const {
  if (protocol_ == Protocol::kS3) {
    throw ApiError(403, "RequestTimeTooSkewed",
                   "The difference between the request time and the current time is too large.");
  }
  const std::string message = "Signature expired or not yet current: " + date + " is not within " +
                              "15 min. of " + AmzDate(now_ms);
  if (protocol_ == Protocol::kJson) throw ApiError(400, "InvalidSignatureException", message);
  throw ApiError(403, "SignatureDoesNotMatch", message);
}

void Refusal::NotSigned(std::string_view header) const {
  if (protocol_ == Protocol::kS3) {
    throw ApiError(
        403, "AccessDenied",
        "There were headers present in the request which were not signed: " + std::string(header));
  }
  const std::string message =
      "'" + std::string(header) + "' must be a 'SignedHeader' in the AWS Authorization.";
  if (protocol_ == Protocol::kJson) throw ApiError(400, "InvalidSignatureException", message);
  throw ApiError(403, "SignatureDoesNotMatch", message);
}

void Refusal::Mismatch(const std::string& canonical) const {
  std::string message =
      "The request signature we calculated does not match the signature you provided. Check your "
      "key and signing method.";
  if (protocol_ == Protocol::kS3) throw ApiError(403, "SignatureDoesNotMatch", message);
  if (!canonical.empty()) {
    message += "\n\nThe Canonical String for this request should have been\n'" + canonical + "'\n";
  }
  if (protocol_ == Protocol::kJson) throw ApiError(400, "InvalidSignatureException", message);
  throw ApiError(403, "SignatureDoesNotMatch", message);
}

}  // namespace ts_local
