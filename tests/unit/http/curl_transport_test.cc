#include "tsm/http/curl_transport.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "http_bench.h"
#include "support/socket_server.h"

namespace tsm::http {
namespace {

using test::Connection;
using test::SocketServer;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// The transport must not read these: through such a proxy no test could reach its own server.
[[maybe_unused]] const bool kProxies = ::setenv("http_proxy", "http://127.0.0.1:1", 1) == 0 &&
                                       ::setenv("HTTPS_PROXY", "http://127.0.0.1:1", 1) == 0 &&
                                       ::setenv("ALL_PROXY", "http://127.0.0.1:1", 1) == 0;

TEST(CurlTransportTest, SendsTheRequestAsItStands) {
  EchoLog log;
  SocketServer server(std::ref(log));
  CurlTransport transport;
  Request request = Get(server, "/b/a%20b//x/../%C3%BC/.");
  request.query = {{"prefix", "day=1/"}, {"x", ""}};
  request.headers = {{"x-amz-date", "now"}, {"user-agent", "t/1"}, {"x-empty", ""}};
  const auto response = transport.Send(request, {});
  ASSERT_TRUE(response) << response.error().Text();
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "ok");
  const std::string sent = log.requests().at(0);
  EXPECT_THAT(sent, StartsWith("GET /b/a%20b//x/../%C3%BC/.?prefix=day%3D1%2F&x= HTTP/1.1\r\n"));
  EXPECT_THAT(sent, HasSubstr("Host: " + server.host() + "\r\n"));
  EXPECT_THAT(sent, HasSubstr("x-amz-date: now\r\n"));
  EXPECT_THAT(sent, HasSubstr("user-agent: t/1\r\n"));
  EXPECT_THAT(sent, HasSubstr("x-empty:\r\n"));
  EXPECT_THAT(sent, Not(HasSubstr("Accept")));
  EXPECT_THAT(sent, Not(HasSubstr("Content-")));
}

TEST(CurlTransportTest, SendsBodiesWithTheirLengthAndNothingElse) {
  EchoLog log;
  SocketServer server(std::ref(log));
  CurlTransport transport;
  for (const char* method : {"POST", "PUT"}) {
    for (const std::string& body :
         {std::string(), std::string("a\0b", 3), std::string(3'000'000, 'x')}) {
      Request request = Get(server);
      request.method = method;
      request.body = body;
      request.headers = {{"host", server.host()}};
      ASSERT_TRUE(transport.Send(request, {}));
      const std::string sent = log.requests().back();
      EXPECT_THAT(sent.substr(0, 20), StartsWith(method));
      const std::size_t head_end = sent.find("\r\n\r\n");
      const std::string head = sent.substr(0, head_end);
      EXPECT_THAT(head, HasSubstr("Content-Length: " + std::to_string(body.size())));
      EXPECT_THAT(head, Not(HasSubstr("Content-Type")));
      EXPECT_THAT(head, Not(HasSubstr("Expect")));
      EXPECT_EQ(head.find("ost: "), head.rfind("ost: ")) << "one Host header:\n" << head;
      EXPECT_EQ(sent.substr(head_end + 4), body);
    }
  }
  EXPECT_EQ(server.accepted(), 1);
}

TEST(CurlTransportTest, ASharedBodyIsSentInPlaceOfTheBody) {
  EchoLog log;
  const test::SocketServer server([&](test::Connection& c) { log(c); });
  CurlTransport transport;
  Request put = Get(server, "/b");
  put.method = "PUT";
  put.body = "not this";
  put.shared_body = std::make_shared<const std::string>("but this one");
  ASSERT_TRUE(transport.Send(put, {}));
  ASSERT_EQ(log.requests().size(), 1U);
  EXPECT_THAT(log.requests()[0], testing::HasSubstr("Content-Length: 12"));
  EXPECT_TRUE(log.requests()[0].ends_with("\r\n\r\nbut this one"));
}

TEST(CurlTransportTest, HeadReadsNoBodyAndHeadersAreTrimmed) {
  EchoLog log;
  SocketServer server(std::ref(log));
  CurlTransport transport;
  Request request = Get(server);
  request.method = "HEAD";
  const auto response = transport.Send(request, {});
  ASSERT_TRUE(response) << response.error().Text();
  EXPECT_THAT(log.requests().at(0), StartsWith("HEAD / "));
  EXPECT_EQ(FindHeader(response->headers, "content-length"), "12345");
  EXPECT_EQ(FindHeader(response->headers, "x-a"), "b");
  EXPECT_EQ(response->body, "");
  request.method = "DELETE";  // the handle must forget that it sent a HEAD
  EXPECT_EQ(transport.Send(request, {})->body, "ok");
  EXPECT_THAT(log.requests().at(1), StartsWith("DELETE / "));
}

TEST(CurlTransportTest, OnlyTheLastHeaderBlockCounts) {
  SocketServer server([](Connection& connection) {
    connection.ReadRequest();
    connection.Write("HTTP/1.1 100 Continue\r\nx-early: 1\r\n\r\n");
    connection.Write("HTTP/1.1 404 Not Found\r\nx-late: 2\r\nContent-Length: 4\r\n\r\ngone");
  });
  CurlTransport transport;
  const auto response = transport.Send(Get(server), {});
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 404);
  EXPECT_EQ(response->body, "gone");
  EXPECT_EQ(FindHeader(response->headers, "x-early"), "");
  EXPECT_EQ(FindHeader(response->headers, "x-late"), "2");
}

TEST(CurlTransportTest, RedirectsAreAnswers) {
  SocketServer server([](Connection& connection) {
    connection.ReadRequest();
    connection.Write(
        "HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n");
  });
  const auto response = CurlTransport().Send(Get(server), {});
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 301);
}

TEST(CurlTransportTest, ARefusedConnectionIsTransientAndNamesTheHost) {
  Request request;
  request.method = "GET";
  request.scheme = "http";
  request.host = "127.0.0.1:" + std::to_string(test::ClosedPort());
  const auto response = CurlTransport().Send(request, {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kTransient);
  EXPECT_THAT(response.error().message, HasSubstr(request.host));
  EXPECT_THAT(response.error().message, HasSubstr("Connection refused"));
}

TEST(CurlTransportTest, AResetInTheMiddleIsTransient) {
  SocketServer server([](Connection& connection) {
    connection.ReadRequest();
    connection.Write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    connection.ResetOnClose();
  });
  const auto response = CurlTransport().Send(Get(server), {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kTransient);
}

TEST(CurlTransportTest, ATruncatedBodyIsTransient) {
  SocketServer server([](Connection& connection) {
    connection.ReadRequest();
    connection.Write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  });
  const auto response = CurlTransport().Send(Get(server), {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kTransient);
}

TEST(CurlTransportTest, HttpsToAServerWithoutTlsIsAConfigurationError) {
  SocketServer server([](Connection& connection) {
    connection.Write("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    connection.WaitForClose();
  });
  Request request = Get(server);
  request.scheme = "https";
  const auto response = CurlTransport().Send(request, {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kConfiguration);
  EXPECT_THAT(response.error().message, HasSubstr("is the endpoint http:// instead?"));
}

TEST(CurlTransportTest, AServerThatSpeaksNoHttpIsAConfigurationError) {
  SocketServer server([](Connection& connection) {
    connection.ReadRequest();
    connection.Write("220 smtp.example.com ready\r\n");
  });
  const auto response = CurlTransport().Send(Get(server), {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kConfiguration);
}

TEST(CurlTransportTest, AnUnusableUrlAndAMissingBundleAreConfigurationErrors) {
  Request request;
  request.method = "GET";
  request.scheme = "http";
  request.host = "127.0.0.1:notaport";
  const auto bad_url = CurlTransport().Send(request, {});
  ASSERT_FALSE(bad_url);
  EXPECT_EQ(bad_url.error().kind, ErrorKind::kConfiguration);

  SocketServer server([](Connection& connection) { connection.WaitForClose(); });
  request.scheme = "https";
  request.host = server.host();
  CurlOptions options;
  options.ca_bundle = "/nonexistent/bundle.pem";
  CurlTransport transport(options);
  const auto bad_bundle = transport.Send(request, {});
  ASSERT_FALSE(bad_bundle);
  EXPECT_EQ(bad_bundle.error().kind, ErrorKind::kConfiguration);
  EXPECT_THAT(bad_bundle.error().message, HasSubstr("/nonexistent/bundle.pem"));
  EXPECT_THAT(bad_bundle.error().message, HasSubstr("AWS_CA_BUNDLE"));
}

}  // namespace
}  // namespace tsm::http
