#include "tsm/aws/signer.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "tsm/core/text.h"
#include "tsm/core/time_text.h"

namespace tsm::aws {

namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

// What a proxy may change on the way, and the signature itself.
constexpr std::array<std::string_view, 12> kUnsigned = {"authorization",
                                                        "connection",
                                                        "expect",
                                                        "keep-alive",
                                                        "proxy-authenticate",
                                                        "proxy-authorization",
                                                        "te",
                                                        "trailer",
                                                        "transfer-encoding",
                                                        "upgrade",
                                                        "user-agent",
                                                        "x-amzn-trace-id"};

// What Sign adds, and so takes away from an earlier attempt.
constexpr std::array<std::string_view, 4> kSignatureHeaders = {
    "authorization", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"};

template <std::size_t N>
bool Holds(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Trimmed, every run of blanks (also those of folded lines) one space.
std::string CanonicalValue(std::string_view value) {
  std::string canonical;
  bool blank = false;
  for (const char c : TrimAscii(value)) {
    const bool is_blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (is_blank && blank) continue;
    canonical += is_blank ? ' ' : c;
    blank = is_blank;
  }
  return canonical;
}

// RFC 3986, 5.2.4, and one slash for several.
std::string NormalizePath(std::string_view path) {
  std::vector<std::string_view> segments;
  bool ends_in_slash = true;
  for (const std::string_view segment : Split(path, '/')) {
    ends_in_slash = segment.empty() || segment == "." || segment == "..";
    if (segment == ".." && !segments.empty()) segments.pop_back();
    if (!ends_in_slash) segments.push_back(segment);
  }
  std::string normalized;
  for (const std::string_view segment : segments) {
    normalized += '/';
    normalized += segment;
  }
  if (ends_in_slash) normalized += '/';
  return normalized;
}

std::string CanonicalPath(std::string_view path, PathRule rule) {
  if (rule == PathRule::kAsIs) return std::string(path.empty() ? "/" : path);
  return PercentEncode(NormalizePath(path), true);
}

std::string CanonicalQuery(const http::Request& request) {
  std::vector<std::pair<std::string, std::string>> encoded;
  encoded.reserve(request.query.size());
  for (const auto& [name, value] : request.query) {
    encoded.emplace_back(PercentEncode(name), PercentEncode(value));
  }
  std::sort(encoded.begin(), encoded.end());
  std::string query;
  for (const auto& [name, value] : encoded) {
    if (!query.empty()) query += '&';
    query += name + '=' + value;
  }
  return query;
}

}  // namespace

CanonicalRequest BuildCanonicalRequest(const http::Request& request, PathRule path,
                                       std::string_view payload_hash) {
  std::map<std::string, std::string> headers;  // sorted by lower-case name
  for (const auto& [name, value] : request.headers) {
    const std::string lower = ToLowerAscii(TrimAscii(name));
    if (Holds(kUnsigned, lower)) continue;
    const auto [at, is_new] = headers.try_emplace(lower, CanonicalValue(value));
    if (!is_new) at->second += ',' + CanonicalValue(value);
  }
  CanonicalRequest canonical;
  canonical.text = request.method + '\n' + CanonicalPath(request.path, path) + '\n' +
                   CanonicalQuery(request) + '\n';
  for (const auto& [name, value] : headers) {
    canonical.text += name + ':' + value + '\n';
    if (!canonical.signed_headers.empty()) canonical.signed_headers += ';';
    canonical.signed_headers += name;
  }
  canonical.text += '\n' + canonical.signed_headers + '\n';
  canonical.text += payload_hash;
  return canonical;
}

std::string CredentialScope(const SigningScope& scope, std::string_view amz_date) {
  return std::string(amz_date.substr(0, 8)) + '/' + scope.region + '/' + scope.service +
         "/aws4_request";
}

std::string BuildStringToSign(std::string_view canonical_request, const SigningScope& scope,
                              std::string_view amz_date) {
  return std::string(kAlgorithm) + '\n' + std::string(amz_date) + '\n' +
         CredentialScope(scope, amz_date) + '\n' + Sha256Hex(canonical_request);
}

std::string DeriveSigningKey(std::string_view secret, const SigningScope& scope,
                             std::string_view date) {
  const std::string date_key = HmacSha256("AWS4" + std::string(secret), date);
  const std::string region_key = HmacSha256(date_key, scope.region);
  const std::string service_key = HmacSha256(region_key, scope.service);
  return HmacSha256(service_key, "aws4_request");
}

std::string Signature(std::string_view signing_key, std::string_view string_to_sign) {
  return HexEncode(HmacSha256(signing_key, string_to_sign));
}

void Signer::Sign(http::Request& request, const Credentials& credentials, const SigningScope& scope,
                  const SigningRules& rules, std::chrono::system_clock::time_point time) {
  std::erase_if(request.headers, [](const auto& header) {
    return Holds(kSignatureHeaders, ToLowerAscii(header.first));
  });
  const std::string amz_date = FormatAmzDate(time);
  const bool reads_body = rules.payload != PayloadRule::kUnsigned;
  const std::string payload_hash = reads_body ? Sha256Hex(request.Body()) : "UNSIGNED-PAYLOAD";
  if (http::FindHeader(request.headers, "host").empty()) {
    request.headers.emplace_back("host", request.host);
  }
  request.headers.emplace_back("x-amz-date", amz_date);
  if (rules.payload != PayloadRule::kHashInRequest) {
    request.headers.emplace_back("x-amz-content-sha256", payload_hash);
  }
  const bool has_token = !credentials.session_token.empty();
  if (has_token && !rules.omit_session_token) {
    request.headers.emplace_back("x-amz-security-token", credentials.session_token);
  }
  const CanonicalRequest canonical = BuildCanonicalRequest(request, rules.path, payload_hash);
  const std::string signature = Signature(CachedKey(credentials, scope, amz_date.substr(0, 8)),
                                          BuildStringToSign(canonical.text, scope, amz_date));
  if (has_token && rules.omit_session_token) {
    request.headers.emplace_back("x-amz-security-token", credentials.session_token);
  }
  request.headers.emplace_back(
      "authorization", std::string(kAlgorithm) + " Credential=" + credentials.access_key_id + '/' +
                           CredentialScope(scope, amz_date) + ", SignedHeaders=" +
                           canonical.signed_headers + ", Signature=" + signature);
}

std::string Signer::CachedKey(const Credentials& credentials, const SigningScope& scope,
                              const std::string& date) {
  const std::string name =
      credentials.secret_access_key + '\n' + date + '\n' + scope.region + '\n' + scope.service;
  const std::lock_guard lock(mutex_);
  if (const auto known = keys_.find(name); known != keys_.end()) return known->second;
  // A day, a region or a session's end leaves keys behind that nobody asks for again.
  constexpr std::size_t kMostKeys = 64;
  if (keys_.size() >= kMostKeys) keys_.clear();
  return keys_[name] = DeriveSigningKey(credentials.secret_access_key, scope, date);
}

}  // namespace tsm::aws
