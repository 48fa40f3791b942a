// The whole contract of a transport: one request in, one response or a transport error out.
// A 4xx or 5xx answer is a Response. Errors are kTransient (refused, reset, timed out, name not
// found), kConfiguration (certificate not trusted, unusable URL) or kCancelled. No redirects are
// followed. Implementations are thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <stop_token>

#include "tsm/core/result.h"
#include "tsm/http/message.h"
#include "tsm/http/multi.h"

namespace tsm::http {

class Transport {
 public:
  virtual ~Transport() = default;
  virtual Result<Response> Send(const Request& request, std::stop_token stop) = 0;

  // For a thread that has up to `most` requests under way at once. Null where the transport has no
  // such way: each is sent by a thread of its own then.
  virtual std::unique_ptr<Multi> OpenMulti(std::size_t most) {
    static_cast<void>(most);
    return nullptr;
  }
};

}  // namespace tsm::http
