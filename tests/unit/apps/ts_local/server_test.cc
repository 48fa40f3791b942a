// The HTTP server over a real socket: what reaches the handler is what stood on the wire.

#include "ts_local/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <stdexcept>
#include <thread>

#include "apps/ts_local/scratch_dir.h"

namespace ts_local {
namespace {

// A server whose handler the test chooses, and one raw connection to it.
class ServerTest : public testing::Test {
 protected:
  void SetUp() override {
    port_ = server_.Bind("127.0.0.1", 0);
    serving_ = std::thread([this] { server_.Run(); });
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port_));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    const timeval patience{20, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  }

  void TearDown() override {
    ::close(socket_);
    server_.Stop();
    serving_.join();
  }

  void Send(const std::string& text) const {
    ASSERT_EQ(::send(socket_, text.data(), text.size(), MSG_NOSIGNAL), std::ssize(text));
  }

  // Reads until the connection's bytes end with `end`.
  std::string ReceiveUntil(const std::string& end) const {
    std::string out;
    while (!out.ends_with(end)) {
      char byte = 0;
      if (::recv(socket_, &byte, 1, 0) != 1) throw std::runtime_error("no more after: " + out);
      out += byte;
    }
    return out;
  }

  std::string Exchange(const std::string& request) const {
    Send(request);
    return ReceiveUntil("<end>");
  }

  std::function<Response(Request&)> handler_ = [](Request& request) {
    Response response;
    response.headers = {{"Content-Type", "text/plain"}};
    response.body = request.method + " " + request.raw_target + " | " + request.body + "<end>";
    return response;
  };
  HttpServer server_{[this](Request& request) { return handler_(request); }};
  std::thread serving_;
  int port_ = 0;
  int socket_ = -1;
};

TEST_F(ServerTest, HeadersAndTargetArriveUndecoded) {
  Request seen;
  handler_ = [&](Request& request) {
    seen = request;
    Response response;
    response.body = "<end>";
    return response;
  };
  Exchange(
      "PUT /b/a%2Bb%252F?x=%2F&y&z=? HTTP/1.1\r\nHost: h\r\nX-Amz-Copy-Source:  b%2Fk%20x \r\n"
      "Range: bytes=1-2\r\nContent-Type: multipart/form-data; boundary=q\r\n"
      "Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nplain");
  EXPECT_EQ(seen.raw_target, "/b/a%2Bb%252F?x=%2F&y&z=?");
  EXPECT_EQ(seen.path, "/b/a+b%2F");
  EXPECT_EQ(seen.Header("x-amz-copy-source"), "b%2Fk%20x");
  EXPECT_EQ(seen.Header("range"), "bytes=1-2");
  EXPECT_EQ(*seen.Query("x"), "/");
  EXPECT_EQ(*seen.Query("y"), "");
  EXPECT_EQ(*seen.Query("z"), "?");
  EXPECT_EQ(seen.Query("a"), nullptr);
  EXPECT_EQ(seen.body, "plain");
}

TEST_F(ServerTest, OneConnectionServesManyRequestsOfEveryFraming) {
  for (int i = 0; i < 20; ++i) {
    // No length at all: it has no body.
    EXPECT_TRUE(Exchange("DELETE /k HTTP/1.1\r\nHost: h\r\n\r\n").ends_with("DELETE /k | <end>"));
    EXPECT_TRUE(Exchange("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                         "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
                    .ends_with("| abcde<end>"));
  }
  const std::string form(20'000, 'f');  // beyond the library's limit for forms
  EXPECT_TRUE(Exchange("POST / HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-"
                       "urlencoded\r\nContent-Length: 20000\r\n\r\n" +
                       form)
                  .ends_with(form + "<end>"));
  const std::string get = "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n";
  Send(get + "GET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(ReceiveUntil("<end>").ends_with("GET /1 | <end>"));
  EXPECT_TRUE(ReceiveUntil("<end>").ends_with("GET /2 | <end>"));
}

TEST_F(ServerTest, TellsAWaitingClientToGoOn) {
  Send("PUT /k HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(ReceiveUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_TRUE(Exchange("ok").ends_with("PUT /k | ok<end>"));
}

TEST_F(ServerTest, HeadTellsTheLengthAndSendsNothing) {
  handler_ = [](Request& request) {
    Response response;
    if (request.method == "HEAD") {
      response.headers = {{"Content-Length", "123456"}};
    } else {
      response.body = "<end>";
    }
    return response;
  };
  Send("HEAD /k HTTP/1.1\r\nHost: h\r\n\r\n");
  const std::string head = ReceiveUntil("\r\n\r\n");
  EXPECT_NE(head.find("Content-Length: 123456\r\n"), std::string::npos) << head;
  EXPECT_TRUE(Exchange("GET /k HTTP/1.1\r\nHost: h\r\n\r\n").starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_F(ServerTest, StreamsAPartOfAFile) {
  const ScratchDir dir;
  const std::string file = dir.path() + "/f";
  std::ofstream(file) << "0123456789" << std::string(300'000, 'x') << "<end>and more";
  handler_ = [&](Request&) {
    Response response;
    response.status = 206;
    response.headers = {{"Content-Type", "text/csv"}};
    response.file = file;
    response.offset = 8;
    response.length = 2 + 300'000 + 5;
    return response;
  };
  const std::string answer =
      Exchange("GET /k HTTP/1.1\r\nHost: h\r\nRange: bytes=8-300014\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 206 Partial Content\r\n"));
  EXPECT_NE(answer.find("Content-Length: 300007\r\n"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\n89" + std::string(300'000, 'x') + "<end>"));
}

TEST_F(ServerTest, APortInUseIsAnError) {
  HttpServer second([](Request&) { return Response{}; });
  EXPECT_THROW(second.Bind("127.0.0.1", port_), std::runtime_error);
}

}  // namespace
}  // namespace ts_local
