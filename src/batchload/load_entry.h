// Values in the entries of a load's journal, to and from text. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tsm/core/journal.h"
#include "tsm/timestream/batch_load_types.h"

namespace tsm::batchload {

// A decimal number of at least 0, or nothing.
std::optional<std::uint64_t> CountIn(const JournalEntry& entry, std::string_view name);

// "1,2,1"; an absent or empty field is no numbers; nothing where one is none.
std::optional<std::vector<std::uint64_t>> NumbersIn(const JournalEntry& entry,
                                                    std::string_view name);
std::string NumbersText(const std::vector<std::uint64_t>& numbers);

// The counters of a task; nothing where one is missing or no number.
std::optional<timestream::ProgressReport> ProgressIn(const JournalEntry& entry);
void PutProgress(const timestream::ProgressReport& progress, JournalEntry& entry);

// Entries that go on with an open task: task_created, task_lost, task_status, resume, group_done.
bool IsOfTask(std::string_view kind);

}  // namespace tsm::batchload
