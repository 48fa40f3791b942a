#include "tsm/http/proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "tsm/core/text.h"

namespace tsm::http {

namespace {

struct Scheme {
  std::string_view name;
  std::string_view port;
};
constexpr auto kSchemes = std::to_array<Scheme>({{"http", "80"},
                                                 {"https", "443"},
                                                 {"socks4", "1080"},
                                                 {"socks4a", "1080"},
                                                 {"socks5", "1080"},
                                                 {"socks5h", "1080"}});

struct HostPort {
  std::string_view host;  // without brackets
  std::string_view port;  // "" where there is none
};

// "name", "name:1", "1.2.3.4:1", "[::1]:1" and, where no port can follow, "::1".
HostPort SplitPort(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return {text, {}};
    const std::string_view rest = text.substr(close + 1);
    return {text.substr(1, close - 1), rest.starts_with(':') ? rest.substr(1) : rest};
  }
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || text.find(':', colon + 1) != std::string_view::npos) {
    return {text, {}};
  }
  return {text.substr(0, colon), text.substr(colon + 1)};
}

struct Address {
  std::array<std::uint8_t, 16> bytes{};
  int bits = 0;  // 32 or 128
};

std::optional<Address> ParseAddress(std::string_view text) {
  const std::string name(text);
  Address address;
  if (::inet_pton(AF_INET, name.c_str(), address.bytes.data()) == 1) {
    address.bits = 32;
  } else if (::inet_pton(AF_INET6, name.c_str(), address.bytes.data()) == 1) {
    address.bits = 128;
  } else {
    return std::nullopt;
  }
  return address;
}

// Whether the first `prefix` bits are the same.
bool SameNetwork(const Address& one, const Address& other, std::int64_t prefix) {
  if (one.bits != other.bits || prefix < 0 || prefix > one.bits) return false;
  for (std::size_t i = 0; i < one.bytes.size(); ++i) {
    const std::int64_t left = prefix - static_cast<std::int64_t>(i) * 8;
    if (left <= 0) break;
    const unsigned ignored = left >= 8 ? 0U : static_cast<unsigned>(8 - left);
    if ((one.bytes[i] >> ignored) != (other.bytes[i] >> ignored)) return false;
  }
  return true;
}

bool AddressMatches(std::string_view entry, const Address& host) {
  const std::size_t slash = entry.find('/');
  const auto network = ParseAddress(entry.substr(0, slash));
  if (!network) return false;
  if (slash == std::string_view::npos) return SameNetwork(*network, host, host.bits);
  const auto prefix = ParseInt64(entry.substr(slash + 1));
  return prefix && SameNetwork(*network, host, *prefix);
}

bool NameMatches(std::string_view entry, std::string_view host) {
  if (entry.starts_with('*')) entry.remove_prefix(1);  // "*.example.com"
  while (entry.starts_with('.')) entry.remove_prefix(1);
  while (entry.ends_with('.')) entry.remove_suffix(1);
  if (entry.empty() || !host.ends_with(entry)) return false;
  return host.size() == entry.size() || host[host.size() - entry.size() - 1] == '.';
}

bool EntryMatches(std::string_view entry, const HostPort& target) {
  if (entry == "*") return true;
  const auto address = ParseAddress(target.host);
  // A block of IPv6 addresses has colons, but no port.
  if (address && entry.find('/') != std::string_view::npos) return AddressMatches(entry, *address);
  const HostPort wanted = SplitPort(entry);
  if (!wanted.port.empty() && wanted.port != target.port) return false;
  return address ? AddressMatches(wanted.host, *address) : NameMatches(wanted.host, target.host);
}

Error Unusable(std::string_view why) {
  return MakeError(ErrorKind::kConfiguration,
                   "the proxy's URL is unusable: " + std::string(why) +
                       " (expected http://[user:password@]host:port; other characters than letters "
                       "and digits in user and password percent-encoded)");
}

bool IsPort(std::string_view text) {
  const auto port = ParseInt64(text);
  return port && *port >= 1 && *port <= 65'535;
}

bool IsHost(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  });
}

// libcurl takes user and password as C strings and sends them in one line.
bool HasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return c >= '\0' && c < ' '; });
}

}  // namespace

Result<Proxy> ParseProxy(std::string_view url) {
  std::string scheme = "http";
  if (const std::size_t mark = url.find("://"); mark != std::string_view::npos) {
    scheme = ToLowerAscii(url.substr(0, mark));
    url.remove_prefix(mark + 3);
  }
  const auto known = std::find_if(kSchemes.begin(), kSchemes.end(),
                                  [&](const Scheme& one) { return one.name == scheme; });
  if (known == kSchemes.end()) return Unusable("its scheme is none of http, https and socks5h");

  if (url.ends_with('/')) url.remove_suffix(1);
  if (url.find_first_of("/?#") != std::string_view::npos) {
    return Unusable("it has a path, or a '/', '?' or '#' in its password");
  }
  Proxy proxy;
  if (const std::size_t at = url.rfind('@'); at != std::string_view::npos) {
    const std::string_view login = url.substr(0, at);
    const std::size_t colon = login.find(':');
    proxy.user = PercentDecode(login.substr(0, colon));
    if (colon != std::string_view::npos) proxy.password = PercentDecode(login.substr(colon + 1));
    if (HasControl(proxy.user) || HasControl(proxy.password)) {
      return Unusable("its user or password holds a control character");
    }
    url.remove_prefix(at + 1);
  }
  const HostPort place = SplitPort(url);
  const bool address = url.starts_with('[');
  if (address ? !ParseAddress(place.host).has_value() : !IsHost(place.host)) {
    return Unusable("its host is no name and no address");
  }
  if (!place.port.empty() ? !IsPort(place.port) : url.ends_with(':')) {
    return Unusable("its port is no number from 1 to 65535");
  }
  const std::string host(place.host);
  proxy.address = scheme + "://" + (address ? "[" + host + "]" : host) + ":" +
                  std::string(place.port.empty() ? known->port : place.port);
  return proxy;
}

bool BypassesProxy(std::string_view no_proxy, std::string_view scheme, std::string_view host) {
  const std::string lower = ToLowerAscii(host);
  HostPort target = SplitPort(lower);
  if (target.port.empty()) target.port = scheme == "https" ? "443" : "80";
  while (target.host.ends_with('.')) target.host.remove_suffix(1);
  std::string entries = ToLowerAscii(no_proxy);
  std::replace_if(
      entries.begin(), entries.end(), [](char c) { return c == ' ' || c == '\t'; }, ',');
  const auto list = Split(entries, ',');
  return std::any_of(list.begin(), list.end(), [&](std::string_view entry) {
    return !entry.empty() && EntryMatches(entry, target);
  });
}

std::string_view ProxyFor(const Request& request, const Proxies& proxies) {
  const std::string& proxy = request.scheme == "https" ? proxies.https : proxies.http;
  if (proxy.empty() || request.direct) return {};
  return BypassesProxy(proxies.no_proxy, request.scheme, request.host) ? std::string_view()
                                                                       : std::string_view(proxy);
}

}  // namespace tsm::http
