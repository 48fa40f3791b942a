// Whether a data model fits what it is used with: the columns of a real file, the target table as
// DESCRIBE shows it, and the table that was unloaded. Asked before any call that costs, since every
// submitted byte of a batch load is charged, right or wrong. Pure; plain values. Mistakes are
// kInvalidInput and name the place in the model and what to do.
// https://docs.aws.amazon.com/timestream/latest/developerguide/batch-load-data-model-mappings.html
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tsm/core/result.h"
#include "tsm/model/data_model.h"
#include "tsm/model/data_model_generate.h"
#include "tsm/timestream/table_measures.h"
#include "tsm/timestream/table_schema.h"
#include "tsm/timestream/write_client.h"

namespace tsm::model {

struct HeaderFit {
  std::vector<std::string> unmapped;  // columns of the files that are not loaded, in their order
};

// Every column that the model reads is in the header, once. `file` is for messages.
Result<HeaderFit> FitToHeader(const DataModel& model, const std::vector<std::string>& header,
                              const std::string& file);

// An existing table. Without columns: nothing was written to it yet, then everything fits.
struct TargetColumns {
  std::string table;  // for messages
  timestream::TableSchema schema;
  std::vector<timestream::Measure> measures;  // by SHOW MEASURES; empty: not asked
};

struct TableFit {
  std::vector<std::string> notes;  // columns that the table gets or that stay empty, a line each
};

// Refused: a destination that the table has as another attribute type (dimension, measure), a
// measure column or measure name of another type, single where the table has multi or the other
// way round, more dimensions, measures or measure names than a table takes. `rows_of` are the
// measure names of the rows, where they are known; they count where a MeasureNameColumn carries
// them.
Result<TableFit> FitToTable(const DataModel& model, const TargetColumns& target,
                            const std::vector<timestream::Measure>& rows_of = {});

// Of the table's columns, by the unload's count.
struct RowCounts {
  std::uint64_t rows = 0;  // 0: not known
  std::map<std::string, std::uint64_t, std::less<>> non_null;
};

struct SourceFit {
  // What in the target will differ from the source, a line each: names, types, what is left out.
  std::vector<std::string> changes;
  // Why rows of the source may become one row of the target, a line each: see CheckKeyChanges.
  std::vector<std::string> key_changes;
};

// The model against the table that was unloaded. Without a schema (files that no record vouches
// for) only what the model shows by itself is found. Refused: the time read from the text column
// or in another unit than the files have.
Result<SourceFit> FitToSource(const DataModel& model, const ModelSource& source,
                              const RowCounts& counts = {});

// A row's key is its dimensions, measure name and time: a model that drops one folds rows together.
Status CheckKeyChanges(const std::vector<std::string>& key_changes, bool allow);

// --partition_key: a name of type DIMENSION, or "measure_name" of type MEASURE, which has no
// enforcement.
timestream::PartitionKey MakePartitionKey(const std::string& name, bool required);

// Rows that lack the key of type DIMENSION; 0 also where it is not known or not mapped. `source`
// tells which column of the counted table a column of the files is.
std::uint64_t RowsWithoutKey(const DataModel& model, const std::string& key,
                             const ModelSource& source, const RowCounts& counts);

// CheckPartitionKey, and with enforcement REQUIRED that no row lacks the key: the table would
// refuse such a row.
Status FitPartitionKey(const DataModel& model, const timestream::PartitionKey& key,
                       const ModelSource& source, const RowCounts& counts);

}  // namespace tsm::model
