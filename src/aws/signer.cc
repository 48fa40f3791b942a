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

// SHA-256 of nothing: most requests to S3 have no body.
constexpr std::string_view kHashOfNothing =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

// What Sign adds, and so takes away from an earlier attempt.
constexpr std::array<std::string_view, 4> kSignatureHeaders = {
    "authorization", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"};

template <std::size_t N>
bool Holds(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// Trimmed, every run of blanks (also those of folded lines) one space.
void AppendCanonicalValue(std::string_view value, std::string& text) {
  std::string_view rest = TrimAscii(value);
  while (!rest.empty()) {
    const auto* const blank = std::find_if(rest.begin(), rest.end(), IsBlank);
    text.append(rest.begin(), blank);
    if (blank == rest.end()) return;
    text += ' ';
    const auto* const next = std::find_if_not(blank, rest.end(), IsBlank);
    rest.remove_prefix(static_cast<std::size_t>(next - rest.begin()));
  }
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

std::string PayloadHash(const http::Request& request, PayloadRule rule) {
  if (rule == PayloadRule::kUnsigned) return "UNSIGNED-PAYLOAD";
  const std::string& body = request.Body();
  return body.empty() ? std::string(kHashOfNothing) : Sha256Hex(body);
}

}  // namespace

CanonicalRequest BuildCanonicalRequest(const http::Request& request, PathRule path,
                                       std::string_view payload_hash) {
  std::vector<std::pair<std::string, std::string_view>> headers;  // by lower-case name
  headers.reserve(request.headers.size());
  std::size_t names = 0;
  std::size_t values = 0;
  for (const auto& [name, value] : request.headers) {
    std::string lower = ToLowerAscii(TrimAscii(name));
    if (Holds(kUnsigned, lower)) continue;
    names += lower.size() + 1;
    values += value.size() + 1;
    headers.emplace_back(std::move(lower), value);
  }
  // Those of one name keep their order: their values become one.
  std::stable_sort(headers.begin(), headers.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  CanonicalRequest canonical;
  const std::string canonical_path = CanonicalPath(request.path, path);
  const std::string query = CanonicalQuery(request);
  canonical.signed_headers.reserve(names);
  canonical.text.reserve(request.method.size() + canonical_path.size() + query.size() + 2 * names +
                         values + payload_hash.size() + 5);
  for (const std::string* line : {&request.method, &canonical_path, &query}) {
    canonical.text += *line;
    canonical.text += '\n';
  }
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const auto& [name, value] = headers[i];
    if (i > 0 && name == headers[i - 1].first) {
      canonical.text.back() = ',';
    } else {
      canonical.text += name;
      canonical.text += ':';
      if (!canonical.signed_headers.empty()) canonical.signed_headers += ';';
      canonical.signed_headers += name;
    }
    AppendCanonicalValue(value, canonical.text);
    canonical.text += '\n';
  }
  canonical.text += '\n';
  canonical.text += canonical.signed_headers;
  canonical.text += '\n';
  canonical.text += payload_hash;
  return canonical;
}

std::string CredentialScope(const SigningScope& scope, std::string_view amz_date) {
  return Concat({amz_date.substr(0, 8), "/", scope.region, "/", scope.service, "/aws4_request"});
}

std::string BuildStringToSign(std::string_view canonical_request, const SigningScope& scope,
                              std::string_view amz_date) {
  return Concat({kAlgorithm, "\n", amz_date, "\n", CredentialScope(scope, amz_date), "\n",
                 Sha256Hex(canonical_request)});
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
  const std::string payload_hash = PayloadHash(request, rules.payload);
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
  request.headers.emplace_back("authorization",
                               Concat({kAlgorithm, " Credential=", credentials.access_key_id, "/",
                                       CredentialScope(scope, amz_date), ", SignedHeaders=",
                                       canonical.signed_headers, ", Signature=", signature}));
}

std::string Signer::CachedKey(const Credentials& credentials, const SigningScope& scope,
                              const std::string& date) {
  const std::string name =
      Concat({credentials.secret_access_key, "\n", date, "\n", scope.region, "\n", scope.service});
  const std::lock_guard lock(mutex_);
  if (const auto known = keys_.find(name); known != keys_.end()) return known->second;
  // A day, a region or a session's end leaves keys behind that nobody asks for again.
  constexpr std::size_t kMostKeys = 64;
  if (keys_.size() >= kMostKeys) keys_.clear();
  return keys_[name] = DeriveSigningKey(credentials.secret_access_key, scope, date);
}

}  // namespace tsm::aws
