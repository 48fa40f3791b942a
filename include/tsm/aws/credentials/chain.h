// From a plan to a provider: puts the sources together. The only place that knows them all.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "tsm/aws/clock_skew.h"
#include "tsm/aws/credentials.h"
#include "tsm/aws/credentials/plan.h"
#include "tsm/aws/endpoints.h"
#include "tsm/aws/environment.h"
#include "tsm/aws/retry.h"
#include "tsm/core/clock.h"
#include "tsm/core/random.h"
#include "tsm/http/transport.h"

namespace tsm::aws {

// What the sources work with. The pointed-to parts outlive the provider.
struct CredentialsContext {
  http::Transport* transport = nullptr;
  const Clock* clock = nullptr;
  ClockSkew* skew = nullptr;
  Random* random = nullptr;
  EndpointResolver endpoints;  // for STS and SSO
  std::string region;          // whose STS is asked
  RetryPolicy retry;
  std::string user_agent;
  std::string tool = "tsm";  // begins the session names that the tool makes up: "ts-unload"
  // Asks the operator for the code of the MFA device, until a stop; null, or an error, where nobody
  // can be asked.
  std::function<Result<std::string>(const std::string& mfa_serial, std::stop_token stop)> ask_mfa;
};

// No request is made before the first Get.
std::shared_ptr<CredentialsProvider> MakeCredentialsProvider(const CredentialsPlan& plan,
                                                             const CredentialsContext& context);

}  // namespace tsm::aws
