#include "tsm/timestream/endpoint_discovery.h"

#include <utility>

#include "endpoint_codec.h"
#include "json_call.h"

namespace tsm::timestream {
namespace {

// A small answer; a host that does not give it must not hold up the calls that wait for it.
constexpr http::Timeouts kDescribeTimeouts{.connect = std::chrono::seconds(10),
                                           .idle = std::chrono::seconds(20),
                                           .total = std::chrono::seconds(30)};

std::string ApiName(Api api) {
  return api == Api::kQuery ? "Timestream Query" : "Timestream Write";
}

// What an operator can do, where it is discovery itself that does not work: credentials, clock and
// throttling have their own remedies.
std::string Remedy(const Error& error, Api api) {
  const std::string flag = api == Api::kQuery ? "--query_endpoint" : "--ingest_endpoint";
  switch (error.kind) {
    case ErrorKind::kAccessDenied:
      return "; allow timestream:DescribeEndpoints on \"*\", which every call of Timestream needs, "
             "or name the account's endpoint with " +
             flag;
    case ErrorKind::kTransient:
    case ErrorKind::kConfiguration:
    case ErrorKind::kBadReply:
    case ErrorKind::kNotFound:
    case ErrorKind::kService:
      return "; where this host can't be used (a network without way out, an emulator), name the "
             "endpoint with " +
             flag;
    default:
      return "";
  }
}

}  // namespace

EndpointDiscovery::EndpointDiscovery(aws::Client& client, Api api, aws::Endpoint regional,
                                     std::string region)
    : client_(client), api_(api), regional_(std::move(regional)), region_(std::move(region)) {}

Result<aws::Endpoint> EndpointDiscovery::Get(std::stop_token stop) {
  if (regional_.custom) return regional_;
  std::unique_lock lock(mutex_);
  for (;;) {
    if (known_ && (asking_ || client_.clock().Steady() < known_->until)) return known_->endpoint;
    if (!asking_) break;
    const std::uint64_t round = rounds_;
    if (!settled_.wait(lock, stop, [&] { return rounds_ != round; })) {
      return MakeError(ErrorKind::kCancelled,
                       "stopped while waiting for the endpoint of " + ApiName(api_));
    }
    // Those who waited share the outcome: a hundred threads must not ask in vain one by one. Where
    // the one who asked was stopped, another takes over.
    if (!known_ && last_failure_ && last_failure_->kind != ErrorKind::kCancelled) {
      return *last_failure_;
    }
  }
  asking_ = true;
  lock.unlock();
  Result<Known> described = Describe(std::move(stop));
  lock.lock();
  asking_ = false;
  ++rounds_;
  settled_.notify_all();
  return Settle(std::move(described));
}

Result<aws::Endpoint> EndpointDiscovery::Settle(Result<Known> described) {
  if (described) {
    last_failure_.reset();
    known_ = *std::move(described);
    return known_->endpoint;
  }
  last_failure_ = std::move(described).error();
  // Forgotten in the meantime, or never known.
  if (!known_) return *last_failure_;
  known_->until = client_.clock().Steady() + kRetryAfter;
  return known_->endpoint;
}

Result<EndpointDiscovery::Known> EndpointDiscovery::Describe(std::stop_token stop) {
  aws::Operation operation = MakeJsonOperation(region_, "DescribeEndpoints", "{}", "");
  operation.name += " (endpoint discovery of " + ApiName(api_) + " in " + region_ + ")";
  operation.request.timeouts = kDescribeTimeouts;
  PointAt(operation, regional_);
  const Result<http::Response> response = client_.Call(operation, std::move(stop));
  if (!response) {
    Error error = response.error();
    error.message += Remedy(error, api_);
    return error;
  }
  const Result<DescribedEndpoint> described = DecodeEndpoints(response->body);
  if (!described) {
    Error error = described.error();
    error.message += Remedy(error, api_);
    return std::move(error).With(operation.name);
  }
  return Known{.endpoint = described->endpoint,
               .until = client_.clock().Steady() + described->cache_period};
}

void EndpointDiscovery::Forget(const aws::Endpoint& endpoint) {
  const std::lock_guard lock(mutex_);
  if (!known_) return;
  const aws::Endpoint& known = known_->endpoint;
  const bool same = known.scheme == endpoint.scheme && known.host == endpoint.host &&
                    known.base_path == endpoint.base_path;
  if (same) known_.reset();
}

}  // namespace tsm::timestream
