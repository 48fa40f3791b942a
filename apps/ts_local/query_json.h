// The Query API's result shapes as JSON text, appended without an intermediate tree: result pages
// are up to a megabyte each. Pure functions.
// https://docs.aws.amazon.com/timestream/latest/developerguide/API_query_Query.html
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ts_local/sql_exec.h"

namespace ts_local {

// `text` in double quotes.
void AppendJsonString(std::string_view text, std::string* out);
// {"Name":...,"Type":{"ScalarType":...}}
std::string ColumnJson(const std::string& name, ScalarType type);
// [{...},...] of all columns.
std::string ColumnInfoJson(const std::vector<OutputColumn>& columns);
// {"Data":[{"ScalarValue":"1"},{"NullValue":true},...]}
std::string RowJson(const Cell* cells, std::size_t count);
std::string TextRowJson(const std::vector<std::string>& values);

// An identifier as the service makes them: `count` characters of A-Z and 2-7, or of `alphabet`.
std::string RandomText(std::size_t count,
                       std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");

}  // namespace ts_local
