#include "piped_server.h"

#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>

namespace tsm::bench {

namespace {

using test::FakeAnswer;

// Texts and numbers one behind the other, each text with its length before it.
class Packer {
 public:
  Packer& Add(std::int64_t number) {
    std::array<char, sizeof(number)> bytes{};
    std::memcpy(bytes.data(), &number, sizeof(number));
    packed_.append(bytes.data(), bytes.size());
    return *this;
  }
  Packer& Add(std::string_view text) {
    Add(static_cast<std::int64_t>(text.size()));
    packed_ += text;
    return *this;
  }
  Packer& Add(const http::Headers& pairs) {
    Add(static_cast<std::int64_t>(pairs.size()));
    for (const auto& [name, value] : pairs) Add(name).Add(value);
    return *this;
  }
  const std::string& str() const { return packed_; }

 private:
  std::string packed_;
};

class Unpacker {
 public:
  explicit Unpacker(std::string_view packed) : packed_(packed) {}
  std::int64_t Number() {
    std::int64_t number = 0;
    std::memcpy(&number, packed_.data(), sizeof(number));
    packed_.remove_prefix(sizeof(number));
    return number;
  }
  std::string Text() {
    const auto size = static_cast<std::size_t>(Number());
    std::string text(packed_.substr(0, size));
    packed_.remove_prefix(size);
    return text;
  }
  http::Headers Pairs() {
    http::Headers pairs(static_cast<std::size_t>(Number()));
    for (auto& [name, value] : pairs) {
      name = Text();
      value = Text();
    }
    return pairs;
  }

 private:
  std::string_view packed_;
};

bool WriteAll(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

bool ReadAll(int socket, char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t read = ::recv(socket, bytes, size, 0);
    if (read <= 0) return false;
    bytes += read;
    size -= static_cast<std::size_t>(read);
  }
  return true;
}

bool WriteMessage(int socket, const std::string& message) {
  return WriteAll(socket, Packer().Add(std::string_view(message)).str());
}

std::optional<std::string> ReadMessage(int socket) {
  std::int64_t size = 0;
  if (!ReadAll(socket, reinterpret_cast<char*>(&size), sizeof(size))) return std::nullopt;
  std::string message(static_cast<std::size_t>(size), '\0');
  if (!ReadAll(socket, message.data(), message.size())) return std::nullopt;
  return message;
}

std::string PackAnswer(const FakeAnswer& answer) {
  return Packer()
      .Add(answer.response.status)
      .Add(answer.response.headers)
      .Add(std::string_view(answer.response.body))
      .Add(std::string_view(answer.held))
      .Add(answer.hold.count())
      .str();
}

FakeAnswer UnpackAnswer(const std::string& message) {
  Unpacker packed(message);
  FakeAnswer answer;
  answer.response.status = static_cast<int>(packed.Number());
  answer.response.headers = packed.Pairs();
  answer.response.body = packed.Text();
  answer.held = packed.Text();
  answer.hold = std::chrono::nanoseconds(packed.Number());
  return answer;
}

void Serve(int socket, const PipedServer::Parts& parts) {
  while (const auto message = ReadMessage(socket)) {
    Unpacker packed(*message);
    const std::string kind = packed.Text();
    std::string reply;
    if (kind == "take") {
      http::Request request;
      request.method = packed.Text();
      request.path = packed.Text();
      request.query = packed.Pairs();
      request.headers = packed.Pairs();
      request.body = packed.Text();
      reply = PackAnswer(parts.server.Take(request, packed.Number()));
    } else if (kind == "again") {
      const std::string held = packed.Text();
      reply = PackAnswer(parts.server.Again(held, packed.Number()));
    } else {
      reply = parts.report(packed.Text());
    }
    if (!WriteMessage(socket, reply)) return;
  }
}

}  // namespace

PipedServer::PipedServer(const std::function<void(const std::function<void(Parts)>&)>& child) {
  std::array<int, 2> sockets{};
  if (::socketpair(AF_UNIX, SOCK_STREAM, 0, sockets.data()) != 0) std::abort();
  child_ = ::fork();
  if (child_ < 0) std::abort();
  if (child_ == 0) {
    ::close(sockets[0]);
    child([&](const Parts& parts) { Serve(sockets[1], parts); });
    std::_Exit(0);
  }
  ::close(sockets[1]);
  socket_ = sockets[0];
}

PipedServer::~PipedServer() {
  ::close(socket_);
  ::waitpid(child_, nullptr, 0);
}

std::string PipedServer::Exchange(const std::string& message) {
  std::optional<test::SimulatedClock::Standstill> standstill;
  if (clock_ != nullptr) standstill.emplace(*clock_);
  const std::lock_guard lock(mutex_);
  if (!WriteMessage(socket_, message)) std::abort();
  std::optional<std::string> reply = ReadMessage(socket_);
  if (!reply) std::abort();
  return *std::move(reply);
}

FakeAnswer PipedServer::Take(const http::Request& request, UnixNanos now) {
  return UnpackAnswer(Exchange(Packer()
                                   .Add(std::string_view("take"))
                                   .Add(std::string_view(request.method))
                                   .Add(std::string_view(request.path))
                                   .Add(request.query)
                                   .Add(request.headers)
                                   .Add(std::string_view(request.body))
                                   .Add(now)
                                   .str()));
}

FakeAnswer PipedServer::Again(const std::string& held, UnixNanos now) {
  return UnpackAnswer(
      Exchange(Packer().Add(std::string_view("again")).Add(std::string_view(held)).Add(now).str()));
}

std::string PipedServer::Ask(const std::string& question) {
  return Exchange(Packer().Add(std::string_view("ask")).Add(std::string_view(question)).str());
}

}  // namespace tsm::bench
