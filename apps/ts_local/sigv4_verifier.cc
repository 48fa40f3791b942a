#include "ts_local/sigv4_verifier.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <optional>

#include "ts_local/api_error.h"
#include "ts_local/aws_chunked.h"
#include "ts_local/digest.h"
#include "ts_local/sigv4_authorization.h"
#include "ts_local/url_codec.h"

namespace ts_local {
namespace {

constexpr std::int64_t kMaxSkewMs = 15 * 60 * 1000;
constexpr std::string_view kContentHash = "x-amz-content-sha256";

// Removes "." and "..", and empty segments: the rule of every service but S3.
std::string NormalizePath(std::string_view path) {
  std::vector<std::string_view> kept;
  const bool ends_in_slash = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view segment = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    if (segment.empty() || segment == ".") continue;
    if (segment != "..") {
      kept.push_back(segment);
    } else if (!kept.empty()) {
      kept.pop_back();
    }
  }
  std::string out;
  for (const std::string_view segment : kept) out.append("/").append(segment);
  if (out.empty() || ends_in_slash) out += '/';
  return out;
}

std::string CanonicalQuery(const Request& request) {
  std::vector<std::pair<std::string, std::string>> encoded;
  encoded.reserve(request.query.size());
  for (const auto& [name, value] : request.query) {
    encoded.emplace_back(PercentEncode(name), PercentEncode(value));
  }
  std::sort(encoded.begin(), encoded.end());
  std::string out;
  for (const auto& [name, value] : encoded) {
    if (!out.empty()) out += '&';
    out.append(name).append("=").append(value);
  }
  return out;
}

// Runs of blanks become one; the ends are trimmed already.
std::string CanonicalValue(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == ' ' && out.ends_with(' ')) continue;
    out += c;
  }
  return out;
}

template <typename Visit>
void ForEachName(std::string_view list, Visit visit) {
  while (!list.empty()) {
    const std::size_t end = list.find(';');
    visit(list.substr(0, end));
    list = end == std::string_view::npos ? std::string_view() : list.substr(end + 1);
  }
}

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

std::string CanonicalRequest(const Request& request, std::string_view signed_headers,
                             std::string_view payload_hash, bool s3) {
  const std::string_view target = request.raw_target;
  const std::string_view wire_path = target.substr(0, target.find('?'));
  // S3 encodes the decoded path once; the others encode the path as it was sent once more.
  std::string out = request.method + "\n" +
                    (s3 ? PercentEncode(PercentDecode(wire_path), true)
                        : PercentEncode(NormalizePath(wire_path), true)) +
                    "\n" + CanonicalQuery(request) + "\n";
  ForEachName(signed_headers, [&](std::string_view name) {
    out.append(name).append(":");
    const auto [first, last] = request.headers.equal_range(std::string(name));
    for (auto it = first; it != last; ++it) {
      if (it != first) out += ',';
      out += CanonicalValue(it->second);
    }
    out += '\n';
  });
  out.append("\n").append(signed_headers).append("\n").append(payload_hash);
  return out;
}

std::string SigningKey(std::string_view secret, std::string_view date, std::string_view region,
                       std::string_view service) {
  const std::string day = HmacSha256("AWS4" + std::string(secret), date);
  return HmacSha256(HmacSha256(HmacSha256(day, region), service), "aws4_request");
}

SigV4Verifier::SigV4Verifier(std::vector<AccessKey> keys, std::string account_id, NowMs now)
    : keys_(std::move(keys)), account_id_(std::move(account_id)), now_(std::move(now)) {}

Caller SigV4Verifier::Verify(Request& request, Protocol protocol,
                             const std::vector<std::string_view>& services) const {
  Verification check(request, protocol, now_());
  const Authorization authorization = check.ReadAuthorization();
  check.CheckScope(authorization, services);
  const auto key = std::find_if(keys_.begin(), keys_.end(), [&](const AccessKey& candidate) {
    return candidate.id == authorization.access_key_id;
  });
  if (key == keys_.end()) check.refusal().UnknownKey();
  // These are long-lived keys: a session token beside them is another session's.
  if (!request.Header("x-amz-security-token").empty()) check.refusal().ForeignToken();
  const std::string date = check.CheckDate(authorization);
  check.CheckSignedHeaders(authorization);

  const std::string payload_hash = check.PayloadHash();
  const bool s3 = protocol == Protocol::kS3;
  const std::string canonical =
      CanonicalRequest(request, authorization.signed_headers, payload_hash, s3);
  const std::string scope = authorization.date + "/" + authorization.region + "/" +
                            authorization.service + "/aws4_request";
  const std::string text =
      "AWS4-HMAC-SHA256\n" + date + "\n" + scope + "\n" + HexEncode(Sha256(canonical));
  const std::string signing_key =
      SigningKey(key->secret, authorization.date, authorization.region, authorization.service);
  const std::string expected = HexEncode(HmacSha256(signing_key, text));
  if (!EqualConstantTime(expected, authorization.signature)) check.refusal().Mismatch(canonical);
  if (s3) check.CheckS3Body(payload_hash, {signing_key, date, scope, expected});

  return {authorization.access_key_id, account_id_,
          "arn:aws:iam::" + account_id_ + ":user/ts-local", authorization.region,
          authorization.service};
}

}  // namespace ts_local
