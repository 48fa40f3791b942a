// A fake server in a process of its own, asked over a socket pair: what a bench measures of its own
// process is then the run alone. Thread-safe; one question at a time. Time stands still meanwhile.
#pragma once

#include <sys/types.h>

#include <functional>
#include <mutex>
#include <string>

#include "support/fake_transport.h"
#include "support/simulated_clock.h"

namespace tsm::bench {

class PipedServer final : public test::FakeServer {
 public:
  // A question beside the calls, answered by the server's process: "makespan" -> "12.5".
  using Report = std::function<std::string(const std::string& question)>;
  struct Parts {
    test::FakeServer& server;
    Report report;
  };

  // Forks. The child calls `serve` with what answers it, and ends when this is destroyed.
  explicit PipedServer(const std::function<void(const std::function<void(Parts)>& serve)>& child);
  ~PipedServer() override;
  PipedServer(const PipedServer&) = delete;
  PipedServer& operator=(const PipedServer&) = delete;

  // The clock that has to stand still while a call is away; null: none.
  void SetClock(const test::SimulatedClock* clock) { clock_ = clock; }

  test::FakeAnswer Take(const http::Request& request, UnixNanos now) override;
  test::FakeAnswer Again(const std::string& held, UnixNanos now) override;
  std::string Ask(const std::string& question);

 private:
  std::string Exchange(const std::string& message);

  std::mutex mutex_;
  int socket_ = -1;
  pid_t child_ = -1;
  const test::SimulatedClock* clock_ = nullptr;
};

}  // namespace tsm::bench
