// A transport to a server in memory that may hold a call for a while, as Timestream holds pages.
// The waiting is done here, on any clock, so that the server has no threads and need not even be in
// this process. Counts the calls; hooks may answer in the server's place, before it has seen a call
// or after it has acted on it. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "tsm/core/clock.h"
#include "tsm/http/transport.h"

namespace tsm::test {

struct FakeAnswer {
  http::Response response;
  // Not empty: no answer yet. Ask Again with this once `hold` is over.
  std::string held;
  std::chrono::nanoseconds hold{0};
};

// Both are called by several threads at once.
class FakeServer {
 public:
  virtual ~FakeServer() = default;
  virtual FakeAnswer Take(const http::Request& request, UnixNanos now) = 0;
  virtual FakeAnswer Again(const std::string& held, UnixNanos now) = 0;
};

// A call as hooks see it.
struct FakeCall {
  std::uint64_t number = 0;  // 1, 2, 3, … in the order of coming
  // AWS's name; of Query with the statement's first word, and "page" behind it where it is not the
  // first call: "Query UNLOAD", "Query UNLOAD page", "Query SELECT", "ListObjectsV2", …
  std::string name;
  std::string subject;  // "bucket/key", a prefix, a QueryId, a TaskId or the SQL
};
FakeCall CallOf(const http::Request& request);

// What a hook answers.
struct Interference {
  int status = 0;  // 0: the connection is reset
  std::string code;
  std::string message;

  static Interference Reset() { return {}; }
  static Interference Throttle() { return {400, "ThrottlingException", "Rate exceeded"}; }
  static Interference Of(std::string code, std::string message, int status = 400) {
    return {status, std::move(code), std::move(message)};
  }
};

class FakeTransport final : public http::Transport {
 public:
  // Called without a lock, by several threads at once; may use the server.
  using Hook = std::function<std::optional<Interference>(const FakeCall& call)>;

  FakeTransport(FakeServer& server, const Clock& clock) : server_(server), clock_(clock) {}

  // Set before the first call. `before`: the server never sees the call; `after`: it has acted.
  Hook before;
  Hook after;
  std::chrono::nanoseconds call_time{0};  // how long every call takes beside being held

  Result<http::Response> Send(const http::Request& request, std::stop_token stop) override;

  std::uint64_t calls() const;
  // By their names, or all that begin with a name.
  std::map<std::string, std::uint64_t> calls_by_name() const;
  std::uint64_t CountCalls(const std::string& name) const;

 private:
  UnixNanos Now() const;

  FakeServer& server_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::uint64_t calls_ = 0;
  std::map<std::string, std::uint64_t> by_name_;
};

}  // namespace tsm::test
