// What will be done, decided before anything is: the statement and where its results and the run
// record lie. Pure.
#pragma once

#include <string>
#include <string_view>

#include "tsm/core/result.h"
#include "tsm/s3/names.h"
#include "tsm/timestream/table_schema.h"
#include "tsm/unload/unload_options.h"
#include "tsm/unload/unload_statement.h"

namespace tsm::unload {

struct UnloadPlan {
  UnloadStatement statement;
  std::string sql;
  std::string run_id;
  s3::BucketName bucket;
  std::string results_prefix;  // "<prefix>/results/": where UNLOAD puts its data files
  std::string record_prefix;   // "<prefix>/tsm-run-": what every run's record begins with
  s3::ObjectKey record_key;    // of this run
  s3::S3Uri record_uri;
};

// `destination` has no trailing '/'. kInvalidInput where the statement is longer than the service
// takes.
Result<UnloadPlan> MakeUnloadPlan(const UnloadOptions& options, const s3::S3Uri& destination,
                                  const timestream::TableSchema& schema, const std::string& run_id);

// `wanted`, or `wanted_2`, `wanted_3`, ... : the first that no column has. Compared without case,
// as SQL resolves names.
std::string FreeColumnName(const timestream::TableSchema& schema, std::string_view wanted);

}  // namespace tsm::unload
