// The header line of a CSV file as a batch load reads it: which columns the file has, so that a
// data model can be checked before anything is loaded. Given the file's first bytes; what is no
// CSV file that batch load takes is told. Pure; no calls.
// https://docs.aws.amazon.com/timestream/latest/developerguide/batch-load-preparing-data-file.html
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tsm/core/result.h"
#include "tsm/timestream/batch_load_types.h"

namespace tsm::model {

// Enough for nearly every header in one ranged GET; the longest row that batch load takes.
inline constexpr std::size_t kFirstHeaderBytes = 64U * 1024;
inline constexpr std::size_t kMaxHeaderBytes = 16U * 1024 * 1024;

struct CsvHeader {
  std::vector<std::string> columns;  // unquoted; names may repeat: see FitToHeader
  std::size_t bytes = 0;             // of the line with its line end
};

// Reads the header from the first bytes of `file` (its URI, for messages). Nothing where the line
// does not end in `start` and `whole` is false: fetch more, up to kMaxHeaderBytes.
//
// kInvalidInput, always naming the file: it is empty, begins with a byte order mark (batch load
// takes none), is gzip or Parquet, the line is longer than 16 MB, a quote does not end or is
// followed by other text, a column has no name, or the line is no UTF-8.
Result<std::optional<CsvHeader>> ParseCsvHeader(std::string_view start, bool whole,
                                                const timestream::CsvConfiguration& csv,
                                                const std::string& file);

}  // namespace tsm::model
