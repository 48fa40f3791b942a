// Call = retry(sign(send)): the one place where requests are signed, sent and repeated. Service
// clients describe an Operation and read the Response. Thread-safe; the parts it is given outlive
// it.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "tsm/aws/credentials.h"
#include "tsm/aws/retry.h"
#include "tsm/aws/service_errors.h"
#include "tsm/aws/signer.h"
#include "tsm/core/clock.h"
#include "tsm/core/random.h"
#include "tsm/core/result.h"
#include "tsm/http/transport.h"

namespace tsm::aws {

// One logical call: everything that stays the same over its attempts.
struct Operation {
  std::string name;  // for messages: "CopyObject s3://bucket/key"
  http::Request request;
  SigningScope scope;
  SigningRules rules;
  Protocol protocol = Protocol::kJson;
  Idempotency idempotency = Idempotency::kSafe;
  bool may_hide_error = false;  // S3: look for an error inside a 200
};

struct ClientParts {
  http::Transport* transport = nullptr;
  const Clock* clock = nullptr;
  Random* random = nullptr;
  std::shared_ptr<CredentialsProvider> credentials;
  RetryPolicy retry;
  std::string user_agent;  // "ts-unload/0.1.0"
};

class Client {
 public:
  explicit Client(ClientParts parts);

  // A 2xx response, or the error of the last attempt, with the operation's name as context and the
  // number of attempts. A requested stop is kCancelled.
  Result<http::Response> Call(const Operation& operation, std::stop_token stop);

  const Clock& clock() const { return *parts_.clock; }
  Random& random() { return *parts_.random; }

 private:
  Result<http::Response> Attempt(const Operation& operation, const std::string& invocation_id,
                                 int attempt, std::stop_token stop, http::Response* raw);
  ClientParts parts_;
  Signer signer_;
  RetryQuota quota_;
};

}  // namespace tsm::aws
