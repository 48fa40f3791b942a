// What every Timestream call shares: POST / with the operation's name in X-Amz-Target, at the
// endpoint that discovery gives. Used by the two clients of this room.
#pragma once

#include <stop_token>
#include <string>

#include "tsm/aws/client.h"
#include "tsm/aws/endpoints.h"
#include "tsm/timestream/endpoint_discovery.h"

namespace tsm::timestream {

// Without an address yet. `subject` ("sourcedb.myTable", may be "") follows the operation's name in
// messages.
aws::Operation MakeJsonOperation(const std::string& region, const std::string& operation,
                                 std::string body, const std::string& subject);

void PointAt(aws::Operation& operation, const aws::Endpoint& endpoint);

// Makes the call at the discovered endpoint; where the service refuses that as the wrong one,
// discovers again and repeats once, the same body and so the same ClientToken. That holds for calls
// that must not run twice too: what was refused did not run.
Result<http::Response> CallDiscovered(aws::Client& client, EndpointDiscovery& discovery,
                                      aws::Operation operation, std::stop_token stop);

}  // namespace tsm::timestream
