// One value inside a running query: 16 bytes, text by reference, so that a row costs no heap
// traffic. A Cell of text is valid as long as the row (RowView), the literal or the Scratch it
// points into.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "ts_local/sql_ast.h"

namespace ts_local {

class Cell {
 public:
  Cell() = default;  // null
  static Cell Boolean(bool value) { return Cell(SqlType::kBoolean, value ? 1 : 0); }
  static Cell Bigint(std::int64_t value) { return Cell(SqlType::kBigint, value); }
  static Cell Time(std::int64_t ns) { return Cell(SqlType::kTimestamp, ns); }
  static Cell Interval(std::int64_t ns) { return Cell(SqlType::kInterval, ns); }
  static Cell Double(double value) {
    Cell cell(SqlType::kDouble, 0);
    cell.number_ = value;
    return cell;
  }
  static Cell Varchar(std::string_view text) {
    Cell cell(SqlType::kVarchar, 0);
    cell.text_ = text.data();
    cell.size_ = static_cast<std::uint32_t>(text.size());
    return cell;
  }

  SqlType type() const { return type_; }
  bool is_null() const { return type_ == SqlType::kNull; }
  bool boolean() const { return integer_ != 0; }
  // Of bigint; nanoseconds of timestamp and interval; 0 or 1 of boolean.
  std::int64_t integer() const { return integer_; }
  double number() const { return number_; }
  std::string_view text() const { return {text_, size_}; }

 private:
  Cell(SqlType type, std::int64_t integer) : type_(type), integer_(integer) {}

  SqlType type_ = SqlType::kNull;
  std::uint32_t size_ = 0;
  union {
    std::int64_t integer_ = 0;
    double number_;
    const char* text_;
  };
};

// Strings computed for the row at hand. They keep their capacity from row to row.
class Scratch {
 public:
  std::string& New() {
    if (used_ == strings_.size()) strings_.emplace_back();
    std::string& text = strings_[used_++];
    text.clear();
    return text;
  }
  void Reset() { used_ = 0; }

 private:
  std::deque<std::string> strings_;
  std::size_t used_ = 0;
};

// <0, 0 or >0; both of one type, neither null. NaN sorts above every number and equals itself.
int CompareCells(const Cell& a, const Cell& b);
// Appends bytes that are equal exactly for equal cells (nulls equal): a key for hash tables.
void AppendCellKey(const Cell& cell, std::string* key);
// Appends the cell as Timestream prints it; null appends nothing.
void AppendCellText(const Cell& cell, std::string* out);

}  // namespace ts_local
