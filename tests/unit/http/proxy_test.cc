#include "tsm/http/proxy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace tsm::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ParseProxyTest, TakesAUrlApart) {
  struct Case {
    const char* url;
    const char* address;
    const char* user;
    const char* password;
  };
  const Case cases[] = {
      {"http://gate.test:8080", "http://gate.test:8080", "", ""},
      {"http://proxy:3128/", "http://proxy:3128", "", ""},
      {"proxy:8080", "http://proxy:8080", "", ""},
      {"http://proxy", "http://proxy:80", "", ""},
      {"HTTPS://proxy", "https://proxy:443", "", ""},
      {"socks5h://proxy", "socks5h://proxy:1080", "", ""},
      {"http://10.0.0.1:1", "http://10.0.0.1:1", "", ""},
      {"http://[fd00::1]:3128", "http://[fd00::1]:3128", "", ""},
      {"http://[::1]", "http://[::1]:80", "", ""},
      {"http://me:secret@proxy:1", "http://proxy:1", "me", "secret"},
      {"me:secret@proxy:1", "http://proxy:1", "me", "secret"},
      {"http://me@proxy:1", "http://proxy:1", "me", ""},
      {"http://me%40corp:p%2F%3a%20w@proxy:1", "http://proxy:1", "me@corp", "p/: w"},
      {"http://me:p@ss:w@proxy:1", "http://proxy:1", "me", "p@ss:w"},
  };
  for (const Case& one : cases) {
    const auto proxy = ParseProxy(one.url);
    ASSERT_TRUE(proxy) << one.url << ": " << proxy.error().Text();
    EXPECT_EQ(proxy->address, one.address) << one.url;
    EXPECT_EQ(proxy->user, one.user) << one.url;
    EXPECT_EQ(proxy->password, one.password) << one.url;
  }
}

TEST(ParseProxyTest, ARefusalSaysWhyAndNeverQuotesThePassword) {
  const std::pair<const char*, const char*> cases[] = {
      {"ftp://me:secret@proxy:1", "scheme"},
      {"http://", "host"},
      {"http://me:secret@", "host"},
      {"http://me:secret@pro xy:1", "host"},
      {"http://me:secret@[::g]:1", "host"},
      {"http://me:secret@[::1:1", "host"},
      {"http://me:secret@::1:1", "host"},
      {"http://me:secret@proxy:0", "port"},
      {"http://me:secret@proxy:65536", "port"},
      {"http://me:secret@proxy:x", "port"},
      {"http://me:secret@proxy:", "port"},
      {"http://me:secret@[::1]x", "port"},
      {"http://me:sec/ret@proxy:1", "password"},
      {"http://me:secret@proxy:1/path", "path"},
      {"http://me:secret%0d%0aX-Evil:1@proxy:1", "control"},
      {"http://me:secret%00@proxy:1", "control"},
  };
  for (const auto& [url, why] : cases) {
    const auto proxy = ParseProxy(url);
    ASSERT_FALSE(proxy) << url;
    EXPECT_EQ(proxy.error().kind, ErrorKind::kConfiguration) << url;
    EXPECT_THAT(proxy.error().message, HasSubstr(why)) << url;
    EXPECT_THAT(proxy.error().message, Not(HasSubstr("sec"))) << url;
  }
}

TEST(BypassesProxyTest, KnowsNamesAddressesAndBlocks) {
  struct Case {
    const char* no_proxy;
    const char* host;
    bool bypasses;
  };
  const Case cases[] = {
      {"", "a.example.com", false},
      {"*", "a.example.com", true},
      {"b.example.com,*", "a.example.com", true},
      {"example.com", "example.com", true},
      {"example.com", "a.b.example.com", true},
      {".example.com", "a.example.com", true},
      {".example.com", "example.com", true},
      {"*.example.com", "a.example.com", true},
      {"example.com", "badexample.com", false},
      {"example.com", "example.com.evil.net", false},
      {"Example.COM", "A.example.com", true},
      {"example.com.", "a.example.com.", true},
      {"localhost, 127.0.0.1 .internal", "x.internal", true},
      {"localhost, 127.0.0.1 .internal", "127.0.0.1:8080", true},
      {"localhost,,", "other", false},
      {"example.com:8443", "example.com:8443", true},
      {"example.com:8443", "example.com:9000", false},
      {"example.com:443", "example.com", true},
      {"example.com:80", "example.com", false},
      {"10.0.0.0/8", "10.200.3.4", true},
      {"10.0.0.0/8", "11.0.0.1", false},
      {"192.168.4.0/22", "192.168.7.255:80", true},
      {"192.168.4.0/22", "192.168.8.0", false},
      {"10.1.2.3/32", "10.1.2.3", true},
      {"0.0.0.0/0", "8.8.8.8", true},
      {"0.0.0.0/0", "a.example.com", false},
      {"10.0.0.0/33", "10.0.0.0", false},
      {"10.0.0.0/-1", "10.0.0.0", false},
      {"10.0.0.0/x", "10.0.0.0", false},
      {"0.1", "10.0.0.1", false},
      {"fd00::/8", "[fd12::1]:443", true},
      {"fd00::/8", "[fe80::1]", false},
      {"::1", "[::1]:8080", true},
      {"[::1]", "[0:0::1]", true},
      {"[::1]:8080", "[::1]:8080", true},
      {"[::1]:8080", "[::1]:8081", false},
      {"fd00::/8", "10.0.0.1", false},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(BypassesProxy(one.no_proxy, "https", one.host), one.bypasses)
        << one.no_proxy << " for " << one.host;
  }
  EXPECT_TRUE(BypassesProxy("example.com:80", "http", "example.com"));
}

TEST(ProxyForTest, TheSchemeChoosesAndDirectRequestsHaveNone) {
  const Proxies proxies{"http://one:1", "http://two:2", "inside.example.com"};
  Request request;
  request.scheme = "http";
  request.host = "sts.amazonaws.com";
  EXPECT_EQ(ProxyFor(request, proxies), "http://one:1");
  request.scheme = "https";
  EXPECT_EQ(ProxyFor(request, proxies), "http://two:2");
  EXPECT_EQ(ProxyFor(request, Proxies{"http://one:1", "", ""}), "");
  request.direct = true;
  EXPECT_EQ(ProxyFor(request, proxies), "");
  request.direct = false;
  request.host = "inside.example.com:8443";
  EXPECT_EQ(ProxyFor(request, proxies), "");
}

}  // namespace
}  // namespace tsm::http
