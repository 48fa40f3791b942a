#include "ts_local/sql_cell.h"

#include <cmath>
#include <cstring>

#include "ts_local/value_text.h"

namespace ts_local {
namespace {

int CompareDoubles(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return static_cast<int>(std::isnan(a)) - std::isnan(b);
  return a < b ? -1 : static_cast<int>(a > b);
}

void AppendBytes(const void* bytes, std::size_t size, std::string* key) {
  key->append(static_cast<const char*>(bytes), size);
}

// `3 12:00:00.000000000`: days, then the clock.
void AppendInterval(std::int64_t ns, std::string* out) {
  const bool negative = ns < 0;
  const std::uint64_t all =
      negative ? 0 - static_cast<std::uint64_t>(ns) : static_cast<std::uint64_t>(ns);
  if (negative) out->push_back('-');
  const auto day = static_cast<std::uint64_t>(kNsPerDay);
  AppendBigint(static_cast<std::int64_t>(all / day), out);
  std::string clock;
  AppendTimestamp(static_cast<std::int64_t>(all % day), &clock);
  out->append(clock, 10, std::string::npos);
}

}  // namespace

int CompareCells(const Cell& a, const Cell& b) {
  if (a.type() == SqlType::kVarchar) {
    const int order = a.text().compare(b.text());
    return order < 0 ? -1 : static_cast<int>(order > 0);
  }
  if (a.type() == SqlType::kDouble) return CompareDoubles(a.number(), b.number());
  return a.integer() < b.integer() ? -1 : static_cast<int>(a.integer() > b.integer());
}

void AppendCellKey(const Cell& cell, std::string* key) {
  key->push_back(static_cast<char>(cell.type()));
  switch (cell.type()) {
    case SqlType::kNull:
      return;
    case SqlType::kVarchar: {
      const std::size_t size = cell.text().size();
      AppendBytes(&size, sizeof size, key);
      key->append(cell.text());
      return;
    }
    case SqlType::kDouble: {
      double number = cell.number() == 0 ? 0 : cell.number();  // -0.0 and 0.0 are one key
      if (std::isnan(number)) number = std::nan("");
      AppendBytes(&number, sizeof number, key);
      return;
    }
    default: {
      const std::int64_t integer = cell.integer();
      AppendBytes(&integer, sizeof integer, key);
      return;
    }
  }
}

void AppendCellText(const Cell& cell, std::string* out) {
  switch (cell.type()) {
    case SqlType::kNull:
      return;
    case SqlType::kBoolean:
      out->append(cell.boolean() ? "true" : "false");
      return;
    case SqlType::kBigint:
      AppendBigint(cell.integer(), out);
      return;
    case SqlType::kDouble:
      AppendDouble(cell.number(), out);
      return;
    case SqlType::kVarchar:
      out->append(cell.text());
      return;
    case SqlType::kTimestamp:
      AppendTimestamp(cell.integer(), out);
      return;
    case SqlType::kInterval:
      AppendInterval(cell.integer(), out);
      return;
  }
}

}  // namespace ts_local
