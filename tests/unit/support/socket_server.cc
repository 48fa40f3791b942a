#include "support/socket_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "tsm/core/text.h"

namespace tsm::test {

namespace {

int ListenOn(const std::string& name, int* port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::inet_addr(name.c_str());
  socklen_t size = sizeof(address);
  auto* any = reinterpret_cast<sockaddr*>(&address);
  const bool listening = listener >= 0 && ::bind(listener, any, size) == 0 &&
                         ::listen(listener, 16) == 0 && ::getsockname(listener, any, &size) == 0;
  if (!listening) std::abort();
  *port = ntohs(address.sin_port);
  return listener;
}

// False where the server ends first.
bool WaitReadable(int socket, int wake) {
  std::array<pollfd, 2> waits = {{{socket, POLLIN, 0}, {wake, POLLIN, 0}}};
  if (::poll(waits.data(), waits.size(), -1) < 0) return false;
  return waits[1].revents == 0;
}

std::size_t ContentLength(std::string_view head) {
  constexpr std::string_view kName = "\r\ncontent-length:";
  const std::string lower = ToLowerAscii(head);
  const std::size_t at = lower.find(kName);
  if (at == std::string::npos) return 0;
  const std::size_t start = at + kName.size();
  const auto length =
      ParseInt64(TrimAscii(std::string_view(lower).substr(start, lower.find('\r', start) - start)));
  return length ? static_cast<std::size_t>(*length) : 0;
}

}  // namespace

bool Connection::ReadMore() {
  if (!WaitReadable(socket_, wake_)) return false;
  std::array<char, 4096> bytes{};
  const ssize_t size = ::recv(socket_, bytes.data(), bytes.size(), 0);
  if (size <= 0) return false;
  buffer_.append(bytes.data(), static_cast<std::size_t>(size));
  return true;
}

std::string Connection::ReadRequest() {
  std::size_t head = std::string::npos;
  while ((head = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!ReadMore()) return {};
  }
  const std::size_t whole = head + 4 + ContentLength(std::string_view(buffer_).substr(0, head + 2));
  while (buffer_.size() < whole) {
    if (!ReadMore()) return {};
  }
  std::string request = buffer_.substr(0, whole);
  buffer_.erase(0, whole);
  return request;
}

std::string Connection::ReadBytes(std::size_t least) {
  while (buffer_.size() < least && ReadMore()) {
  }
  return std::exchange(buffer_, {});
}

void Connection::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
}

void Connection::WaitForClose() {
  while (ReadMore()) buffer_.clear();
}

bool Connection::ClosedWithin(std::chrono::milliseconds time) {
  std::array<pollfd, 2> waits = {{{socket_, POLLIN, 0}, {wake_, POLLIN, 0}}};
  if (::poll(waits.data(), waits.size(), static_cast<int>(time.count())) <= 0) return false;
  return waits[1].revents != 0 || !ReadMore();
}

void Connection::ResetOnClose() {
  const linger at_once{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

SocketServer::SocketServer(Handler handler, Connections connections, std::string address)
    : handler_(std::move(handler)), connections_(connections), address_(std::move(address)) {
  std::array<int, 2> wake{};
  if (::pipe(wake.data()) != 0) std::abort();
  wake_read_ = wake[0];
  wake_write_ = wake[1];
  listener_ = ListenOn(address_, &port_);
  thread_ = std::jthread([this] { Serve(); });
}

SocketServer::~SocketServer() {
  if (::write(wake_write_, "x", 1) != 1) std::abort();
  thread_.join();
  ::close(listener_);
  ::close(wake_read_);
  ::close(wake_write_);
}

void SocketServer::Serve() {
  std::vector<std::jthread> threads;
  while (WaitReadable(listener_, wake_read_)) {
    const int socket = ::accept(listener_, nullptr, nullptr);
    if (socket < 0) continue;
    ++accepted_;
    const auto serve = [this, socket] {
      Connection connection(socket, wake_read_);
      handler_(connection);
      ::close(socket);
    };
    if (connections_ == Connections::kInTurn) {
      serve();
    } else {
      threads.emplace_back(serve);
    }
  }
}

int ClosedPort() {
  int port = 0;
  ::close(ListenOn("127.0.0.1", &port));
  return port;
}

}  // namespace tsm::test
