// What the parser makes of a query: plain trees that still know where each part stood, so that
// every refusal can name line and column. A tree owns its children; nothing here is checked against
// a table yet (sql_bind does that). Values, no thread concerns.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "ts_local/sql_lexer.h"

namespace ts_local {

// Types of expressions. kNull is the type of a bare NULL; kInterval exists only inside queries.
enum class SqlType : std::uint8_t {
  kNull,
  kBoolean,
  kBigint,
  kDouble,
  kVarchar,
  kTimestamp,
  kInterval
};

enum class ExprKind {
  kLiteral,   // `type` with `text`, `integer` (also boolean, timestamp, interval) or `number`
  kColumn,    // `text` is the name, `quoted` tells whether it stood in double quotes
  kCall,      // `text` is the function in lower case
  kCast,      // args[0] AS `type`
  kOperator,  // `text`: and or not = <> < <= > >= + - * / % || neg is_null like in between
  kCase,      // args: when, then, when, then, ... [else]; see `has_else`
};

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

struct Expr {
  ExprKind kind = ExprKind::kLiteral;
  SqlPosition at;
  std::string text;
  SqlType type = SqlType::kNull;
  std::int64_t integer = 0;
  double number = 0;
  bool quoted = false;
  bool distinct = false;  // count(DISTINCT x)
  bool star = false;      // count(*)
  bool has_else = false;
  std::vector<ExprPtr> args;
};

struct SelectItem {
  bool star = false;
  ExprPtr expr;  // null where star
  std::string alias;
  SqlPosition at;
};

struct OrderItem {
  ExprPtr expr;
  bool descending = false;
  bool nulls_first = false;  // nulls last is the default for both directions
};

struct SqlTableName {
  std::string database;
  std::string table;
  SqlPosition at;
};

struct SelectStatement {
  bool distinct = false;
  std::vector<SelectItem> items;
  std::optional<SqlTableName> from;
  ExprPtr where;
  std::vector<ExprPtr> group_by;
  ExprPtr having;
  std::vector<OrderItem> order_by;
  std::optional<std::int64_t> limit;
};

// One `name = 'text'` or `name = ARRAY['text', ...]` of WITH (...).
struct UnloadOption {
  std::string name;  // lower case
  bool is_array = false;
  std::vector<std::string> values;  // one unless is_array
  SqlPosition at;
};

struct UnloadStatement {
  SelectStatement select;
  std::string to;
  SqlPosition to_at;
  std::vector<UnloadOption> options;
};

struct ShowStatement {
  enum class Kind { kDatabases, kTables, kMeasures, kDescribe };
  Kind kind = Kind::kDatabases;
  SqlTableName name;  // database alone for kTables, "" where FROM is absent
  std::optional<std::string> like;
};

using Statement = std::variant<SelectStatement, UnloadStatement, ShowStatement>;

// The expression in one canonical spelling: two expressions that mean the same by structure have
// the same text. GROUP BY is matched to the select list by it.
std::string CanonicalText(const Expr& expr);

}  // namespace ts_local
