// The HTTP/1.1 server of ts-local: takes connections on one address and gives each whole request,
// raw target and headers intact, to one handler. cpp-httplib does the sockets' work and stays
// inside. The handler is called on many threads at once and must be thread-safe; it should not
// throw. Bind before Run; Stop may be called from any thread, and from a signal-waiting one.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "ts_local/message.h"

namespace ts_local {

class HttpServer {
 public:
  using Handler = std::function<Response(Request&)>;

  // `latency_ms`: an answer is held back until so long after its request's head was there.
  explicit HttpServer(Handler handler, std::int64_t latency_ms = 0);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Port 0 takes a free one. Returns the port. Throws std::runtime_error where the address is
  // taken.
  int Bind(const std::string& host, int port);
  // Serves until Stop; returns when the last running request is answered.
  void Run();
  void Stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ts_local
