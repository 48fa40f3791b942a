// A host of several addresses, one of which is not there.
#include <arpa/inet.h>
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstring>
#include <memory>
#include <string>

#include "http_bench.h"
#include "support/socket_server.h"
#include "tsm/http/curl_transport.h"

// The resolver of this program, libcurl's calls too: it knows one host of two addresses, and asks
// the system's for all others.
// NOLINTNEXTLINE(readability-identifier-naming): the C library's name
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints,
                           addrinfo** found) {
  static const auto systems =
      reinterpret_cast<decltype(&getaddrinfo)>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  if (node == nullptr || std::strcmp(node, "several.test") != 0) {
    return systems(node, service, hints, found);
  }
  addrinfo* next = nullptr;
  if (const int failed = systems("127.0.0.3", service, hints, &next); failed != 0) return failed;
  if (const int failed = systems("127.0.0.2", service, hints, found); failed != 0) return failed;
  addrinfo* last = *found;
  while (last->ai_next != nullptr) last = last->ai_next;
  last->ai_next = next;
  return 0;
}

namespace tsm::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Connection;
using test::SocketServer;

// A port that takes no more connections and then, with its owner, refuses them: whoever is waiting
// is told so when the kernel asks again, a second after it asked first.
class BusyPort {
 public:
  BusyPort(const char* address, int port) {
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_addr.s_addr = ::inet_addr(address);
    place.sin_port = htons(static_cast<std::uint16_t>(port));
    const auto* any = reinterpret_cast<const sockaddr*>(&place);
    listens_ = ::bind(listener_, any, sizeof(place)) == 0 && ::listen(listener_, 0) == 0;
    for (int& waiting : waiting_) {
      waiting = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
      static_cast<void>(::connect(waiting, any, sizeof(place)));
    }
  }
  ~BusyPort() {
    ::close(listener_);
    for (const int waiting : waiting_) ::close(waiting);
  }
  BusyPort(const BusyPort&) = delete;
  BusyPort& operator=(const BusyPort&) = delete;
  bool listens() const { return listens_; }

 private:
  int listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
  std::array<int, 4> waiting_{};
  bool listens_ = false;
};

// One that refused late was followed by the next only after half of the connect timeout.
TEST(CurlAddressesTest, TheNextOneIsTriedOnceOneRefuses) {
  SocketServer server([](Connection& connection) { connection.Write(Answer("next")); },
                      SocketServer::Connections::kSideBySide, "127.0.0.3");
  SocketServer slow([](Connection& connection) {
    connection.ReadRequest();
    if (!connection.ClosedWithin(seconds(3))) connection.Write(Answer("slow"));
  });
  auto busy = std::make_unique<BusyPort>("127.0.0.2", server.port());
  ASSERT_TRUE(busy->listens());
  CurlTransport transport;
  const auto multi = transport.OpenMulti(2);
  Request request = Get(server);
  request.host = "several.test:" + std::to_string(server.port());
  request.timeouts.connect = seconds(20);
  multi->Start(1, request);
  multi->Start(2, Get(slow));
  ASSERT_TRUE(multi->Wait(milliseconds(300), {}).empty());
  EXPECT_EQ(server.accepted(), 0) << "the first address was not tried first";
  busy.reset();
  const auto first = multi->Wait(seconds(60), {});
  ASSERT_EQ(first.size(), 1U);
  ASSERT_TRUE(first[0].outcome) << first[0].outcome.error().Text();
  EXPECT_EQ(first[0].outcome->body, "next");
}

}  // namespace
}  // namespace tsm::http
