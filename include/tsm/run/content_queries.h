// The content of a table's range as aggregates of every column, for --verify content: the question
// as SQL, what its answer's rows mean, and the lines in which ts-unload puts them beside the
// record. Pure; the callers run them and feed the pages. Columns are read by name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tsm/core/result.h"
#include "tsm/timestream/partition_unit.h"
#include "tsm/timestream/query_client.h"
#include "tsm/timestream/table_ref.h"

namespace tsm::run {

// Rows of what and by what they are grouped.
struct ContentScope {
  timestream::TableRef table;
  timestream::PartitionUnit unit = timestream::PartitionUnit::kNone;  // none: by the day
  std::string where;                                                  // "" or " WHERE …"
};

struct ContentColumn {
  std::string name;
  std::string type;  // as DESCRIBE has it; of any other ("") the values are counted only
};

// One row per calendar partition with, for every column, aggregates that Timestream documents and
// that hold for 2,000,000,000 rows of any value: non-null count, min, max; varchar: sum of lengths;
// bigint: sums of quotient and remainder by 4,294,967,296; double: sum; boolean: count of true;
// timestamp: sums of seconds and of nanoseconds.
// https://docs.aws.amazon.com/timestream/latest/developerguide/aggregate-functions.html
std::string ContentSql(const ContentScope& scope, const std::vector<ContentColumn>& columns);
// `columns` in as many questions as the service's limits of a statement and an answer ask for: one
// ContentSql each, all of the same partitions. At least one, with no column where there is none.
std::vector<std::vector<ContentColumn>> ContentChunks(const ContentScope& scope,
                                                      const std::vector<ContentColumn>& columns);

// One aggregate of a partition: {"temperature", "sum", "12.5"}; a null aggregate is absent.
struct ContentFact {
  std::string column;
  std::string aggregate;  // "count", "min", "max", "length", "quotient", "remainder", "sum",
                          // "true", "seconds", "nanos"
  std::string value;
};
struct PartitionContent {
  std::string partition;  // "2024-02-26"
  std::uint64_t rows = 0;
  std::vector<ContentFact> facts;
};
Result<PartitionContent> ParseContentRow(const std::vector<ContentColumn>& columns,
                                         const timestream::QueryPage& page,
                                         const timestream::Row& row);

// A line of JSON with its end:
// {"partition":"2024-02-26","rows":10,"facts":[["temperature","sum","12.5"],…]}
std::string ContentLine(const PartitionContent& content);
// And back, with or without its end. kBadReply where it is none.
Result<PartitionContent> ParseContentLine(std::string_view line);

}  // namespace tsm::run
