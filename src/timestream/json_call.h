// The request that every Timestream call shares: POST / with the operation's name in X-Amz-Target.
// Pure; used by the two clients of this room.
#pragma once

#include <string>

#include "tsm/aws/client.h"
#include "tsm/aws/config.h"

namespace tsm::timestream {

// `subject` ("sourcedb.myTable", may be "") follows the operation's name in messages.
aws::Operation MakeJsonOperation(const aws::Endpoint& endpoint, const std::string& region,
                                 const std::string& operation, std::string body,
                                 const std::string& subject);

}  // namespace tsm::timestream
