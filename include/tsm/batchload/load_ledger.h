// The journal of a load and the state that it makes, kept together: each fact is written (and where
// asked mirrored) before it counts. Thread-safe. Refers to plan and journal, which outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tsm/batchload/load_state.h"
#include "tsm/core/journal.h"
#include "tsm/core/result.h"

namespace tsm::batchload {

class LoadLedger {
 public:
  // As UnloadLedger's: puts an entry where another machine finds it; null: nowhere.
  using Mirror = std::function<Status(const JournalEntry& entry)>;

  LoadLedger(LoadState state, Journal& journal, Mirror mirror = nullptr);

  GroupState Group(std::size_t group) const;  // a copy
  LoadTotals Totals() const;
  // Looks at the whole state under the lock: short work only.
  void Look(const std::function<void(const LoadState&)>& look) const;

  // Copies (grouped durability, but for the uploads' intents).
  bool IsCopied(std::size_t group, std::uint32_t ordinal) const;
  Status Copied(std::size_t group, std::uint32_t ordinal, const CopiedEntry& entry);
  Status UploadStarted(const s3::ObjectKey& key, const std::string& upload_id);
  Status UploadEnded(const s3::ObjectKey& key, const std::string& upload_id);
  Status CopyFailed(std::size_t group, const std::string& why);
  // All files of the group are there; on the disk when it returns.
  Status SealGroup(std::size_t group, const SealedGroup& sealed,
                   const std::vector<std::uint64_t>& inflated_objects,
                   const std::vector<std::uint64_t>& inflated_bytes = {});

  // Tasks. AnnounceTask is on the disk before the create goes out, as is AnnounceResume.
  Status AnnounceTask(std::size_t group, const std::string& client_token,
                      std::int64_t record_version);
  Status TookTask(std::size_t group, const std::string& task_id);
  Status LostTask(std::size_t group, const std::string& why);  // an intent that nobody took
  Status SawTask(std::size_t group, timestream::TaskStatus status,
                 const timestream::ProgressReport& progress);
  Status AnnounceResume(std::size_t group);
  Status FinishGroup(std::size_t group, const timestream::ProgressReport& progress,
                     std::uint64_t rejected);
  // The task failed, or no task could be made of the group.
  Status FailGroup(std::size_t group, const timestream::ProgressReport& progress,
                   const std::string& why, bool proof, std::uint64_t rejected,
                   const std::string& report_uri);
  // A failed group is pending again; its next task has this version, where one is given.
  Status RetryGroup(std::size_t group, std::optional<std::int64_t> record_version = std::nullopt);
  Status PassCanary();

  // Tables.
  Status CountedBefore(std::size_t table, std::uint64_t rows);
  Status ProvedTable(std::size_t table, const std::string& verified,
                     const std::vector<std::string>& differences);
  Status CloseTable(std::size_t table);

  Status FlushIfDue() { return journal_.FlushIfDue(); }

 private:
  Status Write(JournalEntry entry, Durability durability);
  JournalEntry OfGroup(std::size_t group, std::string kind) const;
  JournalEntry OfTable(std::size_t table, std::string kind) const;

  std::mutex writing_;        // one entry at a time, from its check to its mirror; before mutex_
  mutable std::mutex mutex_;  // guards state_
  LoadState state_;
  Journal& journal_;
  Mirror mirror_;
};

}  // namespace tsm::batchload
