// A transport that tells each request with its answer: what -v and --debug show. Headers are told
// from an allow-list; every other header's value, queries' values that are not harmless, and bodies
// are held back, for that is where secrets and data are. Thread-safe; its parts outlive it.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

#include "tsm/core/clock.h"
#include "tsm/core/progress.h"
#include "tsm/http/transport.h"

namespace tsm::apps {

enum class TraceDetail {
  kLine,     // -v: a line per call
  kHeaders,  // --debug: and its allowed headers
};

class TraceTransport final : public http::Transport {
 public:
  TraceTransport(http::Transport& inner, ProgressSink& sink, const Clock& clock,
                 TraceDetail detail = TraceDetail::kLine)
      : inner_(inner), sink_(sink), clock_(clock), detail_(detail) {}

  Result<http::Response> Send(const http::Request& request, std::stop_token stop) override;
  std::unique_ptr<http::Multi> OpenMulti(std::size_t most) override;

 private:
  class TracedMulti;
  void Tell(const http::Request& request, const Result<http::Response>& answer,
            std::chrono::nanoseconds took);

  http::Transport& inner_;
  ProgressSink& sink_;
  const Clock& clock_;
  TraceDetail detail_;
};

}  // namespace tsm::apps
