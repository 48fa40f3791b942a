// A table's schema and measures as JSON text, for what a run keeps: plan and record. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tsm/core/result.h"
#include "tsm/timestream/table_measures.h"
#include "tsm/timestream/table_schema.h"

namespace tsm::timestream {

// [{"name":"city","type":"varchar","role":"DIMENSION"}, …]: DESCRIBE's words.
std::string ToJson(const TableSchema& schema);
Result<TableSchema> ParseTableSchema(std::string_view json);  // kBadReply

// [{"name":"climate","data_type":"multi","dimensions":[{"name":"city","type":"varchar"}]}, …].
std::string ToJson(const std::vector<Measure>& measures);
Result<std::vector<Measure>> ParseMeasures(std::string_view json);  // kBadReply

// "DIMENSION", "MEASURE_NAME", "TIMESTAMP", "MEASURE_VALUE", "MULTI".
std::string_view Name(ColumnRole role);

}  // namespace tsm::timestream
