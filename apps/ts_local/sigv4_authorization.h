// The Authorization header of a SigV4 request in parts, its date, and the refusals of a signature
// as each of AWS's protocols words them. Used by the verifier and the signer. Pure, thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ts_local/sigv4_verifier.h"

namespace ts_local {

struct Authorization {
  std::string access_key_id;
  std::string date;  // "YYYYMMDD"
  std::string region;
  std::string service;
  std::string terminator;
  std::string signed_headers;  // "host;x-amz-date"
  std::string signature;
};

// "AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=..."; nullopt where it is not
// that.
std::optional<Authorization> ParseAuthorization(std::string_view header);

// "20260321T010203Z" as Unix milliseconds; nullopt where it is no such date.
std::optional<std::int64_t> ParseAmzDate(std::string_view text);

// The other way round.
std::string AmzDate(std::int64_t unix_ms);

// Each method throws the ApiError with the protocol's code, status and wording.
class Refusal {
 public:
  explicit Refusal(Protocol protocol) : protocol_(protocol) {}
  [[noreturn]] void Missing() const;
  [[noreturn]] void Malformed(const std::string& what) const;
  [[noreturn]] void WrongService(std::string_view got, std::string_view wanted) const;
  [[noreturn]] void UnknownKey() const;
  [[noreturn]] void ForeignToken() const;
  [[noreturn]] void ExpiredToken() const;
  [[noreturn]] void NoDate() const;
  [[noreturn]] void Skewed(const std::string& date, std::int64_t now_ms) const;
  [[noreturn]] void NotSigned(std::string_view header) const;
  // `canonical` is what ts-local computed: it helps whoever debugs a signer, as AWS's answer does.
  [[noreturn]] void Mismatch(const std::string& canonical) const;

 private:
  Protocol protocol_;
};

}  // namespace ts_local
