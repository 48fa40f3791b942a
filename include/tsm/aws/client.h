// Call = retry(sign(send)): the one place where requests are signed, sent and repeated. Service
// clients describe an Operation and read the Response. Beside the retries of its policy a call is
// repeated at once, and once each, where the credentials had expired (with renewed ones) and where
// this machine's clock was wrong (with the service's time). Where one thread sends many calls at
// once it does so over a Multi: Prepare and Judge are the two halves of an attempt, and what is
// worth another goes to Call. Thread-safe; the parts it is given outlive it.
#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>

#include "tsm/aws/adaptive_limiter.h"
#include "tsm/aws/clock_skew.h"
#include "tsm/aws/credentials.h"
#include "tsm/aws/retry.h"
#include "tsm/aws/service_errors.h"
#include "tsm/aws/signer.h"
#include "tsm/core/clock.h"
#include "tsm/core/random.h"
#include "tsm/core/result.h"
#include "tsm/http/multi.h"
#include "tsm/http/transport.h"

namespace tsm::aws {

// One logical call: everything that stays the same over its attempts.
struct Operation {
  std::string name;  // for messages: "CopyObject s3://bucket/key"
  http::Request request;
  SigningScope scope;
  SigningRules rules;
  bool sign = true;  // false: sent without credentials (AssumeRoleWithWebIdentity, SSO)
  Protocol protocol = Protocol::kJson;
  Idempotency idempotency = Idempotency::kSafe;
  bool may_hide_error = false;  // S3: look for an error inside a 200
  // false: a throttling answer ends the call, for the caller has a pace of its own to slow down.
  bool repeat_throttled = true;
};

struct ClientParts {
  http::Transport* transport = nullptr;
  const Clock* clock = nullptr;
  Random* random = nullptr;
  std::shared_ptr<CredentialsProvider> credentials;  // may be null where nothing is signed
  RetryPolicy retry;
  std::string user_agent;              // "ts-unload/0.1.0"
  ClockSkew* skew = nullptr;           // null: one of the client's own
  AdaptiveLimiter* limiter = nullptr;  // null: standard mode
};

// A call whose request is signed and ready to go.
struct PreparedCall {
  Operation operation;      // but for its request
  http::Request request;    // to be sent as it stands
  Credentials credentials;  // what it was signed with
  std::chrono::system_clock::time_point signed_at;
  std::chrono::steady_clock::time_point started;
};

// What the only attempt of a call came to.
struct JudgedCall {
  Result<http::Response> outcome;
  // False where Call would not have left it at that: it repeats, renews credentials, sets clocks.
  bool is_last = true;
};

class Client {
 public:
  explicit Client(ClientParts parts);

  // A 2xx response, or the error of the last attempt, with the operation's name as context and the
  // number of attempts. A requested stop is kCancelled. Credentials that can't be had end the call:
  // their source has retried already.
  Result<http::Response> Call(const Operation& operation, std::stop_token stop);

  // Null where calls have to go one by one: the transport knows no other way, or in adaptive mode,
  // whose limiter lets out one after another.
  std::unique_ptr<http::Multi> OpenMulti(std::size_t most);
  // kCredentials where they can't be had, kCancelled.
  Result<PreparedCall> Prepare(Operation operation, std::stop_token stop);
  // `call.request` is the one that was sent. An error as of Call.
  JudgedCall Judge(const PreparedCall& call, Result<http::Response> answer);

  const Clock& clock() const { return *parts_.clock; }
  // The service's time, as far as it is known.
  std::chrono::system_clock::time_point Now() const { return skew_.Now(*parts_.clock); }
  Random& random() { return *parts_.random; }

 private:
  struct Attempt;
  struct Repairs;
  Attempt Send(const Operation& operation, const std::string& invocation_id,
               const std::string& count, std::stop_token stop);
  // Makes the request the attempt's: headers, credentials, signature. An error is why it can't go.
  Status Sign(const Operation& operation, const std::string& invocation_id,
              const std::string& count, std::stop_token stop, http::Request& request,
              Attempt* attempt);
  // What was sent, and what came back: tells answers from errors.
  void Receive(const Operation& operation, const http::Request& sent, Result<http::Response> answer,
               Attempt* attempt);
  // True where the refused attempt may be repeated at once, for what made it fail was put right.
  bool PutRight(const Operation& operation, const Attempt& refused, Repairs* repairs);
  // What the service's words do not say of a refusal that could not be put right.
  std::string Remark(const Operation& operation, const Attempt& refused,
                     const Repairs& repairs) const;

  ClientParts parts_;
  ClockSkew own_skew_;
  ClockSkew& skew_;
  Signer signer_;
  RetryQuota quota_;
};

}  // namespace tsm::aws
