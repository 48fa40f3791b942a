// How many tasks may run: per table and account what the operator and the service allow, less what
// others' tasks hold, lowered by the service's refusals and by tasks that stop. Not thread-safe;
// told of every task of this run that begins and ends.
// https://docs.aws.amazon.com/timestream/latest/developerguide/ts-limits.html
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

namespace tsm::batchload {

class TaskSlots {
 public:
  using Moment = std::chrono::steady_clock::time_point;

  TaskSlots(std::size_t tables, int table_slots, int account_slots);

  void Begin(std::size_t table);
  void End(std::size_t table);
  int own(std::size_t table) const { return tables_[table].own; }

  // Others' active tasks, by table of the plan, and in the account altogether.
  void SetOthers(const std::vector<int>& by_table, int all);
  int others(std::size_t table) const { return tables_[table].others; }
  int others() const { return others_; }

  bool HasRoom(std::size_t table, Moment now) const;
  // There would be room were it not for others' tasks on the table or in the account.
  bool IsHeldByOthers(std::size_t table, Moment now) const;

  // A create was refused for a quota or a rate: half as many on the table, one more for each create
  // that is taken, each task that succeeds, and each minute in which nothing is refused.
  void Refused(std::size_t table, Moment now);
  void Accepted(std::size_t table);
  // A task stopped (too many active magnetic partitions): half as many, one more for each task of
  // the table that succeeds.
  void Stopped(std::size_t table);
  void Succeeded(std::size_t table);

 private:
  struct Table {
    int own = 0;
    int others = 0;
    int by_quota = 0;
    int by_stops = 0;
    Moment refused{};
  };
  int LimitOf(const Table& table, Moment now) const;
  bool HasOwnRoom(const Table& table, Moment now) const;

  const int table_slots_;
  const int account_slots_;
  int own_ = 0;
  int others_ = 0;
  std::vector<Table> tables_;
};

}  // namespace tsm::batchload
