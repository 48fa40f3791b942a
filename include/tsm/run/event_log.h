// What happens in a run, for machines: each event as a line of JSON, appended to `events.jsonl` of
// the run directory and, where asked for, handed on at once (the console prints it with --json).
// Stands between the library and the console and passes everything on to it. Informs only: a disk
// that does not take a line is told once and the run goes on. One process at a time writes a run's
// events: whoever makes one holds the run's journal. Thread-safe; its parts outlive it.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "tsm/core/clock.h"
#include "tsm/core/journal.h"
#include "tsm/core/local_file.h"
#include "tsm/core/progress.h"

namespace tsm::run {

inline constexpr int kEventSchemaVersion = 1;
inline constexpr std::string_view kEventsFileName = "events.jsonl";
// Of each phase at most one progress line in this time, and its last.
inline constexpr std::chrono::seconds kProgressEventEvery{10};

// {"schema_version":1,"run_id":"…","seq":7,"time":"2026-11-24T23:43:17.123Z","kind":"…", fields…}
// without a newline. The first five names are the log's own: a field of such a name is left out.
// Bytes that are not UTF-8 become U+FFFD.
std::string ToJsonLine(const Event& event, std::string_view run_id, std::uint64_t sequence,
                       std::chrono::system_clock::time_point time);

class EventLog final : public ProgressSink {
 public:
  // Called for each line, in order, under the log's lock.
  using Echo = std::function<void(const std::string& line)>;

  // Opens or makes the file, mode 0600, and goes on with its numbers. A last line that was not
  // written whole is taken off. Where the file can't be had, `next` is warned.
  EventLog(const std::filesystem::path& run_directory, std::string run_id, ProgressSink& next,
           const Clock& clock, Echo echo = {}, JournalDisk& disk = SystemJournalDisk());

  void OnEvent(const Event& event) override;
  // As an event of kind "notice" with severity ("info", "warning", "error") and text.
  void OnNotice(const Notice& notice) override;
  // As an event of kind "progress" with the phase and what is known of it.
  void OnProgress(const Progress& progress) override;

 private:
  struct Shown {  // of a phase
    std::chrono::steady_clock::time_point at;
    bool finished = false;
  };

  Status Open();
  void Record(const Event& event);
  Status Append(std::string_view line);
  bool IsDue(const Progress& progress);
  void WarnOnce(const Status& status);

  const std::filesystem::path path_;
  const std::string run_id_;
  ProgressSink& next_;
  const Clock& clock_;
  const Echo echo_;
  JournalDisk& disk_;

  std::mutex mutex_;  // guards all below
  OpenFile file_;
  std::uint64_t size_ = 0;      // bytes of whole lines
  std::uint64_t sequence_ = 0;  // of the last line
  bool warned_ = false;
  std::map<std::string, Shown, std::less<>> shown_;
};

}  // namespace tsm::run
