#include "tsm/aws/client.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "tsm/core/text.h"

namespace tsm::aws {

namespace {

std::optional<std::chrono::milliseconds> RetryHint(const http::Response& response) {
  const auto value = ParseInt64(http::FindHeader(response.headers, "x-amz-retry-after"));
  if (!value || *value < 0) return std::nullopt;
  // An absurd hint is clamped by RetryDelay; here it must only not overflow.
  return std::chrono::milliseconds(std::min<std::int64_t>(*value, 3'600'000));
}

// The error inside a 2xx answer. A code that is not known, or no document at all, counts as a 500.
Error HiddenError(Protocol protocol, const http::Response& response) {
  http::Response as_failure = response;
  as_failure.status = 500;
  Error error = ParseServiceError(protocol, as_failure);
  error.http_status = response.status;
  if (error.code.empty()) error.message = "the answer's body is not the promised document";
  return error;
}

}  // namespace

Client::Client(ClientParts parts) : parts_(std::move(parts)) {}

Result<http::Response> Client::Call(const Operation& operation, std::stop_token stop) {
  const auto started = parts_.clock->Steady();
  const std::string invocation_id = parts_.random->Uuid();
  int retry_cost = 0;
  for (int attempt = 1;; ++attempt) {
    http::Response raw;
    Result<http::Response> result = Attempt(operation, invocation_id, attempt, stop, &raw);
    if (result) {
      quota_.Release(retry_cost);
      return result;
    }
    Error error = std::move(result).error();
    error.attempts = attempt;
    error.spent = parts_.clock->Steady() - started;
    if (!IsRetryable(error, operation.idempotency) || attempt >= parts_.retry.max_attempts) {
      return std::move(error).With(operation.name);
    }
    if (!quota_.TryAcquire(error, &retry_cost)) {
      error.message += " (not repeated: too many calls failed lately)";
      return std::move(error).With(operation.name);
    }
    const auto delay =
        RetryDelay(parts_.retry, error, attempt, parts_.random->Unit(), RetryHint(raw));
    if (!parts_.clock->SleepFor(delay, stop)) {
      Error stopped = MakeError(ErrorKind::kCancelled, "stopped before another attempt");
      stopped.attempts = attempt;
      stopped.spent = parts_.clock->Steady() - started;
      return std::move(stopped).With(operation.name);
    }
  }
}

Result<http::Response> Client::Attempt(const Operation& operation, const std::string& invocation_id,
                                       int attempt, std::stop_token stop, http::Response* raw) {
  if (stop.stop_requested()) return MakeError(ErrorKind::kCancelled, "stopped before the call");
  Result<Credentials> credentials = parts_.credentials->Get();
  if (!credentials) return credentials.error();

  http::Request request = operation.request;
  request.headers.emplace_back("amz-sdk-invocation-id", invocation_id);
  request.headers.emplace_back("amz-sdk-request", "attempt=" + std::to_string(attempt) + "; max=" +
                                                      std::to_string(parts_.retry.max_attempts));
  if (!parts_.user_agent.empty()) request.headers.emplace_back("user-agent", parts_.user_agent);
  signer_.Sign(request, *credentials, operation.scope, operation.rules, parts_.clock->Now());

  Result<http::Response> response = parts_.transport->Send(request, stop);
  if (!response) return response;
  const bool success = response->status >= 200 && response->status < 300;
  if (success && !(operation.may_hide_error && HidesError(*response))) return response;
  *raw = std::move(*response);
  return success ? HiddenError(operation.protocol, *raw)
                 : ParseServiceError(operation.protocol, *raw);
}

}  // namespace tsm::aws
