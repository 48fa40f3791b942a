// The two byte encodings of a Timestream table's file: a series (measure name and dimensions) and
// the values of a row. Both are canonical, so that equal data are equal bytes. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ts_local/table_store.h"

namespace ts_local {

// Dimension ids with their values, in ascending id order.
struct Series {
  std::string measure_name;
  std::vector<std::pair<std::uint32_t, std::string>> dimensions;
};

// A series' bytes; `dimensions` must be in ascending id order.
struct SeriesDimension {
  std::uint32_t id = 0;
  std::string_view value;
};
void EncodeSeries(std::string_view measure_name, const std::vector<SeriesDimension>& dimensions,
                  std::string* out);
// Throws std::runtime_error on bytes that EncodeSeries did not make.
Series DecodeSeries(std::string_view bytes);

// Appends one value of the column. Columns must come in ascending id order; nulls are left out.
void AppendValue(std::uint32_t column_id, const Value& value, std::string* out);

// Walks the values of a row.
class RowReader {
 public:
  explicit RowReader(std::string_view bytes) : bytes_(bytes) {}
  bool AtEnd() const { return bytes_.empty(); }
  std::uint32_t NextColumn();
  // Reads the column's value into `out`, whose text buffer is reused. `out` may be nullptr: skip.
  void ReadValue(ScalarType type, Value* out);

 private:
  std::string_view bytes_;
};

}  // namespace ts_local
