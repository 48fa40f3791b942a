#include "ts_local/server.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <limits>
#include <stdexcept>

#include "ts_local/http_library.h"
#include "ts_local/request_head.h"

namespace ts_local {
namespace {

// Every open connection holds a thread, idle ones too, and a Query may be polled for a while.
constexpr std::size_t kThreads = 256;
constexpr int kIdleSeconds = 30;
constexpr int kIdlePollMs = 200;  // how fast idle connections notice Stop
constexpr int kIoTimeoutSeconds = 60;
constexpr std::size_t kBufferBytes = 64 * 1024;
using Clock = std::chrono::steady_clock;
constexpr std::size_t kMaxHeadBytes = 256 * 1024;

// A connection as cpp-httplib reads it: the request head is read here first, raw, and the library
// gets a shortened one; then the body's bytes follow. Writes are gathered to one send per response.
class Connection final : public httplib::Stream {
 public:
  explicit Connection(int socket) : socket_(socket), in_(kBufferBytes, '\0') {}

  // Waits for the next request and reads its head. False where the client is gone, idle for too
  // long, or sends something else than HTTP.
  bool ReadHead(const std::atomic<bool>& stopping) {
    std::string head;
    for (int waited = 0; begin_ == end_;) {
      pollfd waiting{socket_, POLLIN, 0};
      const int ready = ::poll(&waiting, 1, kIdlePollMs);
      if (stopping || (ready < 0 && errno != EINTR)) return false;
      if (ready > 0 && !Fill()) return false;
      if (ready <= 0 && (waited += kIdlePollMs) > kIdleSeconds * 1000) return false;
    }
    while (true) {
      const std::size_t searched = head.size() < 3 ? 0 : head.size() - 3;
      head.append(in_, begin_, end_ - begin_);
      const std::size_t found = head.find("\r\n\r\n", searched);
      if (found != std::string::npos) {
        begin_ = end_ - (head.size() - found - 4);  // what follows is body
        head.resize(found + 4);
        break;
      }
      begin_ = end_;
      if (head.size() > kMaxHeadBytes || !Fill()) return false;
    }
    const auto request = ParseRequestHead(head);
    if (!request) return false;
    request_ = *request;
    arrived_ = Clock::now();
    request_.from_this_machine = PeerIsThisMachine();
    library_head_ = LibraryHead(request_);
    library_read_ = 0;
    return true;
  }

  // A body on GET or HEAD would not be read by the library and be taken for the next request.
  bool LeavesBodyUnread() const {
    if (request_.method != "GET" && request_.method != "HEAD") return false;
    const std::string_view length = request_.Header("content-length");
    return !request_.Header("transfer-encoding").empty() || (!length.empty() && length != "0");
  }

  Request& request() { return request_; }

  // Nothing more is sent, and the client sees the connection end in mid-request.
  void Drop() {
    dropped_ = true;
    out_.clear();
    const linger at_once{1, 0};  // a reset, not an orderly end
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  }
  bool dropped() const { return dropped_; }

  // When the head of the request was there.
  Clock::time_point arrived() const { return arrived_; }

  // Until then, until the client has gone, or `stopping`.
  void WaitUntil(Clock::time_point end, const std::atomic<bool>& stopping) const {
    constexpr Clock::duration kStep = std::chrono::milliseconds(kIdlePollMs);
    while (!stopping) {
      const Clock::duration left = end - Clock::now();
      if (left <= Clock::duration::zero()) return;
      pollfd waiting{socket_, POLLRDHUP, 0};
      // Finer than poll's milliseconds: many short waits one after another would add up.
      const timespec step{0,
                          static_cast<long>(std::min(left, kStep) / std::chrono::nanoseconds(1))};
      if (::ppoll(&waiting, 1, &step, nullptr) > 0) return;
    }
  }

  bool Flush() {
    if (dropped_) return false;
    std::string_view rest = out_;
    const bool sent = SendAll(rest);
    out_.clear();
    return sent;
  }

  bool is_readable() const override { return begin_ != end_ || Ready(POLLIN); }
  bool is_writable() const override { return Ready(POLLOUT); }

  ssize_t read(char* data, std::size_t size) override {
    if (library_read_ < library_head_.size()) {
      const std::size_t count = std::min(size, library_head_.size() - library_read_);
      std::memcpy(data, library_head_.data() + library_read_, count);
      library_read_ += count;
      return static_cast<ssize_t>(count);
    }
    if (begin_ == end_ && (!Flush() || !Fill())) return -1;
    const std::size_t count = std::min(size, end_ - begin_);
    std::memcpy(data, in_.data() + begin_, count);
    begin_ += count;
    return static_cast<ssize_t>(count);
  }

  ssize_t write(const char* data, std::size_t size) override {
    if (dropped_) return -1;
    out_.append(data, size);
    if (out_.size() >= kBufferBytes && !Flush()) return -1;
    return static_cast<ssize_t>(size);
  }

  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return socket_; }

 private:
  bool Ready(short events) const {
    pollfd waiting{socket_, events, 0};
    return ::poll(&waiting, 1, kIoTimeoutSeconds * 1000) > 0;
  }

  bool PeerIsThisMachine() const {
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    if (::getpeername(socket_, reinterpret_cast<sockaddr*>(&address), &size) != 0) return false;
    if (address.ss_family == AF_INET) {
      const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address);
      return ntohl(v4->sin_addr.s_addr) >> 24U == 127;
    }
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address);
    if (address.ss_family != AF_INET6) return false;
    return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr) ||
           (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) && v6->sin6_addr.s6_addr[12] == 127);
  }

  bool Fill() {
    ssize_t count = 0;
    do {
      count = ::recv(socket_, in_.data(), in_.size(), 0);
    } while (count < 0 && errno == EINTR);
    begin_ = 0;
    end_ = count > 0 ? static_cast<std::size_t>(count) : 0;
    return count > 0;
  }

  bool SendAll(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  int socket_;
  Clock::time_point arrived_;
  bool dropped_ = false;
  std::string in_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::string out_;
  Request request_;
  std::string library_head_;
  std::size_t library_read_ = 0;
};

// A request that no handler takes, for the library alone.
class UnroutedRequest final : public httplib::Stream {
 public:
  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  ssize_t read(char* data, std::size_t size) override {
    const std::size_t count = std::min(size, rest_.size());
    std::memcpy(data, rest_.data(), count);
    rest_.remove_prefix(count);
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char* /*data*/, std::size_t size) override {
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return -1; }

 private:
  std::string_view rest_ = "GET /none HTTP/1.1\r\nHost: none\r\n\r\n";
};

// The connection that this thread serves: the library's handlers have no other way to reach it.
thread_local Connection* current_connection = nullptr;

// Streams `length` bytes of the file. The file is opened before the answer starts, so that an
// object that is replaced meanwhile is still delivered whole.
bool SendFile(const Response& from, const std::string& type, httplib::Response& to) {
  auto file = std::make_shared<std::ifstream>(from.file, std::ios::binary);
  if (!file->seekg(static_cast<std::streamoff>(from.offset))) return false;
  auto buffer = std::make_shared<std::string>(kBufferBytes, '\0');
  to.set_content_provider(
      from.length, type, [file, buffer](std::size_t, std::size_t left, httplib::DataSink& sink) {
        const auto count = static_cast<std::streamsize>(std::min(left, buffer->size()));
        if (!file->read(buffer->data(), count)) return false;
        return sink.write(buffer->data(), static_cast<std::size_t>(count));
      });
  return true;
}

void Answer(Response from, httplib::Response& to) {
  to.status = from.status;
  std::string type;
  for (const auto& [name, value] : from.headers) {
    if (name == "Content-Type") {
      type = value;
    } else {
      to.headers.emplace(name, value);
    }
  }
  if (!from.file.empty() && from.length > 0) {
    if (!SendFile(from, type, to)) to.status = 500;
  } else if (!from.body.empty()) {
    to.body = std::move(from.body);
    to.set_header("Content-Type", type);
  } else if (!type.empty()) {
    to.set_header("Content-Type", type);
  }
}

}  // namespace

class HttpServer::Impl final : public httplib::Server {
 public:
  Impl(HttpServer::Handler handler, std::int64_t latency_ms)
      : handler_(std::move(handler)), latency_ms_(latency_ms) {
    new_task_queue = [] { return new httplib::ThreadPool(kThreads); };  // the library deletes it
    set_tcp_nodelay(true);
    set_keep_alive_timeout(kIdleSeconds);
    set_keep_alive_max_count(1'000'000'000);
    set_read_timeout(kIoTimeoutSeconds);
    set_write_timeout(kIoTimeoutSeconds);
    // The library's default shares the port with any other process that asks (SO_REUSEPORT).
    set_socket_options([](socket_t socket) {
      const int on = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    });
    const auto plain = [this](const httplib::Request&, httplib::Response& response) {
      Deliver(handler_(current_connection->request()), response);
    };
    const auto with_body = [this](const httplib::Request&, httplib::Response& response,
                                  const httplib::ContentReader& reader) {
      Request& request = current_connection->request();
      const bool whole = reader([&](const char* data, std::size_t size) {
        request.body.append(data, size);
        return true;
      });
      if (!whole) {
        response.status = 400;
        return;
      }
      Deliver(handler_(request), response);
    };
    Get("/", plain);  // HEAD comes here too
    Options("/", plain);
    Post("/", with_body);
    Put("/", with_body);
    Delete("/", with_body);
    Patch("/", with_body);
    ReadFirst();
  }

  // The library asks for a backlog of 5, which a burst of copy threads overruns (a second lost
  // each).
  void WidenBacklog() { ::listen(svr_sock_, SOMAXCONN); }

  // Not the library's stop(): that one does nothing until Run has come to its loop. The shut socket
  // ends the loop now or as soon as it begins.
  void StopAll() {
    if (!stopping_.exchange(true)) ::shutdown(svr_sock_, SHUT_RDWR);
  }

 private:
  // The library makes its table of method names when it reads its first request. Here no other
  // thread is there yet: later the thread sanitizer, which does not see into the library, takes two
  // first requests for a race.
  void ReadFirst() {
    UnroutedRequest request;
    bool closed = false;
    process_request(request, true, closed, nullptr);
  }

  void Deliver(Response from, httplib::Response& to) {
    Connection& connection = *current_connection;
    if (from.delay_ms > 0) {
      connection.WaitUntil(Clock::now() + std::chrono::milliseconds(from.delay_ms), stopping_);
    }
    if (latency_ms_ > 0) {
      connection.WaitUntil(connection.arrived() + std::chrono::milliseconds(latency_ms_),
                           stopping_);
    }
    if (from.delivery == Response::Delivery::kHang) {
      connection.WaitUntil(Clock::time_point::max(), stopping_);
    }
    if (from.delivery != Response::Delivery::kSend) {
      connection.Drop();
      return;
    }
    Answer(std::move(from), to);
  }

  bool process_and_close_socket(socket_t socket) override {
    Connection connection(socket);
    current_connection = &connection;
    bool good = true;
    while (good && !stopping_ && connection.ReadHead(stopping_)) {
      bool close = connection.LeavesBodyUnread();
      good = process_request(connection, close, close, nullptr);
      good = connection.Flush() && good && !close;
    }
    current_connection = nullptr;
    // An orderly end after a drop would send what a reset must not.
    if (!connection.dropped()) ::shutdown(socket, SHUT_RDWR);
    ::close(socket);
    return good;
  }

  HttpServer::Handler handler_;
  const std::int64_t latency_ms_;
  std::atomic<bool> stopping_ = false;
};

HttpServer::HttpServer(Handler handler, std::int64_t latency_ms)
    : impl_(std::make_unique<Impl>(std::move(handler), latency_ms)) {}
HttpServer::~HttpServer() = default;

int HttpServer::Bind(const std::string& host, int port) {
  int bound = port;
  if (port == 0) {
    bound = impl_->bind_to_any_port(host);
  } else if (!impl_->bind_to_port(host, port)) {
    bound = -1;
  }
  if (bound <= 0) {
    throw std::runtime_error("cannot listen on " + host + ":" + std::to_string(port) + ": " +
                             std::strerror(errno));
  }
  impl_->WidenBacklog();
  return bound;
}

void HttpServer::Run() { impl_->listen_after_bind(); }

void HttpServer::Stop() { impl_->StopAll(); }

}  // namespace ts_local
