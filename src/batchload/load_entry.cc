#include "load_entry.h"

#include <algorithm>
#include <array>
#include <utility>

#include "tsm/core/text.h"

namespace tsm::batchload {

namespace {

using timestream::ProgressReport;

constexpr std::array<std::pair<std::string_view, std::int64_t ProgressReport::*>, 6> kCounters{{
    {"processed", &ProgressReport::records_processed},
    {"ingested", &ProgressReport::records_ingested},
    {"parse_failures", &ProgressReport::parse_failures},
    {"ingestion_failures", &ProgressReport::record_ingestion_failures},
    {"file_failures", &ProgressReport::file_failures},
    {"metered", &ProgressReport::bytes_metered},
}};

constexpr std::array<std::string_view, 5> kOfTask = {"task_created", "task_lost", "task_status",
                                                     "resume", "group_done"};

}  // namespace

std::optional<std::uint64_t> CountIn(const JournalEntry& entry, std::string_view name) {
  const auto number = ParseInt64(entry.Field(name));
  if (!number || *number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

std::optional<std::vector<std::uint64_t>> NumbersIn(const JournalEntry& entry,
                                                    std::string_view name) {
  std::vector<std::uint64_t> numbers;
  if (entry.Field(name).empty()) return numbers;
  for (const std::string_view part : Split(entry.Field(name), ',')) {
    const auto number = ParseInt64(part);
    if (!number || *number < 0) return std::nullopt;
    numbers.push_back(static_cast<std::uint64_t>(*number));
  }
  return numbers;
}

std::string NumbersText(const std::vector<std::uint64_t>& numbers) {
  std::string text;
  for (const std::uint64_t number : numbers) {
    text += (text.empty() ? "" : ",") + std::to_string(number);
  }
  return text;
}

std::optional<ProgressReport> ProgressIn(const JournalEntry& entry) {
  ProgressReport progress;
  for (const auto& [name, counter] : kCounters) {
    const auto number = ParseInt64(entry.Field(name));
    if (!number) return std::nullopt;
    progress.*counter = *number;
  }
  return progress;
}

void PutProgress(const ProgressReport& progress, JournalEntry& entry) {
  for (const auto& [name, counter] : kCounters) {
    entry.fields[std::string(name)] = std::to_string(progress.*counter);
  }
}

bool IsOfTask(std::string_view kind) {
  return std::find(kOfTask.begin(), kOfTask.end(), kind) != kOfTask.end();
}

}  // namespace tsm::batchload
