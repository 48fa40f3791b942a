// Timestream Query's requests and replies as JSON text. Pure functions.
// https://docs.aws.amazon.com/timestream/latest/developerguide/API_query_Query.html
#pragma once

#include <string>
#include <string_view>

#include "tsm/timestream/query_client.h"

namespace tsm::timestream {

Result<std::string> EncodeQuery(const QueryRequest& request);
// kBadReply where the QueryId or the rows are missing, or a row does not fit the columns.
Result<QueryPage> DecodeQueryPage(std::string_view body);
Result<std::string> EncodeCancelQuery(const std::string& query_id);

}  // namespace tsm::timestream
