// What the library tells while it works: typed events, no text on any stream. The console of the
// program (apps/common) turns them into lines. Events may come from several threads at once; a sink
// must be thread-safe and must not block for long.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tsm {

enum class Severity { kInfo, kWarning, kError };

// Something happened once: "bucket created", "waiting for 2 tasks of others on the table".
struct Notice {
  Severity severity = Severity::kInfo;
  std::string text;  // one line
};

// Where a phase stands now. Zero totals mean "not known".
struct Progress {
  std::string_view phase;  // "unload", "copy", "load"; a literal
  std::uint64_t done = 0;  // units: slices for unload, files for copy, tasks for load
  std::uint64_t total = 0;
  std::uint64_t bytes_done = 0;
  std::uint64_t bytes_total = 0;
  std::uint64_t rows_done = 0;
  std::optional<double> fraction;  // of the work, 0 to 1, where units tell it worse: rows of slices
  std::optional<std::chrono::seconds> left;  // until the phase ends, by the pace so far
  std::string detail;                        // "2 running, 3 queued"
};

// A fact of a run for machines: a line of JSON in the run directory's events and, with --json, on
// stdout. Kinds and fields are documented in README "Events".
struct Event {
  using Value = std::variant<std::string, std::uint64_t, double, bool>;
  std::string_view kind;  // "slice_started", "slice_done", ...; a literal
  std::vector<std::pair<std::string_view, Value>> fields;  // names are literals, in order
};

class ProgressSink {
 public:
  virtual ~ProgressSink() = default;
  virtual void OnNotice(const Notice& notice) = 0;
  virtual void OnProgress(const Progress& progress) = 0;
  virtual void OnEvent(const Event& /*event*/) {}

  void Info(std::string text) { OnNotice({Severity::kInfo, std::move(text)}); }
  void Warn(std::string text) { OnNotice({Severity::kWarning, std::move(text)}); }
};

}  // namespace tsm
