// What the transport's tests share: a plain request, a plain answer and a server that gives it.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/socket_server.h"
#include "tsm/http/message.h"

namespace tsm::http {

inline Request Get(const test::SocketServer& server, std::string path = "/") {
  Request request;
  request.method = "GET";
  request.scheme = "http";
  request.host = server.host();
  request.path = std::move(path);
  return request;
}

inline std::string Answer(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

// Keeps what it is sent and answers every request of a connection with "ok".
class EchoLog {
 public:
  void operator()(test::Connection& connection) {
    for (std::string request = connection.ReadRequest(); !request.empty();
         request = connection.ReadRequest()) {
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      connection.Write(request.starts_with("HEAD")
                           ? "HTTP/1.1 200 OK\r\nContent-Length: 12345\r\nX-A:  b \r\n\r\n"
                           : Answer("ok"));
    }
  }
  std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> requests_;
};

}  // namespace tsm::http
