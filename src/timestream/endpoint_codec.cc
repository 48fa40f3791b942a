#include "endpoint_codec.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "json_codec.h"

namespace tsm::timestream {
namespace {

// AWS says a day. A period of nothing would ask before every call, one without end never again.
constexpr std::int64_t kShortestMinutes = 1;
constexpr std::int64_t kLongestMinutes = std::int64_t{7} * 24 * 60;

}  // namespace

Result<DescribedEndpoint> DecodeEndpoints(std::string_view body) {
  Result<nlohmann::json> json = Decode(body);
  if (!json) return std::move(json).error();
  const nlohmann::json& endpoints = Array(*json, "Endpoints");
  if (endpoints.empty()) return BadReply("the answer names no endpoint");
  const std::string address = Text(endpoints[0], "Address");
  if (address.empty()) return BadReply("the endpoint of the answer has no Address");
  const bool has_scheme = address.find("://") != std::string::npos;
  Result<aws::Endpoint> endpoint = aws::ParseEndpointUrl(
      has_scheme ? address : "https://" + address, "Address", ErrorKind::kBadReply);
  if (!endpoint) return std::move(endpoint).error();
  DescribedEndpoint described;
  described.endpoint = *std::move(endpoint);
  described.endpoint.custom = false;
  described.cache_period = std::chrono::minutes(
      std::clamp(Integer(endpoints[0], "CachePeriodInMinutes"), kShortestMinutes, kLongestMinutes));
  return described;
}

}  // namespace tsm::timestream
