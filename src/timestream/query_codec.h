// Timestream Query's requests and replies as JSON text. Pure functions.
// https://docs.aws.amazon.com/timestream/latest/developerguide/API_query_Query.html
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tsm/timestream/query_client.h"

namespace tsm::timestream {

Result<std::string> EncodeQuery(const QueryRequest& request);
// kBadReply where the QueryId or the rows are missing, or a row does not fit the columns.
Result<QueryPage> DecodeQueryPage(std::string_view body);
Result<std::string> EncodeCancelQuery(const std::string& query_id);

// The rows of a cell of type ARRAY(ROW(...)), which Cell carries as its JSON text; each row has
// `columns` cells. kBadReply where the text is anything else.
Result<std::vector<Row>> DecodeArrayOfRows(std::string_view cell, std::size_t columns);

}  // namespace tsm::timestream
