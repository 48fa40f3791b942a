#include "ts_local/s3_endpoint.h"

#include <charconv>

namespace ts_local {
namespace {

bool IsPort(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port > 0 && port < 65536;
}

// A name, an IPv4 address or an IPv6 one in brackets.
bool IsHost(std::string_view text) {
  const bool ipv6 = text.starts_with('[') && text.ends_with(']');
  if (ipv6) text = text.substr(1, text.size() - 2);
  const std::string_view allowed =
      ipv6 ? "0123456789abcdefABCDEF:."
           : "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

}  // namespace

std::variant<S3Endpoint, std::string> ParseS3Endpoint(std::string_view url) {
  const std::string wrong =
      "an S3 endpoint is http://host[:port] or https://host[:port], not '" + std::string(url) + "'";
  const bool https = url.starts_with("https://");
  if (!https && !url.starts_with("http://")) return wrong;
  std::string_view rest = url.substr(https ? 8 : 7);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  const std::size_t bracket = rest.find(']');
  const std::size_t colon = rest.find(':', bracket == std::string_view::npos ? 0 : bracket);
  const std::string_view host = rest.substr(0, colon);
  if (!IsHost(host)) return wrong;
  const std::string_view own_port = https ? "443" : "80";
  std::string_view port = own_port;
  if (colon != std::string_view::npos) port = rest.substr(colon + 1);
  if (!IsPort(port)) return wrong;
  S3Endpoint out;
  out.host = host;
  if (port != own_port) out.host += ":" + std::string(port);
  out.origin = (https ? "https://" : "http://") + std::string(host) + ":" + std::string(port);
  return out;
}

}  // namespace ts_local
