#include "table_questions.h"

#include <utility>

#include "tsm/timestream/ask_rows.h"
#include "tsm/unload/failure_cause.h"

namespace tsm::unload {

namespace {

using Counts = std::map<std::string, std::uint64_t, std::less<>>;

void AddTo(Counts& sums, Counts&& more) {
  if (sums.empty()) {
    sums = std::move(more);
    return;
  }
  for (const auto& [name, count] : more) sums[name] += count;
}

// One range asked for what CountRange is asked.
class Counter {
 public:
  Counter(const UnloadServices& services, const TableSelect& select,
          const std::function<std::string(const std::vector<std::string>& values)>& name,
          std::chrono::nanoseconds give_up_after, std::stop_token stop)
      : services_(services),
        select_(select),
        name_(name),
        give_up_after_(give_up_after),
        stop_(std::move(stop)) {}

  // In halves where the whole is too large.
  Status Count(const TimeRange& range, const std::vector<std::vector<std::string>>& chunks,
               TableCount& count) {
    TableCount whole;
    Status counted = CountOnce(range, chunks, whole);
    if (counted) {
      AddTo(count.rows, std::move(whole.rows));
      AddTo(count.non_null, std::move(whole.non_null));
      return counted;
    }
    if (!IsTooLarge(CauseOf(counted.error()))) return counted;
    UnloadSlice slice;
    slice.from = range.from;
    slice.end = range.end;
    const auto halves = SplitSlice(slice, SurveyUnit(select_.partition));
    if (!halves) return counted;
    for (const UnloadSlice* half : {&halves->first, &halves->second}) {
      Status done = Count({half->from, half->end}, chunks, count);
      if (!done) return done;
    }
    return Ok();
  }

 private:
  Status CountOnce(const TimeRange& range, const std::vector<std::vector<std::string>>& chunks,
                   TableCount& count) {
    for (std::size_t i = 0; i < chunks.size(); ++i) {
      const std::vector<std::string>& columns = chunks[i];
      TableCount part;
      Status asked = AskRows(
          services_, CountSql(select_, range, columns), give_up_after_,
          [&] { part = TableCount(); },
          [&](const timestream::QueryPage& page, const timestream::Row& row) -> Status {
            Result<PartitionCount> read = ParseCountRow(select_, columns.size(), page, row);
            if (!read) return read.error();
            // Each question counts the rows anew; the first one's are taken.
            if (i == 0) part.rows[name_(read->values)] += read->rows;
            for (std::size_t c = 0; c < columns.size(); ++c) {
              part.non_null[columns[c]] += read->non_null[c];
            }
            return Ok();
          },
          stop_);
      if (!asked) return asked;
      AddTo(count.rows, std::move(part.rows));
      AddTo(count.non_null, std::move(part.non_null));
    }
    return Ok();
  }

  const UnloadServices& services_;
  const TableSelect& select_;
  const std::function<std::string(const std::vector<std::string>& values)>& name_;
  const std::chrono::nanoseconds give_up_after_;
  const std::stop_token stop_;
};

}  // namespace

Status AskRows(
    const UnloadServices& services, const std::string& sql, std::chrono::nanoseconds give_up_after,
    const std::function<void()>& begin,
    const std::function<Status(const timestream::QueryPage&, const timestream::Row&)>& row,
    std::stop_token stop) {
  const Patience patience{services.clock, services.progress, nullptr, give_up_after};
  return timestream::AskRows(services.query, services.random, patience, {sql, begin, row},
                             std::move(stop));
}

Result<TableCount> CountRange(
    const UnloadServices& services, const TableSelect& select, const TimeRange& range,
    const std::vector<std::string>& columns,
    const std::function<std::string(const std::vector<std::string>& values)>& name,
    std::chrono::nanoseconds give_up_after, std::stop_token stop) {
  TableCount count;
  Status counted = Counter(services, select, name, give_up_after, std::move(stop))
                       .Count(range, CountChunks(select, range, columns), count);
  if (!counted) return counted.error().With("counting the rows of " + select.table.str());
  return count;
}

}  // namespace tsm::unload
