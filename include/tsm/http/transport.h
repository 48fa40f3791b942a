// The whole contract of a transport: one request in, one response or a transport error out.
// A 4xx or 5xx answer is a Response. Errors are kTransient (refused, reset, timed out, name not
// found), kConfiguration (certificate not trusted, unusable URL) or kCancelled. No redirects are
// followed. Implementations are thread-safe.
#pragma once

#include <stop_token>

#include "tsm/core/result.h"
#include "tsm/http/message.h"

namespace tsm::http {

class Transport {
 public:
  virtual ~Transport() = default;
  virtual Result<Response> Send(const Request& request, std::stop_token stop) = 0;
};

}  // namespace tsm::http
