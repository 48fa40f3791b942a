// One place that short-lived credentials come from. A source fetches, each time anew; keeping and
// renewing what it gave is RefreshingCredentials' work. A source is asked by one thread at a time.
#pragma once

#include <stop_token>

#include "tsm/aws/credentials.h"

namespace tsm::aws {

class CredentialSource {
 public:
  virtual ~CredentialSource() = default;

  // kCredentials or kExpiredCredentials says in one line what was tried, what it gave, and what to
  // do ("aws sso login --profile dev"); kTransient and kThrottled where trying again may help;
  // kConfiguration where a setting can't work; kCancelled. Never a secret in the text.
  virtual Result<Credentials> Fetch(std::stop_token stop) = 0;

  // True for the instance metadata service, whose outages outlive the credentials that it gave: AWS
  // then goes on accepting them.
  // https://docs.aws.amazon.com/sdkref/latest/guide/feature-imds-credentials.html
  virtual bool outlives_expiration() const { return false; }
};

}  // namespace tsm::aws
