// Splits a Timestream query into tokens: words, quoted names, strings, numbers, interval literals
// (`1h`, `30m`), operators. Comments (`--` and `/* */`) are skipped. Pure; errors are ApiError
// ValidationException with the line and column of the offending character.
// https://docs.aws.amazon.com/timestream/latest/developerguide/reference.html
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ts_local/api_error.h"

namespace ts_local {

// Where a token begins; both count from 1, columns in bytes.
struct SqlPosition {
  int line = 1;
  int column = 1;
};

// A refusal in the form `line 1:8: message`.
ApiError SqlError(SqlPosition at, const std::string& message);

enum class TokenKind {
  kWord,      // keyword or unquoted name, `measure_value::double` being one
  kQuoted,    // "name", `""` undone
  kString,    // 'text', `''` undone
  kBigint,    // 42
  kDouble,    // 1.5, 1e3
  kInterval,  // 1h; `integer` holds nanoseconds
  kOperator,  // = <> != < <= > >= + - * / % || ( ) , . ; [ ]
  kEnd,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  SqlPosition at;
  std::string text;   // as meant: quotes removed; of numbers and operators as written
  std::string upper;  // of words only: upper case, for keywords
  std::int64_t integer = 0;
  double number = 0;
};

// All tokens, the last being kEnd.
std::vector<Token> Tokenize(std::string_view sql);

// ASCII letters only: keywords and function names have no others.
std::string AsciiUpper(std::string_view text);
std::string AsciiLower(std::string_view text);

}  // namespace ts_local
