// Signature Version 4 as pure stages: each can be called by itself and is held against AWS's
// published vectors. No clock, no global state; time, scope and path rule are passed in.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "tsm/aws/credentials.h"
#include "tsm/http/message.h"

namespace tsm::aws {

struct SigningScope {
  std::string region;   // "eu-west-1"
  std::string service;  // signing name: "s3", "timestream", "sts", "sns"
};

enum class PathRule {
  kNormalize,  // remove dot segments, collapse slashes, encode the path once more
  kAsIs,       // S3: the path as it goes on the wire
};

enum class PayloadRule {
  kHashInRequest,  // the body's SHA-256 closes the canonical request, no header (Timestream, STS,
                   // SNS)
  kSendHash,       // and x-amz-content-sha256 carries it, signed (S3)
  kUnsigned,       // UNSIGNED-PAYLOAD stands in both places: the body is not read (S3 over https)
};

struct SigningRules {
  PathRule path = PathRule::kNormalize;
  PayloadRule payload = PayloadRule::kHashInRequest;
  // Sends x-amz-security-token but leaves it out of the signature (one case of the vectors).
  bool omit_session_token = false;
};

// Lower-case hex of SHA-256.
std::string Sha256Hex(std::string_view bytes);
// Base64 of SHA-256: what x-amz-checksum-sha256 carries.
std::string Sha256Base64(std::string_view bytes);
// Lower-case hex of SHA-1: AWS's tools name their cache files by it. Not for signatures.
std::string Sha1Hex(std::string_view bytes);
std::string HmacSha256(std::string_view key, std::string_view text);  // 32 raw bytes

struct CanonicalRequest {
  std::string text;
  std::string signed_headers;  // "host;x-amz-date"
};
// The request must carry every header that is to be signed, host included. Headers that proxies may
// change (user-agent, connection, ...) are left out.
CanonicalRequest BuildCanonicalRequest(const http::Request& request, PathRule path,
                                       std::string_view payload_hash);

// `amz_date` is "YYYYMMDDThhmmssZ".
std::string CredentialScope(const SigningScope& scope, std::string_view amz_date);
std::string BuildStringToSign(std::string_view canonical_request, const SigningScope& scope,
                              std::string_view amz_date);
std::string DeriveSigningKey(std::string_view secret, const SigningScope& scope,
                             std::string_view date);
std::string Signature(std::string_view signing_key, std::string_view string_to_sign);  // hex

// Signs requests; derived keys are cached per secret, day and scope (four HMACs a day instead of
// per call). Thread-safe.
class Signer {
 public:
  // Adds host, x-amz-date, x-amz-security-token, x-amz-content-sha256 (by rule) and Authorization.
  // An earlier signature's headers are replaced, so that a repeated attempt can be signed anew.
  void Sign(http::Request& request, const Credentials& credentials, const SigningScope& scope,
            const SigningRules& rules, std::chrono::system_clock::time_point time);

 private:
  std::string CachedKey(const Credentials& credentials, const SigningScope& scope,
                        const std::string& date);
  std::mutex mutex_;
  std::map<std::string, std::string> keys_;
};

}  // namespace tsm::aws
