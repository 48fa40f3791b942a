// The aggregates that ts-unload --verify content left of each slice: which objects there are, and
// what stands in one. Pure but for the reading, which is the caller's; one thread uses a reader.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tsm/core/result.h"
#include "tsm/run/content_queries.h"
#include "tsm/run/run_record.h"

namespace tsm::verify {

// A slice as it was planned, whole where it was unloaded in halves.
struct ContentSlice {
  std::string id;      // "0007"
  UnixNanos from = 0;  // inclusive
  UnixNanos end = 0;   // exclusive
};
// In the order of time.
std::vector<ContentSlice> ContentSlices(const run::RunRecord& record);

// The lines of one slice, question by question as the source was asked: a line per partition, the
// partitions ascending, all with the same columns.
class SliceContent {
 public:
  explicit SliceContent(std::string body) : body_(std::move(body)), rest_(body_) {}
  SliceContent(const SliceContent&) = delete;
  SliceContent& operator=(const SliceContent&) = delete;

  // Empty at the end. kBadReply names the line that is damaged.
  Result<std::vector<run::PartitionContent>> NextQuestion();

 private:
  Result<std::optional<run::PartitionContent>> NextLine();

  const std::string body_;
  std::string_view rest_;
  std::size_t line_ = 0;
  std::optional<run::PartitionContent> ahead_;
};

}  // namespace tsm::verify
