// A host of several addresses, one of which is not there.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include "http_bench.h"
#include "support/own_mounts.h"
#include "support/socket_server.h"
#include "tsm/http/curl_transport.h"

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
  const std::filesystem::path hosts =
      std::filesystem::temp_directory_path() / ("tsm_hosts_" + std::to_string(::getpid()));
  std::ofstream(hosts) << "127.0.0.2 several\n127.0.0.3 several\n";
  enum Outcome { kNextAtOnce, kFailed, kNextLate, kNoPort };
  const auto outcome = test::WithInPlaceOf("/etc/hosts", hosts, []() -> int {
    SocketServer server([](Connection& connection) { connection.Write(Answer("next")); },
                        SocketServer::Connections::kSideBySide, "127.0.0.3");
    SocketServer slow([](Connection& connection) {
      connection.ReadRequest();
      if (!connection.ClosedWithin(seconds(3))) connection.Write(Answer("slow"));
    });
    auto busy = std::make_unique<BusyPort>("127.0.0.2", server.port());
    if (!busy->listens()) return kNoPort;
    CurlTransport transport;
    const auto multi = transport.OpenMulti(2);
    Request request = Get(server);
    request.host = "several:" + std::to_string(server.port());
    request.timeouts.connect = seconds(20);
    multi->Start(1, request);
    multi->Start(2, Get(slow));
    if (!multi->Wait(milliseconds(300), {}).empty()) return kFailed;
    busy.reset();
    const auto first = multi->Wait(seconds(60), {});
    if (first.empty() || !first[0].outcome) return kFailed;
    return first[0].id == 1 ? kNextAtOnce : kNextLate;
  });
  std::filesystem::remove(hosts);
  if (!outcome) GTEST_SKIP() << "SEVERAL ADDRESSES ARE NOT TESTED: no mount namespace is allowed";
  EXPECT_EQ(*outcome, kNextAtOnce);
}

}  // namespace
}  // namespace tsm::http
