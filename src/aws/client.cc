#include "tsm/aws/client.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "tsm/aws/credentials/secret_text.h"
#include "tsm/core/text.h"
#include "tsm/core/time_text.h"

namespace tsm::aws {

namespace {

using SystemTime = std::chrono::system_clock::time_point;

std::optional<std::chrono::milliseconds> RetryHint(const http::Headers& headers) {
  const auto value = ParseInt64(http::FindHeader(headers, "x-amz-retry-after"));
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

// When the service answered, by its own clock. Of two dates the last one counts: a web server in
// front puts its own before that of the service that judges the signature.
std::optional<SystemTime> ServiceTime(const http::Headers& headers) {
  if (const auto time = ParseAmzDate(http::FindHeader(headers, "x-amz-date"))) return time;
  std::optional<SystemTime> last;
  for (const auto& [name, value] : headers) {
    if (ToLowerAscii(name) != "date") continue;
    if (const auto time = ParseHttpDate(value)) last = time;
  }
  return last;
}

// A refusal that a wrong date in the signature may be the reason of. Most services say so only in
// words: their code is that of any other bad signature. A HEAD's refusal has no code at all.
bool MayBeSkew(const Operation& operation, const Error& error) {
  static constexpr auto kCodes = std::to_array<std::string_view>(
      {"SignatureDoesNotMatch", "InvalidSignatureException", "AuthFailure"});
  if (!operation.sign || error.http_status == 0) return false;
  if (error.kind == ErrorKind::kClockSkew) return true;
  if (std::find(kCodes.begin(), kCodes.end(), error.code) != kCodes.end()) return true;
  return operation.request.method == "HEAD" && error.code.empty() &&
         (error.http_status == 400 || error.http_status == 403);
}

// The signature in the header that was sent, "" where none was.
std::string_view SignatureOf(const http::Request& request) {
  constexpr std::string_view kBefore = "Signature=";
  const std::string_view header = http::FindHeader(request.headers, "authorization");
  const std::size_t at = header.rfind(kBefore);
  return at == std::string_view::npos ? "" : header.substr(at + kBefore.size());
}

}  // namespace

// One request, or the reason why none was sent.
struct Client::Attempt {
  Result<http::Response> outcome;
  bool sent = false;
  http::Headers refusal = {};  // the headers of an answer that is an error
  SystemTime signed_at = {};
  Credentials credentials = {};  // what it was signed with
};

// What one call has put right so far: each once, so that a service that can't be pleased does not
// keep a call forever.
struct Client::Repairs {
  bool renewed = false;
  bool set_clock = false;
  int count() const { return (renewed ? 1 : 0) + (set_clock ? 1 : 0); }
};

Client::Client(ClientParts parts)
    : parts_(std::move(parts)), skew_(parts_.skew != nullptr ? *parts_.skew : own_skew_) {}

Result<http::Response> Client::Call(const Operation& operation, std::stop_token stop) {
  const auto started = parts_.clock->Steady();
  const std::string invocation_id = parts_.random->Uuid();
  Repairs repairs;
  int retry_cost = 0;
  for (int attempt = 1;; ++attempt) {
    const int max_attempts = parts_.retry.max_attempts + repairs.count();
    const std::string count =
        "attempt=" + std::to_string(attempt) + "; max=" + std::to_string(max_attempts);
    Attempt made = Send(operation, invocation_id, count, stop);
    if (made.outcome) {
      quota_.Release(retry_cost);
      return std::move(made.outcome);
    }
    if (PutRight(operation, made, &repairs)) continue;
    Error error = made.outcome.error();
    error.attempts = made.sent ? attempt : attempt - 1;
    error.spent = parts_.clock->Steady() - started;
    error.message += Remark(operation, made, repairs);
    const bool left_to_caller = error.kind == ErrorKind::kThrottled && !operation.repeat_throttled;
    if (!made.sent || left_to_caller || !IsRetryable(error, operation.idempotency) ||
        attempt >= max_attempts) {
      return std::move(error).With(operation.name);
    }
    if (!quota_.TryAcquire(error, &retry_cost)) {
      error.message += " (not repeated: too many calls failed lately)";
      return std::move(error).With(operation.name);
    }
    const auto delay = RetryDelay(parts_.retry, error, attempt - repairs.count(),
                                  parts_.random->Unit(), RetryHint(made.refusal));
    if (!parts_.clock->SleepFor(delay, stop)) {
      Error stopped = MakeError(ErrorKind::kCancelled, "stopped before another attempt");
      stopped.attempts = attempt;
      stopped.spent = parts_.clock->Steady() - started;
      return std::move(stopped).With(operation.name);
    }
  }
}

Client::Attempt Client::Send(const Operation& operation, const std::string& invocation_id,
                             const std::string& count, std::stop_token stop) {
  const bool may_go =
      !stop.stop_requested() && (parts_.limiter == nullptr || parts_.limiter->Acquire(stop));
  if (!may_go) return {.outcome = MakeError(ErrorKind::kCancelled, "stopped before the call")};

  http::Request request = operation.request;
  Attempt made{.outcome = MakeError(ErrorKind::kService, "")};
  if (Status ready = Sign(operation, invocation_id, count, stop, request, &made); !ready) {
    made.outcome = std::move(ready).error();
    return made;
  }
  Receive(operation, request, parts_.transport->Send(request, std::move(stop)), &made);
  if (parts_.limiter != nullptr &&
      (made.outcome || made.outcome.error().kind != ErrorKind::kCancelled)) {
    parts_.limiter->Update(!made.outcome && made.outcome.error().kind == ErrorKind::kThrottled);
  }
  return made;
}

Status Client::Sign(const Operation& operation, const std::string& invocation_id,
                    const std::string& count, std::stop_token stop, http::Request& request,
                    Attempt* attempt) {
  request.fresh_connection |= operation.idempotency == Idempotency::kUnsafe;
  request.headers.emplace_back("amz-sdk-invocation-id", invocation_id);
  request.headers.emplace_back("amz-sdk-request", count);
  if (!parts_.user_agent.empty()) request.headers.emplace_back("user-agent", parts_.user_agent);
  if (!operation.sign) return Ok();
  if (parts_.credentials == nullptr) {
    return MakeError(ErrorKind::kCredentials, "this client has no credentials to sign with");
  }
  Result<Credentials> credentials = parts_.credentials->Get(std::move(stop));
  if (!credentials) return std::move(credentials).error();
  attempt->credentials = *std::move(credentials);
  attempt->signed_at = Now();
  signer_.Sign(request, attempt->credentials, operation.scope, operation.rules, attempt->signed_at);
  return Ok();
}

void Client::Receive(const Operation& operation, const http::Request& sent,
                     Result<http::Response> answer, Attempt* attempt) {
  attempt->sent = true;
  attempt->outcome = std::move(answer);
  if (!attempt->outcome) return;
  http::Response& response = *attempt->outcome;
  const bool success = response.status >= 200 && response.status < 300;
  if (success && !(operation.may_hide_error && HidesError(response))) return;
  Error error = success ? HiddenError(operation.protocol, response)
                        : ParseServiceError(operation.protocol, response);
  attempt->refusal = std::move(response.headers);
  // AWS itself quotes the header of a request that it finds malformed.
  attempt->outcome =
      WithoutSecrets(std::move(error), {attempt->credentials.session_token, SignatureOf(sent)});
}

std::unique_ptr<http::Multi> Client::OpenMulti(std::size_t most) {
  return parts_.limiter == nullptr ? parts_.transport->OpenMulti(most) : nullptr;
}

Result<PreparedCall> Client::Prepare(Operation operation, std::stop_token stop) {
  PreparedCall call;
  call.started = parts_.clock->Steady();
  call.request = std::move(operation.request);
  call.operation = std::move(operation);
  Attempt attempt{.outcome = MakeError(ErrorKind::kService, "")};
  Status ready = Sign(call.operation, parts_.random->Uuid(), "attempt=1; max=1", std::move(stop),
                      call.request, &attempt);
  if (!ready) return std::move(ready).error().With(call.operation.name);
  call.credentials = std::move(attempt.credentials);
  call.signed_at = attempt.signed_at;
  return call;
}

JudgedCall Client::Judge(const PreparedCall& call, Result<http::Response> answer) {
  Attempt made{.outcome = MakeError(ErrorKind::kService, "")};
  made.credentials = call.credentials;
  made.signed_at = call.signed_at;
  Receive(call.operation, call.request, std::move(answer), &made);
  if (made.outcome) {
    quota_.Release(0);
    return {.outcome = std::move(made.outcome)};
  }
  Error error = std::move(made.outcome).error();
  error.attempts = 1;
  error.spent = parts_.clock->Steady() - call.started;
  const bool left_to_caller =
      error.kind == ErrorKind::kThrottled && !call.operation.repeat_throttled;
  const bool repeats = !left_to_caller && IsRetryable(error, call.operation.idempotency);
  const bool puts_right = call.operation.sign && (error.kind == ErrorKind::kExpiredCredentials ||
                                                  MayBeSkew(call.operation, error));
  return {.outcome = std::move(error).With(call.operation.name),
          .is_last = !repeats && !puts_right};
}

bool Client::PutRight(const Operation& operation, const Attempt& refused, Repairs* repairs) {
  if (!refused.sent || !operation.sign) return false;
  const Error& error = refused.outcome.error();
  if (error.kind == ErrorKind::kExpiredCredentials && !repairs->renewed) {
    repairs->renewed = parts_.credentials->Renew(refused.credentials);
    return repairs->renewed;
  }
  if (repairs->set_clock || !MayBeSkew(operation, error)) return false;
  const auto service_time = ServiceTime(refused.refusal);
  // Held against the date that was signed, not against the offset known by now: where several
  // threads are refused at once, one of them has set it already and all must repeat.
  if (!service_time ||
      std::chrono::abs(*service_time - refused.signed_at) < ClockSkew::kTolerance) {
    return false;
  }
  skew_.Set(*service_time - parts_.clock->Now());
  repairs->set_clock = true;
  return true;
}

std::string Client::Remark(const Operation& operation, const Attempt& refused,
                           const Repairs& repairs) const {
  if (!refused.sent) return {};
  const Error& error = refused.outcome.error();
  if (operation.sign && error.kind == ErrorKind::kExpiredCredentials) {
    return "; the credentials come from " + refused.credentials.source +
           (repairs.renewed ? " and were renewed a moment ago" : "");
  }
  if (!MayBeSkew(operation, error)) return {};
  if (repairs.set_clock) {
    const auto offset = skew_.offset();
    return "; this machine's clock is " + FormatDuration(std::chrono::abs(offset)) +
           (offset.count() < 0 ? " ahead of" : " behind") +
           " the service's, and a request dated by the service's clock was refused too";
  }
  if (error.kind == ErrorKind::kClockSkew && !ServiceTime(refused.refusal)) {
    return "; the answer does not say the service's time, so set this machine's clock";
  }
  return {};
}

}  // namespace tsm::aws
