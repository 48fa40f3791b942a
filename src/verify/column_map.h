// What of a loaded table each column of the unloaded one is to be held against, as the data model
// has it. Pure.
#pragma once

#include <string>
#include <vector>

#include "tsm/model/data_model.h"
#include "tsm/run/run_record.h"
#include "tsm/timestream/table_schema.h"

namespace tsm::verify {

struct ComparedColumn {
  std::string source;
  std::string target;
  std::string type;  // "double", …; "": only the values are counted, for they are not the same
  bool missing = false;  // the target has no such column: right where the source has no value
};

struct ColumnMap {
  std::vector<ComparedColumn> columns;    // in the source's order; no target stands twice
  std::vector<std::string> not_compared;  // "humidity: the data model does not load it"

  const ComparedColumn* Find(std::string_view source) const;
};

// `target`: the loaded table's columns. kInvalidInput where rows do not keep their time: then no
// partition of the one table is one of the other.
Result<ColumnMap> MapColumns(const run::RunRecord& record, const model::DataModel& model,
                             const timestream::TableSchema& target);

}  // namespace tsm::verify
