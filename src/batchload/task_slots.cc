#include "task_slots.h"

#include <algorithm>

#include "tsm/timestream/limits.h"

namespace tsm::batchload {

namespace {

constexpr std::chrono::minutes kRecovery{1};

}  // namespace

TaskSlots::TaskSlots(std::size_t tables, int table_slots, int account_slots)
    : table_slots_(std::max(table_slots, 1)), account_slots_(std::max(account_slots, 1)) {
  Table table;
  table.by_quota = table_slots_;
  table.by_stops = table_slots_;
  tables_.assign(tables, table);
}

void TaskSlots::Begin(std::size_t table) {
  ++tables_[table].own;
  ++own_;
}

void TaskSlots::End(std::size_t table) {
  --tables_[table].own;
  --own_;
}

void TaskSlots::SetOthers(const std::vector<int>& by_table, int all) {
  for (std::size_t i = 0; i < tables_.size(); ++i) tables_[i].others = by_table[i];
  others_ = all;
}

int TaskSlots::LimitOf(const Table& table, Moment now) const {
  const auto minutes = std::max((now - table.refused) / kRecovery, std::int64_t{0});
  const std::int64_t by_quota =
      std::min<std::int64_t>(table.by_quota + minutes, static_cast<std::int64_t>(table_slots_));
  return std::min(static_cast<int>(by_quota), table.by_stops);
}

bool TaskSlots::HasOwnRoom(const Table& table, Moment now) const {
  return table.own < LimitOf(table, now) && own_ < account_slots_;
}

bool TaskSlots::HasRoom(std::size_t index, Moment now) const {
  const Table& table = tables_[index];
  return HasOwnRoom(table, now) && table.own < timestream::kMaxActiveTasksPerTable - table.others &&
         own_ < timestream::kMaxActiveTasksPerAccount - others_;
}

bool TaskSlots::IsHeldByOthers(std::size_t index, Moment now) const {
  return HasOwnRoom(tables_[index], now) && !HasRoom(index, now);
}

void TaskSlots::Refused(std::size_t index, Moment now) {
  Table& table = tables_[index];
  const auto minutes = std::max((now - table.refused) / kRecovery, std::int64_t{0});
  const std::int64_t reached =
      std::min<std::int64_t>(table.by_quota + minutes, static_cast<std::int64_t>(table_slots_));
  table.by_quota = std::max(static_cast<int>(reached) / 2, 1);
  table.refused = now;
}

void TaskSlots::Accepted(std::size_t index) {
  Table& table = tables_[index];
  table.by_quota = std::min(table.by_quota + 1, table_slots_);
}

void TaskSlots::Stopped(std::size_t index) {
  Table& table = tables_[index];
  table.by_stops = std::max(table.by_stops / 2, 1);
}

void TaskSlots::Succeeded(std::size_t index) {
  Table& table = tables_[index];
  table.by_stops = std::min(table.by_stops + 1, table_slots_);
  table.by_quota = std::min(table.by_quota + 1, table_slots_);
}

}  // namespace tsm::batchload
