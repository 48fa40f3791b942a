// A TCP server on this machine whose behaviour a test writes itself, one function per connection:
// for what a well-behaved HTTP server never does (hang, reset, answer in pieces). Ends with its
// owner.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

namespace tsm::test {

// One accepted connection. Reads give up when the server is being destroyed.
class Connection {
 public:
  Connection(int socket, int wake) : socket_(socket), wake_(wake) {}
  // Head and body (by Content-Length) of the next request, "" where the peer closed.
  std::string ReadRequest();
  // At least so many bytes of any protocol, less where the peer closed.
  std::string ReadBytes(std::size_t least);
  void Write(std::string_view bytes);
  // Waits until the peer closes; what it still sends is dropped.
  void WaitForClose();
  // True where the peer closed, or the server ends, before the time is over.
  bool ClosedWithin(std::chrono::milliseconds time);
  // The next close sends a RST instead of a FIN.
  void ResetOnClose();

 private:
  bool ReadMore();
  int socket_;
  int wake_;  // readable when the server ends
  std::string buffer_;
};

class SocketServer {
 public:
  using Handler = std::function<void(Connection& connection)>;
  enum class Connections {
    kInTurn,      // one after the other in one thread
    kSideBySide,  // each in a thread of its own; the handler is called by several at once
  };

  // `address`: of the machine itself, 127.x.x.x.
  explicit SocketServer(Handler handler, Connections connections = Connections::kInTurn,
                        std::string address = "127.0.0.1");
  ~SocketServer();
  SocketServer(const SocketServer&) = delete;
  SocketServer& operator=(const SocketServer&) = delete;

  int port() const { return port_; }
  std::string host() const { return address_ + ":" + std::to_string(port_); }
  int accepted() const { return accepted_; }

 private:
  void Serve();
  Handler handler_;
  const Connections connections_;
  const std::string address_;
  int listener_ = -1;
  int wake_read_ = -1;
  int wake_write_ = -1;
  int port_ = 0;
  std::atomic<int> accepted_{0};
  std::jthread thread_;
};

// A port on which nothing listens.
int ClosedPort();

}  // namespace tsm::test
