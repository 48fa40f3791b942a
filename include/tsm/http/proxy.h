// Which proxy a request goes through, if any. Pure functions. A proxy's URL may hold a password:
// nothing here quotes it, and only Proxy::address is fit to be shown.
#pragma once

#include <string>
#include <string_view>

#include "tsm/core/result.h"
#include "tsm/http/message.h"

namespace tsm::http {

// By scheme of the request; "http://[user:password@]host:port" (https:// and socks5h:// too), ""
// for none.
struct Proxies {
  std::string http;   // http_proxy, HTTP_PROXY
  std::string https;  // https_proxy, HTTPS_PROXY
  // Hosts, ".domain"s, addresses and CIDR blocks, each with ":port" or without, by commas or
  // blanks; "*": no proxy for anything.
  std::string no_proxy;
};

// A proxy's URL taken apart.
struct Proxy {
  std::string address;  // "http://gate.test:8080", always with its port
  std::string user;     // decoded, "" where the URL has none
  std::string password;

  // A token is often a password without a user: "http://:token@proxy:3128".
  bool has_login() const { return !user.empty() || !password.empty(); }
};

// A URL without a scheme is an http one; without a port it is 80, 443 (https) or 1080 (socks).
// kConfiguration says what is wrong with it, without quoting it.
Result<Proxy> ParseProxy(std::string_view url);

// A domain stands for itself and for all names below it. `host` as in Request::host.
bool BypassesProxy(std::string_view no_proxy, std::string_view scheme, std::string_view host);

// The URL of the request's proxy, "" where it goes straight to its host.
std::string_view ProxyFor(const Request& request, const Proxies& proxies);

}  // namespace tsm::http
