// The copies of a run: each table's files through the copy engine, every fact into the ledger, each
// group handed on as soon as all its files are there. Runs in a thread of its own beside the load
// loop; used by one thread. What it refers to outlives it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "ts_batchload/group_files.h"
#include "tsm/batchload/failure_notifier.h"
#include "tsm/batchload/load_ledger.h"
#include "tsm/batchload/load_plan.h"
#include "tsm/batchload/load_run.h"
#include "tsm/copy/copy_run.h"

namespace tsm::apps {

// What copies need beside the plan.
struct CopyParts {
  const batchload::LoadPlan& plan;
  batchload::LoadLedger& ledger;
  std::filesystem::path directory;  // of the run: where the spools lie
  copy::CopyOptions options;        // but for the buckets and what a table's files need
  copy::CopyServices services;
  batchload::ReadyGroups& ready;
  batchload::FailureNotifier& notifier;
};

struct CopyResult {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::uint64_t were_there = 0;
  std::uint64_t failed = 0;
  std::vector<std::string> differences;  // of the proving listing
  std::chrono::nanoseconds duration{0};
  bool interrupted = false;
  std::optional<Error> fatal;
};

class CopyPart {
 public:
  explicit CopyPart(const CopyParts& parts);

  // Looks at the destination, before anything is changed there: kInTheWay names the objects that
  // are no copies of these files, unless the plan allows them.
  Status Look(std::stop_token stop);

  // Groups that are complete already are handed on first; closes the ready groups at its end.
  CopyResult Run(const copy::CopyInterrupts& interrupts);

 private:
  class Book;

  copy::CopyOptions OptionsOf(const batchload::TableLoad& table) const;
  Status HandOnComplete();
  // A file is there: the last one of its group seals it.
  Status OnCopied(const run::SpooledFile& file, const copy::CopiedFile& copied);
  Status Seal(std::size_t group);
  void OnFailed(const copy::CopyFailure& failure);
  void TellFailure(std::size_t group, const std::string& why);
  Status AbortLeftUploads(std::stop_token stop);
  void CopyTable(std::size_t table, const copy::CopyInterrupts& interrupts, CopyResult& result);
  Status Prove(std::size_t table, std::stop_token stop, CopyResult& result);
  Result<std::unique_ptr<SpoolFeed>> OpenFeed(std::size_t table) const;

  const CopyParts parts_;
  std::vector<bool> open_;                // groups that were not loaded when this process began
  std::vector<std::vector<bool>> there_;  // per table, by the order of its open groups' files
  std::mutex mutex_;                      // guards the two below
  std::vector<std::uint32_t> remaining_;  // files that a group still lacks
  std::vector<bool> failed_groups_;       // told already
};

}  // namespace tsm::apps
