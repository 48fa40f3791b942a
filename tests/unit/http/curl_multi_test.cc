// Many requests of one thread over libcurl, against servers that behave and servers that don't.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "http_bench.h"
#include "support/socket_server.h"
#include "tsm/http/curl_transport.h"

namespace tsm::http {
namespace {

using std::chrono::milliseconds;
using test::Connection;
using test::SocketServer;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr milliseconds kLong{10'000};

// Outcomes by id, once all are over.
std::map<std::uint64_t, Result<Response>> WaitForAll(Multi& multi, std::stop_token stop = {}) {
  std::map<std::uint64_t, Result<Response>> outcomes;
  while (multi.under_way() > 0) {
    for (Multi::Answered& answered : multi.Wait(kLong, stop)) {
      EXPECT_TRUE(outcomes.emplace(answered.id, std::move(answered.outcome)).second);
    }
  }
  return outcomes;
}

// Answers with the path that was asked for.
void EchoPath(Connection& connection) {
  for (std::string request = connection.ReadRequest(); !request.empty();
       request = connection.ReadRequest()) {
    const std::size_t path = request.find(' ') + 1;
    connection.Write(Answer(request.substr(path, request.find(' ', path) - path)));
  }
}

TEST(CurlMultiTest, EachAnswerBelongsToItsRequest) {
  SocketServer server(EchoPath, SocketServer::Connections::kSideBySide);
  CurlTransport transport;
  const std::unique_ptr<Multi> multi = transport.OpenMulti(16);
  ASSERT_NE(multi, nullptr);
  std::uint64_t next = 0;
  std::map<std::uint64_t, std::string> bodies;
  while (next < 500 || multi->under_way() > 0) {
    while (next < 500 && multi->under_way() < 16) {
      multi->Start(next, Get(server, "/" + std::to_string(next)));
      ++next;
    }
    for (const Multi::Answered& answered : multi->Wait(kLong, {})) {
      ASSERT_TRUE(answered.outcome) << answered.outcome.error().Text();
      EXPECT_EQ(answered.request.path, "/" + std::to_string(answered.id));
      bodies[answered.id] = answered.outcome->body;
    }
  }
  ASSERT_THAT(bodies, SizeIs(500));
  for (const auto& [id, body] : bodies) EXPECT_EQ(body, "/" + std::to_string(id));
  EXPECT_LE(server.accepted(), 16) << "connections are kept and reused";
}

TEST(CurlMultiTest, ARequestIsSentAtOnceNotWhenItIsWaitedFor) {
  EchoLog log;
  SocketServer server(std::ref(log));
  CurlTransport transport;
  const auto multi = transport.OpenMulti(2);
  multi->Start(1, Get(server));
  WaitForAll(*multi);
  multi->Start(2, Get(server));  // the connection is there
  const auto until = std::chrono::steady_clock::now() + kLong;
  while (log.requests().size() < 2 && std::chrono::steady_clock::now() < until) {
    std::this_thread::yield();
  }
  EXPECT_THAT(log.requests(), SizeIs(2));
}

TEST(CurlMultiTest, AHandleForgetsTheRequestBefore) {
  EchoLog log;
  SocketServer server(std::ref(log));
  CurlTransport transport;
  const auto multi = transport.OpenMulti(1);
  Request put = Get(server);
  put.method = "PUT";
  put.body = "body";
  Request head = Get(server);
  head.method = "HEAD";
  std::uint64_t id = 0;
  for (const Request& request : {put, Get(server), head, put, head, Get(server)}) {
    multi->Start(++id, request);
    const auto outcomes = WaitForAll(*multi);
    ASSERT_TRUE(outcomes.at(id)) << outcomes.at(id).error().Text();
    EXPECT_EQ(outcomes.at(id)->body, request.method == "HEAD" ? "" : "ok");
    const std::string sent = log.requests().back();
    EXPECT_THAT(sent, StartsWith(request.method + " / HTTP/1.1\r\n"));
    if (request.method == "PUT") {
      EXPECT_TRUE(sent.ends_with("\r\n\r\nbody")) << sent;
    } else {
      EXPECT_THAT(sent, Not(HasSubstr("Content-")));
      EXPECT_TRUE(sent.ends_with("\r\n\r\n")) << sent;
    }
  }
  EXPECT_EQ(server.accepted(), 1);
}

TEST(CurlMultiTest, OneFailureLeavesTheOthersAlone) {
  SocketServer good(EchoPath, SocketServer::Connections::kSideBySide);
  SocketServer resets([](Connection& connection) {
    connection.ReadRequest();
    connection.Write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    connection.ResetOnClose();
  });
  CurlTransport transport;
  const auto multi = transport.OpenMulti(8);
  Request refused = Get(good);
  refused.host = "127.0.0.1:" + std::to_string(test::ClosedPort());
  Request unusable = Get(good);
  unusable.host = "127.0.0.1:notaport";
  multi->Start(1, Get(good, "/one"));
  multi->Start(2, refused);
  multi->Start(3, Get(resets));
  multi->Start(4, unusable);
  multi->Start(5, Get(good, "/five"));
  EXPECT_EQ(multi->under_way(), 5U);
  const auto outcomes = WaitForAll(*multi);
  EXPECT_EQ(outcomes.at(1)->body, "/one");
  EXPECT_EQ(outcomes.at(5)->body, "/five");
  ASSERT_FALSE(outcomes.at(2));
  EXPECT_EQ(outcomes.at(2).error().kind, ErrorKind::kTransient);
  EXPECT_THAT(outcomes.at(2).error().message, HasSubstr("Connection refused"));
  ASSERT_FALSE(outcomes.at(3));
  EXPECT_EQ(outcomes.at(3).error().kind, ErrorKind::kTransient);
  ASSERT_FALSE(outcomes.at(4));
  EXPECT_EQ(outcomes.at(4).error().kind, ErrorKind::kConfiguration);
}

TEST(CurlMultiTest, AProxyThatIsNoneIsSaidOfTheRequest) {
  CurlOptions options;
  options.proxies.http = "gopher://secret@proxy";
  CurlTransport transport(options);
  const auto multi = transport.OpenMulti(2);
  Request request;
  request.method = "GET";
  request.scheme = "http";
  request.host = "aws.test";
  multi->Start(7, request);
  EXPECT_EQ(multi->under_way(), 1U);
  const auto outcomes = WaitForAll(*multi);
  ASSERT_FALSE(outcomes.at(7));
  EXPECT_EQ(outcomes.at(7).error().kind, ErrorKind::kConfiguration);
  EXPECT_THAT(outcomes.at(7).error().message,
              testing::AllOf(HasSubstr("HTTP_PROXY"), Not(HasSubstr("secret"))));
}

TEST(CurlMultiTest, AProxyIsUsedForThoseThatGoThroughOne) {
  EchoLog direct_log;
  SocketServer direct(std::ref(direct_log));
  EchoLog proxy_log;
  SocketServer proxy(std::ref(proxy_log));
  CurlOptions options;
  options.proxies.http = "http://user:word@" + proxy.host();
  CurlTransport transport(options);
  const auto multi = transport.OpenMulti(1);
  Request through = Get(direct, "/through");
  Request around = Get(direct, "/around");
  around.direct = true;
  std::uint64_t id = 0;
  for (const Request& request : {through, around, through}) {
    multi->Start(++id, request);
    const auto outcomes = WaitForAll(*multi);
    ASSERT_TRUE(outcomes.at(id)) << outcomes.at(id).error().Text();
  }
  ASSERT_THAT(proxy_log.requests(), SizeIs(2));
  EXPECT_THAT(proxy_log.requests()[0], HasSubstr("Proxy-Authorization: Basic"));
  ASSERT_THAT(direct_log.requests(), SizeIs(1));
  EXPECT_THAT(direct_log.requests()[0], Not(HasSubstr("Proxy-Authorization")));
}

TEST(CurlMultiTest, AWaitEndsWhenItsTimeIsOver) {
  SocketServer server([](Connection& connection) { connection.WaitForClose(); },
                      SocketServer::Connections::kSideBySide);
  CurlTransport transport;
  const auto multi = transport.OpenMulti(2);
  EXPECT_THAT(multi->Wait(kLong, {}), IsEmpty()) << "nothing is under way";
  multi->Start(1, Get(server));
  EXPECT_THAT(multi->Wait(milliseconds(20), {}), IsEmpty());
  EXPECT_EQ(multi->under_way(), 1U);
}  // and the multi goes with a request under way

TEST(CurlMultiTest, AStopEndsAllThatAreUnderWay) {
  SocketServer server([](Connection& connection) { connection.WaitForClose(); },
                      SocketServer::Connections::kSideBySide);
  CurlTransport transport;
  const auto multi = transport.OpenMulti(4);
  for (std::uint64_t id = 0; id < 4; ++id) multi->Start(id, Get(server));
  std::stop_source stop;
  std::jthread stopper([&stop] {
    std::this_thread::sleep_for(milliseconds(20));
    stop.request_stop();
  });
  const auto outcomes = WaitForAll(*multi, stop.get_token());
  ASSERT_THAT(outcomes, SizeIs(4));
  for (const auto& [id, outcome] : outcomes) {
    ASSERT_FALSE(outcome);
    EXPECT_EQ(outcome.error().kind, ErrorKind::kCancelled);
  }
  multi->Start(9, Get(server));
  EXPECT_EQ(WaitForAll(*multi, stop.get_token()).at(9).error().kind, ErrorKind::kCancelled);
}

TEST(CurlMultiTest, SilenceEndsARequestAndNoOther) {
  SocketServer silent([](Connection& connection) {
    connection.ReadRequest();
    connection.WaitForClose();
  });
  SocketServer slow([](Connection& connection) {
    connection.ReadRequest();
    connection.Write("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n");
    for (int i = 0; i < 12; ++i) {
      if (connection.ClosedWithin(milliseconds(100))) return;
      connection.Write(".");
    }
  });
  CurlTransport transport;
  const auto multi = transport.OpenMulti(2);
  Request request = Get(silent);
  request.timeouts.idle = milliseconds(800);
  multi->Start(1, request);
  request.host = slow.host();
  multi->Start(2, request);
  const auto outcomes = WaitForAll(*multi);
  ASSERT_FALSE(outcomes.at(1));
  EXPECT_EQ(outcomes.at(1).error().kind, ErrorKind::kTransient);
  EXPECT_THAT(outcomes.at(1).error().message, HasSubstr("no byte for 800 ms"));
  ASSERT_TRUE(outcomes.at(2)) << outcomes.at(2).error().Text();
}

// Four requests, and a caller who is kept by something else for longer than the line may be silent.
void ExpectAllAnsweredAfterAnAbsence(milliseconds waited_before) {
  SocketServer server(EchoPath, SocketServer::Connections::kSideBySide);
  CurlTransport transport;
  const auto multi = transport.OpenMulti(4);
  for (std::uint64_t id = 0; id < 4; ++id) {
    Request request = Get(server);
    request.timeouts.idle = milliseconds(800);
    multi->Start(id, request);
  }
  if (waited_before.count() > 0) static_cast<void>(multi->Wait(waited_before, {}));
  std::this_thread::sleep_for(milliseconds(1000));
  for (const auto& [id, outcome] : WaitForAll(*multi)) {
    EXPECT_TRUE(outcome) << outcome.error().Text();
  }
}

TEST(CurlMultiTest, WhatWasNotSentWhileNobodyWaitedWasNotSilent) {
  ExpectAllAnsweredAfterAnAbsence(milliseconds(0));
}

TEST(CurlMultiTest, WhatCameWhileNobodyWaitedCountsAsHeard) {
  ExpectAllAnsweredAfterAnAbsence(milliseconds(1));
}

TEST(CurlMultiTest, ABodyThatComesInPiecesIsWhole) {
  const std::string body(5'000'000, 'x');
  SocketServer server([&](Connection& connection) {
    connection.ReadRequest();
    connection.Write(Answer(body));
  });
  CurlTransport transport;
  const auto multi = transport.OpenMulti(1);
  multi->Start(1, Get(server));
  const auto outcomes = WaitForAll(*multi);
  ASSERT_TRUE(outcomes.at(1)) << outcomes.at(1).error().Text();
  EXPECT_EQ(outcomes.at(1)->body, body);
}

}  // namespace
}  // namespace tsm::http
