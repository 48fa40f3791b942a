// Many requests of one thread on their way at once, where a thread for each would cost more than
// the requests do. Opened by a transport, whose rules hold here too (transport.h); outlived by it.
// Not thread-safe.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stop_token>
#include <vector>

#include "tsm/core/result.h"
#include "tsm/http/message.h"

namespace tsm::http {

class Multi {
 public:
  struct Answered {
    std::uint64_t id = 0;
    Request request;
    Result<Response> outcome;
  };

  Multi() = default;
  virtual ~Multi() = default;  // gives up what is under way
  Multi(const Multi&) = delete;
  Multi& operator=(const Multi&) = delete;

  // Sends it at once. `id` is the caller's name for it, of no other request that is under way.
  virtual void Start(std::uint64_t id, Request request) = 0;

  // What is over, in the order of the ends: one at least, unless none is under way or `longest` has
  // passed. More may be over than it gives: whoever sends the next before asking again keeps the
  // line busy. A stop ends all that are under way with kCancelled.
  virtual std::vector<Answered> Wait(std::chrono::milliseconds longest, std::stop_token stop) = 0;

  virtual std::size_t under_way() const = 0;
};

}  // namespace tsm::http
