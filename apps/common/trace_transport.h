// A transport that tells each request with its answer: what -v shows. Holds back headers, queries'
// values and bodies, where secrets and data are. Thread-safe; its parts outlive it.
#pragma once

#include "tsm/core/clock.h"
#include "tsm/core/progress.h"
#include "tsm/http/transport.h"

namespace tsm::apps {

class TraceTransport final : public http::Transport {
 public:
  TraceTransport(http::Transport& inner, ProgressSink& sink, const Clock& clock)
      : inner_(inner), sink_(sink), clock_(clock) {}

  Result<http::Response> Send(const http::Request& request, std::stop_token stop) override;

 private:
  http::Transport& inner_;
  ProgressSink& sink_;
  const Clock& clock_;
};

}  // namespace tsm::apps
