// Progress of a run as its sink wants it: slices, rows, bytes, time left; and the events for
// machines. Thread-safe; tells at most every 200 ms.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "tsm/core/progress.h"
#include "tsm/unload/unload_ledger.h"
#include "tsm/unload/unload_run.h"

namespace tsm::unload {

class RunProgress {
 public:
  RunProgress(const UnloadLedger& ledger, const UnloadServices& services);

  // Something moved: tells where the run stands, where it is time to.
  void Update();
  // Tells it in any case.
  void Tell();

  void SliceStarted(const SliceRef& ref, const Attempt& attempt);
  void QueryKnown(const SliceRef& ref, const std::string& attempt, const std::string& query_id);
  void SliceProgress(const SliceRef& ref, const std::string& attempt, double percent,
                     std::uint64_t scanned);
  void SliceDone(const SliceRef& ref, const unload::SliceDone& done);
  void AttemptEnded(const SliceRef& ref, const std::string& attempt, const std::string& outcome,
                    const std::string& note);
  void SliceSplit(const SliceRef& ref, const UnloadSlice& left, const UnloadSlice& right,
                  const std::string& note);
  void SliceFailed(const SliceRef& ref, const std::string& note);

 private:
  // How much of the work is behind, by rows where every slice's are known, else by partitions.
  struct Work {
    double done = 0;
    double total = 0;
  };
  static Work WorkOf(const UnloadState& state);
  std::string Name(const SliceRef& ref) const;
  Event MakeEvent(std::string_view kind, const SliceRef& ref) const;

  const UnloadLedger& ledger_;
  const UnloadServices& services_;
  const std::chrono::steady_clock::time_point started_;
  std::mutex mutex_;
  std::optional<std::chrono::steady_clock::time_point> told_;
  std::optional<double> done_at_start_;  // by a process before this one
};

}  // namespace tsm::unload
