// The JSON of DescribeEndpoints. Pure.
#pragma once

#include <chrono>
#include <string_view>

#include "tsm/aws/endpoints.h"
#include "tsm/core/result.h"

namespace tsm::timestream {

struct DescribedEndpoint {
  aws::Endpoint endpoint;  // not custom
  std::chrono::minutes cache_period{};
};

// The first of the listed endpoints; https where its address names no scheme. kBadReply where there
// is none, or its address is no host.
Result<DescribedEndpoint> DecodeEndpoints(std::string_view body);

}  // namespace tsm::timestream
