// The transport through proxies that the tests play themselves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>
#include <string>
#include <vector>

#include "support/socket_server.h"
#include "tsm/http/curl_transport.h"

namespace tsm::http {
namespace {

using test::Connection;
using test::SocketServer;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

// Answers every request with the same text and keeps what it was sent.
class Answering {
 public:
  explicit Answering(std::string answer) : answer_(std::move(answer)) {}
  void operator()(Connection& connection) {
    for (std::string request = connection.ReadRequest(); !request.empty();
         request = connection.ReadRequest()) {
      {
        const std::lock_guard lock(mutex_);
        seen_.push_back(request);
      }
      connection.Write(answer_);
    }
  }
  std::vector<std::string> seen() {
    const std::lock_guard lock(mutex_);
    return seen_;
  }

 private:
  const std::string answer_;
  std::mutex mutex_;
  std::vector<std::string> seen_;
};

constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

Request Post(std::string scheme, std::string host) {
  Request request;
  request.method = "POST";
  request.scheme = std::move(scheme);
  request.host = std::move(host);
  request.headers = {{"authorization", "AWS4-HMAC-SHA256 Signature=abc"},
                     {"x-amz-security-token", "TOKEN"}};
  request.body = "{}";
  return request;
}

CurlOptions Through(const std::string& proxy, std::string no_proxy = "") {
  CurlOptions options;
  options.proxies = {proxy, proxy, std::move(no_proxy)};
  return options;
}

TEST(CurlProxyTest, PlainRequestsReachTheProxyInAbsoluteForm) {
  Answering log(kOk);
  SocketServer proxy(std::ref(log));
  CurlTransport transport(Through("http://" + proxy.host()));
  Request request = Post("http", "nowhere.invalid");
  request.path = "/b/a%20b//x/../%C3%BC/.";
  const auto response = transport.Send(request, {});
  ASSERT_TRUE(response) << response.error().Text();
  EXPECT_EQ(response->body, "ok");
  ASSERT_THAT(log.seen(), SizeIs(1));
  EXPECT_THAT(log.seen()[0],
              StartsWith("POST http://nowhere.invalid/b/a%20b//x/../%C3%BC/. HTTP/1.1\r\n"));
  EXPECT_THAT(log.seen()[0], HasSubstr("Host: nowhere.invalid\r\n"));
}

TEST(CurlProxyTest, TheUrlsCredentialsGoToTheProxyOnly) {
  Answering log(kOk);
  SocketServer proxy(std::ref(log));
  CurlTransport transport(Through("http://me:p%40ss@" + proxy.host()));
  ASSERT_TRUE(transport.Send(Post("http", "nowhere.invalid"), {}));
  EXPECT_THAT(log.seen().at(0), HasSubstr("Proxy-Authorization: Basic bWU6cEBzcw==\r\n"));
  // The next request of the same handle goes straight.
  Answering straight(kOk);
  SocketServer server(std::ref(straight));
  Request direct = Post("http", server.host());
  direct.direct = true;
  ASSERT_TRUE(transport.Send(direct, {}));
  EXPECT_THAT(straight.seen().at(0), AllOf(StartsWith("POST / "), Not(HasSubstr("Proxy-"))));
}

TEST(CurlProxyTest, APasswordWithoutAUserIsSentToo) {
  Answering log(kOk);
  SocketServer proxy(std::ref(log));
  CurlTransport transport(Through("http://:token@" + proxy.host()));
  ASSERT_TRUE(transport.Send(Post("http", "nowhere.invalid"), {}));
  EXPECT_THAT(log.seen().at(0), HasSubstr("Proxy-Authorization: Basic OnRva2Vu\r\n"));
}

TEST(CurlProxyTest, NoProxyAndDirectRequestsGoPastIt) {
  Answering log(kOk);
  SocketServer proxy(std::ref(log));
  Answering straight(kOk);
  SocketServer server(std::ref(straight), SocketServer::Connections::kSideBySide);
  CurlTransport excepted(Through("http://" + proxy.host(), "example.com,127.0.0.0/8"));
  ASSERT_TRUE(excepted.Send(Post("http", server.host()), {}));
  CurlTransport proxied(Through("http://" + proxy.host()));
  Request direct = Post("http", server.host());
  direct.direct = true;
  ASSERT_TRUE(proxied.Send(direct, {}));
  EXPECT_THAT(straight.seen(), SizeIs(2));
  EXPECT_THAT(log.seen(), IsEmpty());
}

TEST(CurlProxyTest, TheSchemeOfTheRequestChoosesTheProxy) {
  Answering log(kOk);
  SocketServer proxy(std::ref(log));
  Answering straight(kOk);
  SocketServer server(std::ref(straight));
  CurlOptions options;
  options.proxies.https = "http://" + proxy.host();
  ASSERT_TRUE(CurlTransport(options).Send(Post("http", server.host()), {}));
  EXPECT_THAT(straight.seen(), SizeIs(1));
  EXPECT_THAT(log.seen(), IsEmpty());
}

TEST(CurlProxyTest, ARefusedConnectNamesTheProxyAndTheVariables) {
  struct Case {
    const char* login;
    const char* status;
    ErrorKind kind;
    const char* message;
  };
  const Case cases[] = {
      {"", "407 Proxy Authentication Required", ErrorKind::kConfiguration,
       "the proxy asks for a user and password (HTTP 407)"},
      {"me:secret@", "407 Proxy Authentication Required", ErrorKind::kConfiguration,
       "the proxy does not accept its user and password (HTTP 407)"},
      {"me:secret@", "403 Forbidden", ErrorKind::kConfiguration,
       "the proxy refuses the connection (HTTP 403)"},
      {"", "405 Method Not Allowed", ErrorKind::kConfiguration,
       "the proxy refuses the connection (HTTP 405)"},
      {"", "429 Too Many Requests", ErrorKind::kTransient,
       "the proxy could not make the connection (HTTP 429)"},
      {"me:secret@", "503 Service Unavailable", ErrorKind::kTransient,
       "the proxy could not make the connection (HTTP 503)"},
  };
  for (const Case& one : cases) {
    Answering log("HTTP/1.1 " + std::string(one.status) +
                  "\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 4\r\n\r\nsays");
    SocketServer proxy(std::ref(log));
    CurlTransport transport(Through("http://" + std::string(one.login) + proxy.host()));
    const auto response = transport.Send(Post("https", "sts.amazonaws.com"), {});
    ASSERT_FALSE(response) << one.status;
    EXPECT_EQ(response.error().kind, one.kind) << one.status;
    EXPECT_EQ(response.error().message,
              "https://sts.amazonaws.com (through the proxy http://" + proxy.host() +
                  "): " + one.message + " (HTTPS_PROXY, HTTP_PROXY and NO_PROXY decide the proxy)");
    // The proxy was asked for a tunnel and saw nothing of the request.
    ASSERT_THAT(log.seen(), SizeIs(1)) << one.status;
    EXPECT_THAT(log.seen()[0], AllOf(StartsWith("CONNECT sts.amazonaws.com:443 HTTP/1.1\r\n"),
                                     Not(HasSubstr("AWS4")), Not(HasSubstr("TOKEN"))));
  }
}

TEST(CurlProxyTest, A407ToAPlainRequestIsTheProxysNotTheServices) {
  Answering log("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 4\r\n\r\nhtml");
  SocketServer proxy(std::ref(log));
  const auto response =
      CurlTransport(Through("http://" + proxy.host())).Send(Post("http", "nowhere.invalid"), {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kConfiguration);
  EXPECT_THAT(response.error().message,
              AllOf(HasSubstr(proxy.host()), HasSubstr("407"), HasSubstr("HTTP_PROXY")));
}

TEST(CurlProxyTest, AProxyThatIsNotThereIsNamed) {
  const std::string host = "127.0.0.1:" + std::to_string(test::ClosedPort());
  for (const char* scheme : {"http://", "socks5h://"}) {
    const auto response = CurlTransport(Through(scheme + std::string("me:secret@") + host))
                              .Send(Post("https", "sts.amazonaws.com"), {});
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().kind, ErrorKind::kTransient);
    EXPECT_THAT(
        response.error().message,
        AllOf(HasSubstr("through the proxy " + (scheme + host)), HasSubstr("Connection refused"),
              HasSubstr("HTTPS_PROXY"), Not(HasSubstr("secret"))));
  }
}

TEST(CurlProxyTest, AProxyWhoseNameDoesNotResolveIsAConfigurationError) {
  // A label of 64 characters: the resolver knows without asking anyone.
  const std::string name = std::string(64, 'x') + ".invalid";
  const auto response = CurlTransport(Through("http://me:secret@" + name + ":3128"))
                            .Send(Post("https", "sts.amazonaws.com"), {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kConfiguration);
  EXPECT_THAT(response.error().message,
              AllOf(HasSubstr(name), HasSubstr("HTTPS_PROXY"), Not(HasSubstr("secret"))));
}

TEST(CurlProxyTest, AnUnusableUrlIsRefusedBeforeAnythingIsSent) {
  const auto response = CurlTransport(Through("http://me:sec/ret@proxy:3128"))
                            .Send(Post("https", "sts.amazonaws.com"), {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kConfiguration);
  EXPECT_THAT(response.error().message, AllOf(HasSubstr("HTTPS_PROXY"), Not(HasSubstr("sec/"))));
}

TEST(CurlProxyTest, ASocksProxyThatRefusesTheLoginIsAConfigurationError) {
  SocketServer proxy([](Connection& connection) {
    connection.ReadBytes(1);
    connection.Write(std::string("\x05\xff", 2));  // none of the offered methods
    connection.WaitForClose();
  });
  const auto response = CurlTransport(Through("socks5h://" + proxy.host()))
                            .Send(Post("https", "sts.amazonaws.com"), {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kConfiguration);
  EXPECT_THAT(response.error().message, HasSubstr("socks5h://" + proxy.host()));
}

TEST(CurlProxyTest, AProxyThatHangsEndsAtTheConnectTimeout) {
  SocketServer proxy([](Connection& connection) { connection.WaitForClose(); });
  Request request = Post("https", "sts.amazonaws.com");
  request.timeouts.connect = std::chrono::milliseconds(50);
  const auto response = CurlTransport(Through("http://" + proxy.host())).Send(request, {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kTransient);
  EXPECT_THAT(response.error().message, HasSubstr("through the proxy http://" + proxy.host()));
}

}  // namespace
}  // namespace tsm::http
