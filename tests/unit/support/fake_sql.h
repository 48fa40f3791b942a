// Reads the statements that the toolkit sends to Timestream, and none beside them: what is not
// understood to the last word is refused, so that the fake never answers another question than the
// one asked. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tsm/core/result.h"
#include "tsm/timestream/partition_unit.h"
#include "tsm/timestream/table_ref.h"
#include "tsm/unload/slice_plan.h"

namespace tsm::test {

// One item of a SELECT's list.
struct SqlItem {
  enum class Kind {
    kStar,
    kMinTime,
    kMaxTime,
    kPartition,    // date_format(time, …)
    kColumn,       // a column itself
    kCountRows,    // count(*)
    kCountColumn,  // count("column")
    kAggregate,    // any other aggregate of one column: of content
    kNanoseconds,  // to_nanoseconds of a column
  };
  Kind kind = Kind::kColumn;
  std::string name;    // the alias, or the column's
  std::string column;  // of kColumn, kCountColumn, kAggregate
  std::string text;    // as it stands, without the alias
  timestream::PartitionUnit unit = timestream::PartitionUnit::kNone;
};

struct SqlSelect {
  std::vector<SqlItem> items;
  timestream::TableRef table;
  unload::TimeRange range;  // all of time where the statement bounds it not
  bool grouped = false;
};

struct SqlUnload {
  SqlSelect select;
  std::string bucket;
  std::string folder;  // "" or ends in '/'
  std::vector<std::string> partitioned_by;
};

// kValidation where it is not understood.
Result<SqlSelect> ParseSelect(std::string_view sql);
Result<SqlUnload> ParseUnload(std::string_view sql);
// "DESCRIBE "db"."table"", "SHOW MEASURES FROM "db"."table"": the table behind `verb`.
Result<timestream::TableRef> ParseTable(std::string_view sql, std::string_view verb);

}  // namespace tsm::test
