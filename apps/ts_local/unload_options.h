// What UNLOAD ... TO ... WITH (...) asks for, checked against the documented options and the
// columns of its SELECT. Pure. Every refusal is a ValidationException that names the option.
// https://docs.aws.amazon.com/timestream/latest/developerguide/export-unload-concepts.html
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ts_local/sql_ast.h"
#include "ts_local/sql_exec.h"
#include "ts_local/storage.h"

namespace ts_local {

struct UnloadSettings {
  std::string bucket;
  std::string prefix;                 // "" or without the trailing '/'
  std::size_t partition_columns = 0;  // the last so many columns of the SELECT
  char delimiter = ',';
  char escape = '\\';
  bool header = false;
  bool gzip = true;                 // the service's default
  std::uint64_t max_file_size = 0;  // bytes, approximate as the service's
  StoredAs stored_as;
};

// https://docs.aws.amazon.com/timestream/latest/developerguide/export-unload-limits.html
inline constexpr std::size_t kMaxUnloadPartitions = 100;

UnloadSettings CheckUnload(const UnloadStatement& statement,
                           const std::vector<OutputColumn>& columns);

}  // namespace ts_local
