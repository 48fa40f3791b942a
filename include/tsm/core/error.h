// One failure as a value: what kind it is (loops branch on that), what the service called it, and
// where it happened. Copyable, no ownership, safe to pass between threads. Never holds a secret.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace tsm {

// What a caller can do about a failure. aws/service_errors.h maps AWS's codes to these, in one
// table.
enum class ErrorKind {
  kInvalidInput,        // a flag, a file or a value of the operator's is wrong
  kInTheWay,            // the destination holds something that must not be overwritten or mixed
  kConfiguration,       // region, endpoint or profile missing or unusable
  kCredentials,         // none found, or the service does not accept them
  kExpiredCredentials,  // were good, are no longer
  kAccessDenied,        // valid credentials, no permission
  kLocalIo,             // disk full, file not writable
  kNotFound,
  kAlreadyExists,  // ConflictException of a create, BucketAlreadyOwnedByYou
  kValidation,     // the service refuses the request as it stands
  kThrottled,      // repeat later, more slowly
  kQuotaExceeded,  // a limit of the account; not repeated by the client
  kTransient,      // 5xx, connection refused or reset, timeout: may be repeated
  kWrongRegion,    // S3: the bucket lives in Error::region_hint
  kWrongEndpoint,  // HTTP 421, InvalidEndpointException: discover again
  kClockSkew,
  kQueryFailed,  // QueryExecutionException: the query itself ended in an error
  kBadReply,     // an answer that does not parse or contradicts itself
  kProof,        // counts or contents differ
  kCancelled,    // a stop was requested
  kService,      // any other refusal
};

// Stable lower-case name, for logs and events: "throttled", "access_denied", ...
std::string_view Name(ErrorKind kind);

struct [[nodiscard]] Error {
  ErrorKind kind = ErrorKind::kService;
  std::string code;     // AWS's code ("NoSuchBucket") or "" where there is none
  std::string message;  // one line, no secret
  int http_status = 0;  // 0 where no answer came
  std::string request_id;
  std::string region_hint;  // with kWrongRegion
  std::vector<std::string>
      context;       // innermost first: "PutObject s3://b/k", "writing the run record"
  int attempts = 0;  // calls made before giving up; 0 where not a call
  std::chrono::nanoseconds spent{};  // over all attempts, waits included; 0 where not a call

  // Adds where it happened and returns the same error: `return error.With("reading the manifest")`.
  Error With(std::string where) &&;
  Error With(std::string where) const&;

  // "writing the run record: PutObject s3://b/k: AccessDenied: … (HTTP 403, request id …, 3
  // attempts in 4.2 s)"
  std::string Text() const;
};

Error MakeError(ErrorKind kind, std::string message, std::string code = "");

}  // namespace tsm
