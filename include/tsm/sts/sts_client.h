// AWS STS. Thread-safe.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
#pragma once

#include <stop_token>
#include <string>

#include "tsm/aws/client.h"
#include "tsm/aws/endpoints.h"

namespace tsm::sts {

struct CallerIdentity {
  std::string account;  // 12 digits
  std::string arn;
  std::string user_id;
};

class StsClient {
 public:
  StsClient(aws::Client& client, aws::Endpoint endpoint, std::string region);
  // Needs no permission: the cheapest proof that credentials, region, clock and network are right.
  Result<CallerIdentity> GetCallerIdentity(std::stop_token stop);

 private:
  aws::Client& client_;
  aws::Endpoint endpoint_;
  std::string region_;
};

}  // namespace tsm::sts
