// The data model by which a table is loaded: the operator's file, or one made from the unload's
// record, or from the files' header with the existing target; and whether it fits a real file, the
// target and what was unloaded. Asks and reads; changes nothing.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "ts_batchload/settings.h"
#include "tsm/batchload/load_plan.h"
#include "tsm/core/result.h"
#include "tsm/model/data_model.h"
#include "tsm/model/data_model_fit.h"
#include "tsm/run/run_record.h"
#include "tsm/s3/s3_client.h"
#include "tsm/timestream/query_client.h"

namespace tsm::apps {

// What is known of a table's files and of its target.
struct ModelQuestion {
  const BatchLoadSettings& settings;
  const batchload::TableLoad& table;
  const timestream::CsvConfiguration& csv;
  std::optional<run::RunRecord> record;
  std::optional<s3::ObjectKey> sample;  // a data file; nothing: there is none
  bool target_exists = false;
};

struct TableModel {
  model::DataModel model;
  model::ModelSource source;  // empty without a record
  model::RowCounts counts;
  std::optional<UnixNanos> oldest;  // no row is older; nothing: not known

  std::string origin;                    // "made from the unload's record", for people
  std::vector<std::string> notes;        // what is lost, left out or not certain, a sentence each
  std::vector<std::string> changes;      // in the target against the source, a line each
  std::vector<std::string> key_changes;  // why rows may fall together
};

// `query`: asked only where the target exists. Mistakes are kInvalidInput and name what to do.
Result<TableModel> MakeTableModel(const ModelQuestion& question, s3::S3Client& files,
                                  timestream::QueryClient& query, std::stop_token stop);

}  // namespace tsm::apps
