// Recursive descent over the tokens of one Timestream statement: SELECT, UNLOAD, SHOW and DESCRIBE.
// Everything else is refused with a ValidationException that names the token and its place.
// Pure, reentrant.
// https://docs.aws.amazon.com/timestream/latest/developerguide/supported-sql-constructs.html
#pragma once

#include <string_view>

#include "ts_local/sql_ast.h"

namespace ts_local {

// One statement with an optional trailing semicolon.
Statement ParseStatement(std::string_view sql);

}  // namespace ts_local
