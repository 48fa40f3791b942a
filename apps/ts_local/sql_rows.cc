#include "ts_local/sql_rows.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace ts_local {

PackedRow::PackedRow(const Cell* cells, std::size_t count) {
  std::size_t bytes = count * sizeof(Cell);
  for (std::size_t i = 0; i < count; ++i) {
    if (cells[i].type() == SqlType::kVarchar) bytes += cells[i].text().size();
  }
  block_ = std::make_unique<std::byte[]>(bytes);
  char* text = reinterpret_cast<char*>(block_.get() + count * sizeof(Cell));
  for (std::size_t i = 0; i < count; ++i) {
    Cell copy = cells[i];
    if (copy.type() == SqlType::kVarchar) {
      const std::string_view source = copy.text();
      if (!source.empty()) std::memcpy(text, source.data(), source.size());
      copy = Cell::Varchar({text, source.size()});
      text += source.size();
    }
    Cell* placed = new (block_.get() + i * sizeof(Cell)) Cell(copy);
    if (i == 0) cells_ = placed;
  }
}

RowSink::RowSink(Shape shape, RowFunction out) : shape_(std::move(shape)), out_(std::move(out)) {}

bool RowSink::Before(const Cell* a, const Cell* b) const {
  for (const SortKey& key : shape_.order) {
    const Cell& left = a[key.column];
    const Cell& right = b[key.column];
    if (left.is_null() || right.is_null()) {
      if (left.is_null() == right.is_null()) continue;
      return left.is_null() == key.nulls_first;
    }
    const int order = CompareCells(left, right);
    if (order != 0) return key.descending ? order > 0 : order < 0;
  }
  return false;
}

bool RowSink::Pass(const Cell* row) {
  if (shape_.limit && passed_ >= *shape_.limit) return false;
  ++passed_;
  return out_(row) && !(shape_.limit && passed_ >= *shape_.limit);
}

bool RowSink::Add(const Cell* row) {
  if (shape_.limit == 0) return false;
  if (shape_.distinct) {
    key_.clear();
    for (std::size_t i = 0; i < shape_.visible; ++i) AppendCellKey(row[i], &key_);
    if (!seen_.insert(key_).second) return true;
  }
  if (shape_.order.empty()) return Pass(row);
  const auto before = [this](const PackedRow& a, const PackedRow& b) {
    return Before(a.cells(), b.cells());
  };
  if (!shape_.limit) {
    held_.emplace_back(row, shape_.columns);
    return true;
  }
  if (held_.size() < static_cast<std::size_t>(*shape_.limit)) {
    held_.emplace_back(row, shape_.columns);
    std::push_heap(held_.begin(), held_.end(), before);
  } else if (Before(row, held_.front().cells())) {
    std::pop_heap(held_.begin(), held_.end(), before);
    held_.back() = PackedRow(row, shape_.columns);
    std::push_heap(held_.begin(), held_.end(), before);
  }
  return true;
}

void RowSink::Finish() {
  std::stable_sort(held_.begin(), held_.end(), [this](const PackedRow& a, const PackedRow& b) {
    return Before(a.cells(), b.cells());
  });
  for (const PackedRow& row : held_) {
    if (!Pass(row.cells())) break;
  }
  held_.clear();
}

}  // namespace ts_local
