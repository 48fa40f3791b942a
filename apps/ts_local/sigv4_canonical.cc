#include "ts_local/sigv4_canonical.h"

#include <algorithm>
#include <vector>

#include "ts_local/digest.h"
#include "ts_local/url_codec.h"

namespace ts_local {
namespace {

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

std::string Signature(const Request& request, const SigningScope& scope, std::string_view secret,
                      std::string_view signed_headers, std::string_view payload_hash) {
  const std::string text = "AWS4-HMAC-SHA256\n" + scope.date + "\n" + scope.Text() + "\n" +
                           HexEncode(Sha256(CanonicalRequest(request, signed_headers, payload_hash,
                                                             scope.service == "s3")));
  return HexEncode(
      HmacSha256(SigningKey(secret, scope.date.substr(0, 8), scope.region, scope.service), text));
}

}  // namespace ts_local
