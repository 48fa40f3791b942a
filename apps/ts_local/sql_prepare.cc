// The preparing half of sql_exec.h: scope, select list, grouping and order of one SELECT.
#include <algorithm>
#include <utility>

#include "ts_local/sql_exec.h"

namespace ts_local {
namespace {

SqlType ToSqlType(ScalarType type) {
  switch (type) {
    case ScalarType::kVarchar:
      return SqlType::kVarchar;
    case ScalarType::kDouble:
      return SqlType::kDouble;
    case ScalarType::kBigint:
      return SqlType::kBigint;
    case ScalarType::kBoolean:
      return SqlType::kBoolean;
    case ScalarType::kTimestamp:
      return SqlType::kTimestamp;
  }
  return SqlType::kVarchar;
}

bool HasAggregate(const Expr& expr) {
  if (expr.kind == ExprKind::kCall && IsAggregate(expr.text)) return true;
  return std::any_of(expr.args.begin(), expr.args.end(),
                     [](const ExprPtr& argument) { return HasAggregate(*argument); });
}

bool IsGrouped(const SelectStatement& statement) {
  if (!statement.group_by.empty() || statement.having) return true;
  for (const SelectItem& item : statement.items) {
    if (item.expr && HasAggregate(*item.expr)) return true;
  }
  return std::any_of(statement.order_by.begin(), statement.order_by.end(),
                     [](const OrderItem& item) { return HasAggregate(*item.expr); });
}

bool IsOrdinal(const Expr& expr) {
  return expr.kind == ExprKind::kLiteral && expr.type == SqlType::kBigint;
}

}  // namespace

SelectQuery::SelectQuery(const SelectStatement& statement, const TableSchema* schema,
                         std::int64_t now_ns)
    : has_table_(schema != nullptr), grouped_(IsGrouped(statement)) {
  BuildScope(schema);
  ExprBinder source(scope_, now_ns);
  if (statement.where) {
    if (!has_table_) throw SqlError(statement.where->at, "WHERE needs a FROM clause");
    if (HasAggregate(*statement.where)) {
      throw SqlError(statement.where->at, "WHERE clause cannot contain aggregations");
    }
    where_ = source.BindCondition(*statement.where, "WHERE");
    where_->Narrow(dimensions_ + 1, &range_);
    const auto constant = where_->Constant();
    if (constant && (constant->is_null() || !constant->boolean())) range_.to = range_.from;
  }
  range_is_all_ = has_table_ && (!where_ || where_->IsTimeRange(dimensions_ + 1));
  if (grouped_) {
    BindGrouping(statement, &source, now_ns);
  } else {
    BindItems(statement, &source);
    shape_.visible = columns_.size();
    BindOrder(statement, &source);
  }
  for (std::size_t slot = 0; slot < scope_.size(); ++slot) {
    if (source.used()[slot]) used_slots_.push_back(slot);
  }
  shape_.columns = outputs_.size();
  shape_.distinct = statement.distinct;
  shape_.limit = statement.limit;
}

void SelectQuery::BuildScope(const TableSchema* schema) {
  if (schema == nullptr) return;
  dimensions_ = schema->dimensions.size();
  for (const std::string& dimension : schema->dimensions) {
    scope_.push_back({dimension, SqlType::kVarchar});
  }
  scope_.push_back({"measure_name", SqlType::kVarchar});
  scope_.push_back({"time", SqlType::kTimestamp});
  for (const MeasureColumn& measure : schema->measures) {
    scope_.push_back({measure.name, ToSqlType(measure.type)});
  }
}

void SelectQuery::AddColumn(const SelectItem& item, SqlType type) {
  OutputColumn column;
  column.aliased = !item.alias.empty();
  column.of_table = item.expr->kind == ExprKind::kColumn;
  if (column.aliased) {
    column.name = item.alias;
  } else if (column.of_table) {
    column.name = scope_[FindColumn(scope_, *item.expr)].name;
  } else {
    column.name = "_col" + std::to_string(columns_.size());
  }
  switch (type) {
    case SqlType::kBoolean:
      column.type = ScalarType::kBoolean;
      break;
    case SqlType::kBigint:
      column.type = ScalarType::kBigint;
      break;
    case SqlType::kDouble:
      column.type = ScalarType::kDouble;
      break;
    case SqlType::kTimestamp:
      column.type = ScalarType::kTimestamp;
      break;
    case SqlType::kNull:  // a bare NULL: every cell is null, whatever the column is called
    case SqlType::kVarchar:
      column.type = ScalarType::kVarchar;
      break;
    case SqlType::kInterval:
      throw SqlError(item.at, "a column of type interval can't be returned: use CAST AS varchar");
  }
  columns_.push_back(std::move(column));
}

void SelectQuery::BindItems(const SelectStatement& statement, ExprBinder* binder) {
  for (const SelectItem& item : statement.items) {
    if (!item.star) {
      outputs_.push_back(binder->Bind(*item.expr));
      AddColumn(item, outputs_.back()->type());
      item_texts_.push_back(CanonicalText(*item.expr));
      continue;
    }
    if (!has_table_) throw SqlError(item.at, "SELECT * not allowed in queries without FROM clause");
    if (grouped_) throw SqlError(item.at, "SELECT * can't stand beside GROUP BY or aggregates");
    for (const ScopeColumn& column : scope_) {
      SelectItem single;
      single.at = item.at;
      single.expr = std::make_unique<Expr>();
      single.expr->kind = ExprKind::kColumn;
      single.expr->at = item.at;
      single.expr->text = column.name;
      single.expr->quoted = true;
      outputs_.push_back(binder->Bind(*single.expr));
      AddColumn(single, outputs_.back()->type());
      item_texts_.push_back(CanonicalText(*single.expr));
    }
  }
}

void SelectQuery::BindOrder(const SelectStatement& statement, ExprBinder* binder) {
  for (const OrderItem& item : statement.order_by) {
    SortKey key{0, item.descending, item.nulls_first};
    const Expr& expr = *item.expr;
    const auto is_alias = [&expr](const OutputColumn& column) {
      return column.aliased && expr.kind == ExprKind::kColumn && column.name == expr.text;
    };
    const auto alias = std::find_if(columns_.begin(), columns_.end(), is_alias);
    if (IsOrdinal(expr)) {
      if (expr.integer < 1 || expr.integer > static_cast<std::int64_t>(columns_.size())) {
        throw SqlError(expr.at, "ORDER BY position " + std::to_string(expr.integer) +
                                    " is not in select list");
      }
      key.column = static_cast<std::size_t>(expr.integer - 1);
    } else if (alias != columns_.end()) {
      key.column = static_cast<std::size_t>(alias - columns_.begin());
    } else {
      const auto text = std::find(item_texts_.begin(), item_texts_.end(), CanonicalText(expr));
      key.column = static_cast<std::size_t>(text - item_texts_.begin());
      if (text == item_texts_.end()) {
        BoundPtr bound = binder->Bind(expr);
        if (statement.distinct) {
          throw SqlError(expr.at,
                         "For SELECT DISTINCT, ORDER BY expressions must appear in select list");
        }
        key.column = outputs_.size();
        outputs_.push_back(std::move(bound));
      }
    }
    shape_.order.push_back(key);
  }
}

const Expr& SelectQuery::GroupExpr(const SelectStatement& statement, const Expr& expr) const {
  if (!IsOrdinal(expr)) return expr;
  if (expr.integer < 1 || expr.integer > static_cast<std::int64_t>(statement.items.size())) {
    throw SqlError(expr.at,
                   "GROUP BY position " + std::to_string(expr.integer) + " is not in select list");
  }
  const SelectItem& item = statement.items[static_cast<std::size_t>(expr.integer - 1)];
  if (item.star) throw SqlError(item.at, "SELECT * can't stand beside GROUP BY or aggregates");
  return *item.expr;
}

BoundPtr SelectQuery::GroupedSlot(const Expr& expr, ExprBinder* source) {
  const std::string text = CanonicalText(expr);
  const auto key = std::find(key_texts_.begin(), key_texts_.end(), text);
  if (key != key_texts_.end()) {
    const auto slot = static_cast<std::size_t>(key - key_texts_.begin());
    return MakeSlot(keys_[slot]->type(), slot);
  }
  if (expr.kind == ExprKind::kCall && IsAggregate(expr.text)) {
    const auto known = std::find(aggregate_texts_.begin(), aggregate_texts_.end(), text);
    const auto index = static_cast<std::size_t>(known - aggregate_texts_.begin());
    if (known == aggregate_texts_.end()) {
      for (const ExprPtr& argument : expr.args) {
        if (HasAggregate(*argument)) throw SqlError(argument->at, "Cannot nest aggregations");
      }
      aggregates_.push_back(BindAggregate(expr, source));
      aggregate_texts_.push_back(text);
    }
    return MakeSlot(aggregates_[index].result, keys_.size() + index);
  }
  if (expr.kind == ExprKind::kColumn && FindColumn(scope_, expr) != scope_.size()) {
    throw SqlError(expr.at, "'" + expr.text +
                                "' must be an aggregate expression or appear in GROUP BY clause");
  }
  return nullptr;
}

void SelectQuery::BindGrouping(const SelectStatement& statement, ExprBinder* source,
                               std::int64_t now_ns) {
  for (const ExprPtr& item : statement.group_by) {
    const Expr& expr = GroupExpr(statement, *item);
    if (HasAggregate(expr)) {
      throw SqlError(expr.at, "GROUP BY clause cannot contain aggregations");
    }
    keys_.push_back(source->Bind(expr));
    key_texts_.push_back(CanonicalText(expr));
  }
  ExprBinder grouped(scope_, now_ns,
                     [this, source](const Expr& expr) { return GroupedSlot(expr, source); });
  BindItems(statement, &grouped);
  shape_.visible = columns_.size();
  if (statement.having) having_ = grouped.BindCondition(*statement.having, "HAVING");
  BindOrder(statement, &grouped);
}

}  // namespace ts_local
