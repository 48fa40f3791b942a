#include "ts_local/sigv4_verifier.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>

#include "ts_local/api_error.h"
#include "ts_local/aws_chunked.h"
#include "ts_local/digest.h"
#include "ts_local/sigv4_authorization.h"
#include "ts_local/sigv4_canonical.h"

namespace ts_local {
namespace {

constexpr std::int64_t kMaxSkewMs = 15 * 60 * 1000;
constexpr std::string_view kContentHash = "x-amz-content-sha256";

bool Listed(std::string_view list, std::string_view name) {
  bool found = false;
  ForEachName(list, [&](std::string_view item) { found = found || item == name; });
  return found;
}

// One request's verification: what its parts share.
class Verification {
 public:
  Verification(Request& request, Protocol protocol, std::int64_t now_ms)
      : request_(request), refusal_(protocol), protocol_(protocol), now_ms_(now_ms) {}

  Authorization ReadAuthorization() const {
    const std::string_view header = request_.Header("authorization");
    if (header.empty()) refusal_.Missing();
    auto parsed = ParseAuthorization(header);
    if (!parsed) refusal_.Malformed("the authorization header is not AWS4-HMAC-SHA256's");
    return *parsed;
  }

  void CheckScope(const Authorization& authorization,
                  const std::vector<std::string_view>& services) const {
    if (authorization.terminator != "aws4_request") refusal_.Malformed("aws4_request is missing");
    if (std::find(services.begin(), services.end(), authorization.service) == services.end()) {
      refusal_.WrongService(authorization.service, services.front());
    }
    if (authorization.region.empty()) refusal_.Malformed("a region is missing in the credential");
  }

  // The request's time as "YYYYMMDDTHHMMSSZ".
  std::string CheckDate(const Authorization& authorization) const {
    std::string date(request_.Header("x-amz-date"));
    const std::optional<std::int64_t> signed_ms = ParseAmzDate(date);
    if (!signed_ms) refusal_.NoDate();
    if (std::abs(*signed_ms - now_ms_) > kMaxSkewMs) refusal_.Skewed(date, now_ms_);
    if (date.substr(0, 8) != authorization.date) {
      refusal_.Malformed("the credential's date is not the request's");
    }
    return date;
  }

  void CheckSignedHeaders(const Authorization& authorization) const {
    if (!Listed(authorization.signed_headers, "host")) refusal_.NotSigned("host");
    for (const auto& [name, value] : request_.headers) {
      if (name.starts_with("x-amz-") && !Listed(authorization.signed_headers, name)) {
        refusal_.NotSigned(name);
      }
    }
    ForEachName(authorization.signed_headers, [&](std::string_view name) {
      if (request_.headers.count(std::string(name)) == 0) refusal_.NotSigned(name);
    });
  }

  // The last line of the canonical request. The body is compared with it where it is a hash.
  std::string PayloadHash() const {
    std::string declared(request_.Header(kContentHash));
    if (protocol_ != Protocol::kS3) {
      std::string actual = HexEncode(Sha256(request_.body));
      if (!declared.empty() && declared != actual) refusal_.Mismatch("");
      return actual;
    }
    if (declared.empty()) {
      throw ApiError(400, "InvalidRequest",
                     "Missing required header for this request: x-amz-content-sha256");
    }
    return declared;
  }

  // After the signature is known to be right: the body against what was signed about it.
  void CheckS3Body(const std::string& declared, const ChunkSigning& signing) {
    if (declared == "UNSIGNED-PAYLOAD") return;
    if (declared.starts_with("STREAMING-")) {
      Unchunk(declared, signing);
      return;
    }
    if (HexDecode(declared).size() != 32) {
      throw ApiError(400, "InvalidArgument",
                     "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, "
                     "STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, "
                     "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.");
    }
    if (HexEncode(Sha256(request_.body)) != declared) {
      throw ApiError(
          400, "XAmzContentSHA256Mismatch",
          "The provided 'x-amz-content-sha256' header does not match what was computed.");
    }
  }

  const Refusal& refusal() const { return refusal_; }

 private:
  void Unchunk(const std::string& declared, const ChunkSigning& signing) {
    const bool with_trailer = declared.ends_with("-TRAILER");
    const bool is_signed = declared.starts_with("STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
    if (!is_signed && declared != "STREAMING-UNSIGNED-PAYLOAD-TRAILER") {
      throw ApiError(400, "InvalidArgument",
                     "x-amz-content-sha256 names an unknown form: " + declared);
    }
    UnchunkedBody body =
        DecodeAwsChunked(request_.body, is_signed ? &signing : nullptr, with_trailer);
    const std::string_view length = request_.Header("x-amz-decoded-content-length");
    if (length.empty()) {
      throw ApiError(411, "MissingContentLength",
                     "You must provide the x-amz-decoded-content-length HTTP header.");
    }
    if (length != std::to_string(body.bytes.size())) {
      throw ApiError(400, "IncompleteBody",
                     "You did not provide the number of bytes specified by the "
                     "x-amz-decoded-content-length HTTP header.");
    }
    for (const auto& [name, value] : body.trailers) request_.headers.emplace(name, value);
    request_.body = std::move(body.bytes);
  }

  Request& request_;
  Refusal refusal_;
  Protocol protocol_;
  std::int64_t now_ms_;
};

}  // namespace

// Whose key it is, and with what it signs.
struct SigV4Verifier::Signer {
  std::string secret;
  std::string arn;
  std::string user_id;
  bool temporary = false;
};

SigV4Verifier::SigV4Verifier(std::vector<AccessKey> keys, std::string account_id, NowMs now,
                             const SessionStore* sessions)
    : keys_(std::move(keys)),
      account_id_(std::move(account_id)),
      now_(std::move(now)),
      sessions_(sessions) {}

SigV4Verifier::Signer SigV4Verifier::FindSigner(const Request& request,
                                                const std::string& access_key_id,
                                                const Refusal& refusal) const {
  const std::string_view token = request.Header("x-amz-security-token");
  const auto key = std::find_if(keys_.begin(), keys_.end(), [&](const AccessKey& candidate) {
    return candidate.id == access_key_id;
  });
  if (key != keys_.end()) {
    // These are long-lived keys: a session token beside them is another session's.
    if (!token.empty()) refusal.ForeignToken();
    return {key->secret, "arn:aws:iam::" + account_id_ + ":user/" + key->name, "", false};
  }
  const auto session = sessions_ == nullptr ? std::nullopt : sessions_->Find(access_key_id);
  // Without its token a session's key id is as good as unknown.
  if (!session || token.empty()) refusal.UnknownKey();
  if (!EqualConstantTime(token, session->token)) refusal.ForeignToken();
  if (session->end_ms <= now_()) refusal.ExpiredToken();
  return {session->secret, session->arn, session->user_id, true};
}

Caller SigV4Verifier::Verify(Request& request, Protocol protocol,
                             const std::vector<std::string_view>& services) const {
  Verification check(request, protocol, now_());
  const Authorization authorization = check.ReadAuthorization();
  check.CheckScope(authorization, services);
  const Signer signer = FindSigner(request, authorization.access_key_id, check.refusal());
  const std::string date = check.CheckDate(authorization);
  check.CheckSignedHeaders(authorization);

  const std::string payload_hash = check.PayloadHash();
  const bool s3 = protocol == Protocol::kS3;
  const SigningScope scope{date, authorization.region, authorization.service};
  const std::string expected =
      Signature(request, scope, signer.secret, authorization.signed_headers, payload_hash);
  if (!EqualConstantTime(expected, authorization.signature)) {
    check.refusal().Mismatch(
        CanonicalRequest(request, authorization.signed_headers, payload_hash, s3));
  }
  if (s3) {
    const std::string signing_key =
        SigningKey(signer.secret, authorization.date, authorization.region, authorization.service);
    check.CheckS3Body(payload_hash, {signing_key, date, scope.Text(), expected});
  }

  return {authorization.access_key_id, account_id_,    signer.arn,      authorization.region,
          authorization.service,       signer.user_id, signer.temporary};
}

}  // namespace ts_local
