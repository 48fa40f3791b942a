// How the transport treats its connections: reuse, limits, timeouts, stops.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "http_bench.h"
#include "support/socket_server.h"
#include "tsm/http/curl_transport.h"

namespace tsm::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Connection;
using test::SocketServer;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(CurlConnectionTest, CallsInARowShareOneConnection) {
  EchoLog log;
  SocketServer server(std::ref(log));
  CurlTransport transport;
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(transport.Send(Get(server), {}));
  EXPECT_EQ(log.requests().size(), 20U);
  EXPECT_EQ(server.accepted(), 1);
}

TEST(CurlConnectionTest, AConnectionThatTheServerClosedIsReplaced) {
  SocketServer server([](Connection& connection) {
    connection.ReadRequest();
    connection.Write(Answer("once"));
  });
  CurlTransport transport;
  for (int i = 0; i < 3; ++i) {
    const auto response = transport.Send(Get(server), {});
    ASSERT_TRUE(response) << response.error().Text();
    EXPECT_EQ(response->body, "once");
  }
  EXPECT_EQ(server.accepted(), 3);
}

TEST(CurlConnectionTest, SilenceEndsAtTheIdleTimeout) {
  SocketServer server([](Connection& connection) {
    connection.ReadRequest();
    connection.Write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    connection.WaitForClose();
  });
  Request request = Get(server);
  request.timeouts.idle = milliseconds(50);
  const auto response = CurlTransport().Send(request, {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kTransient);
  EXPECT_THAT(response.error().message, HasSubstr("no byte for 50 ms"));
}

TEST(CurlConnectionTest, TheTotalTimeoutEndsAnAnswerThatDripsForever) {
  SocketServer server([](Connection& connection) {
    connection.ReadRequest();
    connection.Write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    while (!connection.ClosedWithin(milliseconds(5))) connection.Write("x");
  });
  Request request = Get(server);
  request.timeouts.total = milliseconds(200);
  const auto response = CurlTransport().Send(request, {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kTransient);
  EXPECT_THAT(response.error().message, HasSubstr("Operation timed out after"));
}

TEST(CurlConnectionTest, AServerThatAcceptsAndSaysNothingEndsAtTheConnectOrTheIdleTimeout) {
  SocketServer server([](Connection& connection) { connection.WaitForClose(); },
                      SocketServer::Connections::kSideBySide);
  CurlTransport transport;
  // Over TLS the handshake hangs: both timeouts cover it.
  Request request = Get(server);
  request.scheme = "https";
  request.timeouts.connect = milliseconds(50);
  auto response = transport.Send(request, {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kTransient);
  EXPECT_THAT(response.error().message, HasSubstr("timeout"));
  request.timeouts.connect = seconds(60);
  request.timeouts.idle = milliseconds(50);
  response = transport.Send(request, {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kTransient);
  EXPECT_THAT(response.error().message, HasSubstr("no byte for 50 ms"));
  request.scheme = "http";  // no answer to the request
  response = transport.Send(request, {});
  ASSERT_FALSE(response);
  EXPECT_THAT(response.error().message, HasSubstr("no byte for 50 ms"));
}

TEST(CurlConnectionTest, AFreshConnectionIsNotOneThatWasUsedBefore) {
  EchoLog log;
  SocketServer server(std::ref(log), SocketServer::Connections::kSideBySide);
  CurlTransport transport;
  Request request = Get(server);
  ASSERT_TRUE(transport.Send(request, {}));
  request.fresh_connection = true;
  ASSERT_TRUE(transport.Send(request, {}));
  EXPECT_EQ(server.accepted(), 2);
}

TEST(CurlConnectionTest, OnlyAFreshConnectionKeepsLibcurlFromSendingTwice) {
  // Answers the first request of a connection and closes at the second, as a server does that had
  // just decided to close: the client can't know whether that one was carried out.
  std::mutex mutex;
  std::vector<std::string> unanswered;
  SocketServer server(
      [&](Connection& connection) {
        if (connection.ReadRequest().empty()) return;
        connection.Write(Answer("ok"));
        const std::string second = connection.ReadRequest();
        const std::lock_guard lock(mutex);
        if (!second.empty()) unanswered.push_back(second);
      },
      SocketServer::Connections::kSideBySide);
  CurlTransport transport;
  Request request = Get(server);
  ASSERT_TRUE(transport.Send(request, {}));
  request.fresh_connection = true;
  request.path = "/unsafe";
  ASSERT_TRUE(transport.Send(request, {}));
  request.fresh_connection = false;
  request.path = "/safe";
  ASSERT_TRUE(transport.Send(request, {})) << "sent again by libcurl itself";
  const std::lock_guard lock(mutex);
  ASSERT_FALSE(unanswered.empty());
  for (const std::string& sent : unanswered) EXPECT_THAT(sent, StartsWith("GET /safe "));
}

TEST(CurlConnectionTest, ACallBeyondTheLimitWaitsAndAStopEndsTheWait) {
  std::stop_source first;
  std::stop_source second;
  std::atomic<int> cancelled{0};
  const auto send = [&](CurlTransport& transport, const Request& request, std::stop_source& stop) {
    const auto response = transport.Send(request, stop.get_token());
    if (!response && response.error().kind == ErrorKind::kCancelled) ++cancelled;
  };
  CurlOptions options;
  options.max_connections = 1;
  CurlTransport transport(options);
  std::jthread waiting;
  SocketServer server([&](Connection& connection) {
    connection.ReadRequest();
    // The one connection is taken: nothing but its stop can end the other call.
    waiting = std::jthread([&] { send(transport, Get(server), second); });
    second.request_stop();
    waiting.join();
    EXPECT_EQ(cancelled, 1);
    first.request_stop();
    connection.WaitForClose();
  });
  send(transport, Get(server), first);
  EXPECT_EQ(cancelled, 2);
  EXPECT_EQ(server.accepted(), 1);
}

TEST(CurlConnectionTest, TheLimitLetsEveryCallThroughInItsTurn) {
  EchoLog log;
  SocketServer server(std::ref(log), SocketServer::Connections::kSideBySide);
  CurlOptions options;
  options.max_connections = 2;
  CurlTransport transport(options);
  std::atomic<int> answered{0};
  {
    std::vector<std::jthread> threads;
    threads.reserve(8);
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int call = 0; call < 5; ++call) {
          if (transport.Send(Get(server), {})) ++answered;
        }
      });
    }
  }
  EXPECT_EQ(answered, 40);
  EXPECT_LE(server.accepted(), 2);
}

TEST(CurlConnectionTest, AStopEndsACallThatHangs) {
  std::stop_source source;
  SocketServer server([&](Connection& connection) {
    connection.ReadRequest();
    source.request_stop();  // the call is under way: nothing but the stop can end it now
    connection.WaitForClose();
  });
  const auto before = std::chrono::steady_clock::now();
  CurlTransport transport;
  const auto response = transport.Send(Get(server), source.get_token());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kCancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - before, seconds(20));
}

TEST(CurlConnectionTest, AStoppedTokenSendsNothing) {
  EchoLog log;
  SocketServer server(std::ref(log));
  std::stop_source source;
  source.request_stop();
  const auto response = CurlTransport().Send(Get(server), source.get_token());
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(server.accepted(), 0);
}

TEST(CurlConnectionTest, ThreadsSendSideBySide) {
  // Two servers that answer only once both have been asked: calls in a row would hang forever.
  std::mutex mutex;
  std::condition_variable both;
  int asked = 0;
  const auto meet = [&](Connection& connection) {
    connection.ReadRequest();
    std::unique_lock lock(mutex);
    ++asked;
    both.notify_all();
    both.wait(lock, [&] { return asked >= 2; });
    connection.Write(Answer("met"));
  };
  SocketServer one(meet);
  SocketServer two(meet);
  CurlTransport transport;
  std::atomic<int> met{0};
  {
    std::vector<std::jthread> threads;
    for (const SocketServer* server : {&one, &two}) {
      threads.emplace_back([&transport, &met, server] {
        const auto response = transport.Send(Get(*server), {});
        if (response && response->body == "met") ++met;
      });
    }
  }
  EXPECT_EQ(met, 2);
}

}  // namespace
}  // namespace tsm::http
