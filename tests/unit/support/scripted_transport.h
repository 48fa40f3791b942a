// A transport for tests: answers from a script, in order, and keeps every request it was given. A
// handler, where set, answers whatever the script does not. A request beyond the script is answered
// with kBadReply, so that one call too many fails a test and never hangs it. Thread-safe.
#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "tsm/http/transport.h"

namespace tsm::test {

class ScriptedTransport final : public http::Transport {
 public:
  using Handler = std::function<Result<http::Response>(const http::Request&)>;

  void Add(http::Response response);
  void Add(int status, std::string body, http::Headers headers = {});
  void Add(Error error);
  // Called without the transport's lock, possibly by several threads at once.
  void SetHandler(Handler handler);

  Result<http::Response> Send(const http::Request& request, std::stop_token stop) override;
  std::unique_ptr<http::Multi> OpenMulti(std::size_t most) override;

  std::vector<http::Request> requests() const;
  // Answers not yet given.
  std::size_t remaining() const;

 private:
  mutable std::mutex mutex_;
  std::deque<Result<http::Response>> script_;
  Handler handler_;
  std::vector<http::Request> requests_;
};

}  // namespace tsm::test
