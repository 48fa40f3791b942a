// The data model that loads an unloaded table back as it was: every dimension, every measure under
// its own name and type. Made from what DESCRIBE and SHOW MEASURES tell. Pure; plain values.
// https://docs.aws.amazon.com/timestream/latest/developerguide/batch-load-data-model-mappings.html
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tsm/core/result.h"
#include "tsm/model/data_model.h"
#include "tsm/timestream/table_measures.h"
#include "tsm/timestream/table_schema.h"

namespace tsm::model {

struct ModelSource {
  timestream::TableSchema schema;
  std::vector<timestream::Measure> measures;
  std::string time_column;  // the files' column with the row's time in nanoseconds since 1970
  // TIMESTAMP measure column -> the files' column with its nanoseconds since 1970. A batch load
  // takes times as whole numbers only; that a TIMESTAMP measure is read in the model's TimeUnit
  // is documented nowhere and not verified against the service. A column with an alias counts as in
  // the files, also where it is left out as text.
  std::map<std::string, std::string> timestamp_aliases;
  // The table's columns that the files do not have: not chosen, or taken out by partitioned_by.
  std::vector<std::string> left_out;
};

struct GeneratedModel {
  DataModel model;                 // passes CheckDataModel; TimeUnit is NANOSECONDS
  std::vector<std::string> notes;  // what is lost or not certain, a sentence each, for the operator
};

// MultiMeasureMappings for a table of multi-measure records, MixedMeasureMappings as soon as a
// measure has a single value: one mapping per measure name and type.
//
// kInvalidInput where the table has no measures or its files no dimension or measure ("nothing to
// map"), where a name or count is beyond Timestream's limits or a type unknown, where two of the
// files' columns have one name, where measure_name is left out of a table with several measure
// names, and where over 256 multi-measure columns remain: a record takes 256, and no statement
// tells which measure name has which.
Result<GeneratedModel> GenerateDataModel(const ModelSource& source);

// Files that no run record vouches for, by their header, and the existing table that they go into.
struct HeaderSource {
  std::vector<std::string> header;
  std::string file;                           // for messages
  std::string table;                          // the target, for messages
  timestream::TableSchema schema;             // its columns; empty where it has none yet
  std::vector<timestream::Measure> measures;  // by SHOW MEASURES; may be empty
  std::string time_column;                    // with the time as a whole number; "": looked for
  TimeUnit time_unit = TimeUnit::kNanoseconds;
};

// The model that writes each column of the files into the table's column of its name. The time is
// the named column, or the alias that ts-unload gives it ("nanoseconds"). A TIMESTAMP measure is
// read from "<name>_nanoseconds". Measure names stand in a column measure_name; those of single
// measures are the ones that the table has.
//
// kInvalidInput where the table has no columns to go by, the time is not found, or the files have a
// column that the table does not know: it might be a dimension, without which rows fold together.
// The text twins of times (`time`, a TIMESTAMP measure) are left out. Else as GenerateDataModel.
Result<GeneratedModel> GenerateFromHeader(const HeaderSource& source);

}  // namespace tsm::model
