#include "support/scripted_transport.h"

#include <utility>

#include "support/threaded_multi.h"

namespace tsm::test {

void ScriptedTransport::Add(http::Response response) {
  const std::lock_guard lock(mutex_);
  script_.emplace_back(std::move(response));
}

void ScriptedTransport::Add(int status, std::string body, http::Headers headers) {
  http::Response response;
  response.status = status;
  response.headers = std::move(headers);
  response.body = std::move(body);
  Add(std::move(response));
}

void ScriptedTransport::Add(Error error) {
  const std::lock_guard lock(mutex_);
  script_.emplace_back(std::move(error));
}

void ScriptedTransport::SetHandler(Handler handler) {
  const std::lock_guard lock(mutex_);
  handler_ = std::move(handler);
}

std::unique_ptr<http::Multi> ScriptedTransport::OpenMulti(std::size_t /*most*/) {
  return std::make_unique<ThreadedMulti>(*this);
}

Result<http::Response> ScriptedTransport::Send(const http::Request& request, std::stop_token stop) {
  if (stop.stop_requested()) return MakeError(ErrorKind::kCancelled, "stopped");
  Handler handler;
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    if (!script_.empty()) {
      Result<http::Response> answer = std::move(script_.front());
      script_.pop_front();
      return answer;
    }
    handler = handler_;
  }
  if (handler) return handler(request);
  return MakeError(ErrorKind::kBadReply, "the script has no answer for " + request.method + " " +
                                             request.host + request.Target());
}

std::vector<http::Request> ScriptedTransport::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::size_t ScriptedTransport::remaining() const {
  const std::lock_guard lock(mutex_);
  return script_.size();
}

}  // namespace tsm::test
