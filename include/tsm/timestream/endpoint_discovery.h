// Endpoint discovery: which cell of Timestream takes this account's calls. One per API, account and
// region, which is one per service client; asked once and kept for as long as the service says.
// A configured endpoint is never discovered. Thread-safe.
// https://docs.aws.amazon.com/timestream/latest/developerguide/Using-API.endpoint-discovery.how-it-works.html
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>

#include "tsm/aws/client.h"
#include "tsm/aws/endpoints.h"
#include "tsm/core/result.h"

namespace tsm::timestream {

enum class Api { kQuery, kWrite };

class EndpointDiscovery {
 public:
  // A renewal that failed is tried again after this time; until then the old address serves on.
  static constexpr std::chrono::seconds kRetryAfter{60};

  // `regional` answers DescribeEndpoints, or is itself the answer where it is custom. `client`
  // outlives this.
  EndpointDiscovery(aws::Client& client, Api api, aws::Endpoint regional, std::string region);

  // The endpoint for the next call. One thread asks; the others use the address whose time is over
  // meanwhile, or wait where there is none. Without any address each call asks anew, since it could
  // not be made otherwise. Errors are those of DescribeEndpoints, kBadReply where its answer names
  // no usable host, kCancelled where `stop` ends the wait.
  // https://docs.aws.amazon.com/timestream/latest/developerguide/API_query_DescribeEndpoints.html
  Result<aws::Endpoint> Get(std::stop_token stop);

  // The service refused a call at `endpoint` as the wrong one (HTTP 421, InvalidEndpointException).
  // Does nothing where another address has taken its place already.
  void Forget(const aws::Endpoint& endpoint);

 private:
  struct Known {
    aws::Endpoint endpoint;
    std::chrono::steady_clock::time_point until;  // then it is asked for again
  };
  Result<Known> Describe(std::stop_token stop);
  // With the lock held.
  Result<aws::Endpoint> Settle(Result<Known> described);

  aws::Client& client_;
  Api api_;
  aws::Endpoint regional_;
  std::string region_;

  std::mutex mutex_;
  std::condition_variable_any settled_;
  bool asking_ = false;
  std::uint64_t rounds_ = 0;           // askings that have ended
  std::optional<Error> last_failure_;  // of the latest round
  std::optional<Known> known_;
};

}  // namespace tsm::timestream
