#include "support/fake_sql.h"

#include "tsm/core/text.h"
#include "tsm/core/time_text.h"
#include "tsm/timestream/partition_calendar.h"

namespace tsm::test {

using timestream::PartitionUnit;

namespace {

Error NotUnderstood(std::string_view what, std::string_view text) {
  return MakeError(ErrorKind::kValidation,
                   "the fake does not understand " + std::string(what) + ": " + OneLine(text, 300));
}

// Takes statements apart from the left.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool Take(std::string_view word) {
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }

  // A quoted name or literal, with doubled quotes undone.
  std::optional<std::string> TakeQuoted(char quote) {
    if (text_.empty() || text_.front() != quote) return std::nullopt;
    std::string value;
    for (std::size_t i = 1; i < text_.size(); ++i) {
      if (text_[i] != quote) {
        value += text_[i];
      } else if (i + 1 < text_.size() && text_[i + 1] == quote) {
        value += text_[i++];
      } else {
        text_.remove_prefix(i + 1);
        return value;
      }
    }
    return std::nullopt;
  }

  std::optional<timestream::TableRef> TakeTable() {
    const auto database = TakeQuoted('"');
    if (!database || !Take(".")) return std::nullopt;
    const auto table = TakeQuoted('"');
    if (!table) return std::nullopt;
    return timestream::TableRef{*database, *table};
  }

  // What stands before `mark` outside of quotes and brackets; the mark is taken too. Without one
  // all.
  std::string_view TakeBefore(std::string_view mark, bool* found) {
    int depth = 0;
    char quote = 0;
    for (std::size_t i = 0; i < text_.size(); ++i) {
      const char c = text_[i];
      if (quote != 0) {
        if (c == quote) quote = 0;
        continue;
      }
      if (depth == 0 && text_.substr(i).starts_with(mark)) {
        const std::string_view before = text_.substr(0, i);
        text_.remove_prefix(i + mark.size());
        *found = true;
        return before;
      }
      if (c == '\'' || c == '"') quote = c;
      if (c == '(' || c == '[') ++depth;
      if (c == ')' || c == ']') --depth;
    }
    *found = false;
    return std::exchange(text_, {});
  }

  bool empty() const { return text_.empty(); }
  std::string_view rest() const { return text_; }

 private:
  std::string_view text_;
};

std::optional<PartitionUnit> UnitOf(const std::string& format) {
  for (const PartitionUnit unit :
       {PartitionUnit::kHour, PartitionUnit::kDay, PartitionUnit::kMonth, PartitionUnit::kYear}) {
    if (format == timestream::PartitionDateFormat(unit)) return unit;
  }
  return std::nullopt;
}

// The one quoted column inside an aggregate; "time" where there is none.
std::string ColumnIn(std::string_view text) {
  const std::size_t quote = text.find('"');
  if (quote == std::string_view::npos) return "time";
  return Scanner(text.substr(quote)).TakeQuoted('"').value_or("");
}

Result<SqlItem> ParseItem(std::string_view text) {
  SqlItem item;
  Scanner scanner(text);
  bool aliased = false;
  const std::string_view expression = scanner.TakeBefore(" AS ", &aliased);
  item.text = expression;
  if (aliased) {
    item.name = scanner.TakeQuoted('"').value_or("");
    if (item.name.empty() || !scanner.empty()) return NotUnderstood("the alias", text);
  }
  Scanner inner(expression);
  if (expression == "*") {
    item.kind = SqlItem::Kind::kStar;
  } else if (expression == "min(time)" && item.name == "first") {
    item.kind = SqlItem::Kind::kMinTime;
  } else if (expression == "max(time)" && item.name == "last") {
    item.kind = SqlItem::Kind::kMaxTime;
  } else if (expression == "count(*)") {
    item.kind = SqlItem::Kind::kCountRows;
  } else if (inner.Take("date_format(time, ")) {
    item.kind = SqlItem::Kind::kPartition;
    const auto unit = UnitOf(inner.TakeQuoted('\'').value_or(""));
    if (!unit || inner.rest() != ")") return NotUnderstood("the date's format", text);
    item.unit = *unit;
  } else if (inner.Take("to_nanoseconds(")) {
    item.kind = SqlItem::Kind::kNanoseconds;
  } else if (auto column = inner.TakeQuoted('"'); column && inner.empty()) {
    item.kind = SqlItem::Kind::kColumn;
    item.column = *column;
    if (item.name.empty()) item.name = *column;
  } else if (inner.Take("count(\"")) {
    item.kind = SqlItem::Kind::kCountColumn;
    item.column = ColumnIn(expression);
  } else if (inner.Take("min(\"") || inner.Take("max(\"") || inner.Take("sum(") ||
             inner.Take("count(CASE WHEN ")) {
    item.kind = SqlItem::Kind::kAggregate;
    item.column = ColumnIn(expression);
  } else {
    return NotUnderstood("an item", text);
  }
  return item;
}

Result<UnixNanos> TakeTime(Scanner& scanner) {
  const auto text = scanner.TakeQuoted('\'');
  if (!text) return NotUnderstood("a time", scanner.rest());
  return ParseTimestamp(*text);
}

Status TakeRange(Scanner& scanner, unload::TimeRange& range) {
  if (!scanner.Take(" WHERE ")) return Ok();
  if (scanner.Take("time >= ")) {
    Result<UnixNanos> from = TakeTime(scanner);
    if (!from) return from.error();
    range.from = *from;
    if (!scanner.Take(" AND ")) return Ok();
  }
  if (!scanner.Take("time < ")) return NotUnderstood("the condition", scanner.rest());
  Result<UnixNanos> end = TakeTime(scanner);
  if (!end) return end.error();
  range.end = *end;
  return Ok();
}

// "1, 2, 3".
void TakeNumbers(Scanner& scanner) {
  while (!scanner.empty() &&
         std::string_view("0123456789, ").find(scanner.rest().front()) != std::string_view::npos) {
    if (scanner.rest().starts_with(" ORDER")) return;
    scanner.Take(scanner.rest().substr(0, 1));
  }
}

}  // namespace

Result<SqlSelect> ParseSelect(std::string_view sql) {
  Scanner scanner(sql);
  SqlSelect select;
  select.range = {timestream::kFirstMoment, timestream::kLastMoment};
  if (!scanner.Take("SELECT ")) return NotUnderstood("the statement", sql);
  bool found = false;
  Scanner items(scanner.TakeBefore(" FROM ", &found));
  if (!found) return NotUnderstood("a SELECT without FROM", sql);
  for (bool more = true; more;) {
    Result<SqlItem> item = ParseItem(items.TakeBefore(", ", &more));
    if (!item) return item.error();
    select.items.push_back(*std::move(item));
  }
  const auto table = scanner.TakeTable();
  if (!table) return NotUnderstood("the table", sql);
  select.table = *table;
  if (Status range = TakeRange(scanner, select.range); !range) return range.error();
  if (scanner.Take(" GROUP BY ")) {
    select.grouped = true;
    TakeNumbers(scanner);
  }
  if (scanner.Take(" ORDER BY ")) TakeNumbers(scanner);
  if (!scanner.empty()) return NotUnderstood("the end", scanner.rest());
  return select;
}

Result<SqlUnload> ParseUnload(std::string_view sql) {
  Scanner scanner(sql);
  SqlUnload unload;
  bool found = false;
  if (!scanner.Take("UNLOAD ")) return NotUnderstood("the statement", sql);
  std::string_view inner = scanner.TakeBefore(" TO ", &found);
  if (!found || inner.size() < 2) return NotUnderstood("an UNLOAD without TO", sql);
  inner = inner.substr(1, inner.size() - 2);
  Result<SqlSelect> select = ParseSelect(inner);
  if (!select) return select.error();
  unload.select = *std::move(select);
  const std::string to = scanner.TakeQuoted('\'').value_or("");
  Scanner uri(to);
  if (!uri.Take("s3://")) return NotUnderstood("TO", sql);
  unload.bucket = uri.TakeBefore("/", &found);
  unload.folder = uri.rest();
  if (!unload.folder.empty() && !unload.folder.ends_with('/')) unload.folder += '/';
  if (!scanner.Take(" WITH (")) return NotUnderstood("an UNLOAD without WITH", sql);
  if (scanner.Take("partitioned_by = ARRAY[")) {
    while (const auto name = scanner.TakeQuoted('\'')) {
      unload.partitioned_by.push_back(*name);
      scanner.Take(", ");
    }
    if (!scanner.Take("], ")) return NotUnderstood("partitioned_by", sql);
  }
  if (!scanner.rest().starts_with("format = 'CSV', compression = 'NONE'")) {
    return NotUnderstood("the format", scanner.rest());
  }
  return unload;
}

Result<timestream::TableRef> ParseTable(std::string_view sql, std::string_view verb) {
  Scanner scanner(sql);
  if (!scanner.Take(verb)) return NotUnderstood("the statement", sql);
  const auto table = scanner.TakeTable();
  if (!table || !scanner.empty()) return NotUnderstood("the table", sql);
  return *table;
}

}  // namespace tsm::test
