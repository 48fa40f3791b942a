// The measures of a table as SHOW MEASURES gives them. Plain values; one query, read to its end.
// https://docs.aws.amazon.com/timestream/latest/developerguide/supported-sql-constructs.SHOW.html
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "tsm/timestream/query_client.h"
#include "tsm/timestream/table_ref.h"

namespace tsm::timestream {

struct MeasureDimension {
  std::string name;
  std::string type;  // lower case, "varchar"
};

// One line of the answer. A name may stand in several lines, one for each of its types. Which
// columns a multi-measure name fills is not told.
struct Measure {
  std::string name;
  std::string data_type;  // lower case: "double", "bigint", ...; "multi" for multi-measure records
  std::vector<MeasureDimension> dimensions;
};

// In the service's order. Empty where nothing was ever written. kNotFound or kValidation where the
// table does not exist.
Result<std::vector<Measure>> ShowMeasures(QueryClient& query, const TableRef& table,
                                          std::stop_token stop);

}  // namespace tsm::timestream
