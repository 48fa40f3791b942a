#include "run_progress.h"

#include <algorithm>
#include <utility>

#include "tsm/core/text.h"
#include "tsm/core/time_text.h"

namespace tsm::unload {

namespace {

constexpr std::chrono::milliseconds kEvery{200};

double WeightOf(const UnloadSlice& slice, bool by_rows) {
  if (by_rows) return static_cast<double>(slice.rows.value_or(0));
  return static_cast<double>(std::max<std::uint64_t>(slice.partitions, 1));
}

double PartDone(const SliceState& slice) {
  if (slice.state == SliceState::State::kDone) return 1;
  const Attempt* open = slice.open();
  // The service says 100 % before it has written the manifest.
  return open == nullptr ? 0 : std::clamp(open->percent, 0.0, 99.0) / 100;
}

// ": 0003 45%, 0004 12%", as many as a line takes.
std::string RunningText(const UnloadState& state) {
  constexpr std::size_t kMost = 6;
  std::string text;
  std::size_t told = 0;
  for (const TableState& table : state.tables()) {
    for (const auto& [id, slice] : table.slices) {
      const Attempt* open = slice.open();
      if (open == nullptr || told++ >= kMost) continue;
      text += (text.empty() ? ": " : ", ") + id + " " +
              std::to_string(static_cast<int>(std::clamp(open->percent, 0.0, 99.0))) + "%";
    }
  }
  return text;
}

}  // namespace

RunProgress::RunProgress(const UnloadLedger& ledger, const UnloadServices& services)
    : ledger_(ledger), services_(services), started_(services.clock.Steady()) {}

RunProgress::Work RunProgress::WorkOf(const UnloadState& state) {
  bool by_rows = true;
  for (const TableState& table : state.tables()) {
    for (const auto& [id, slice] : table.slices) by_rows = by_rows && slice.slice.rows.has_value();
  }
  Work work;
  for (const TableState& table : state.tables()) {
    for (const auto& [id, slice] : table.slices) {
      if (slice.state == SliceState::State::kSplit) continue;
      const double weight = WeightOf(slice.slice, by_rows);
      work.total += weight;
      work.done += weight * PartDone(slice);
    }
  }
  return work;
}

void RunProgress::Update() {
  {
    const std::lock_guard lock(mutex_);
    const auto now = services_.clock.Steady();
    if (told_ && now - *told_ < kEvery) return;
    told_ = now;
  }
  Tell();
}

void RunProgress::Tell() {
  Work work;
  UnloadTotals totals;
  std::string running;
  ledger_.Look([&](const UnloadState& state) {
    work = WorkOf(state);
    totals = state.Totals();
    running = RunningText(state);
  });
  double before = 0;
  {
    const std::lock_guard lock(mutex_);
    if (!done_at_start_) done_at_start_ = work.done;
    before = *done_at_start_;
  }
  Progress progress;
  progress.phase = "unload";
  progress.done = totals.done;
  progress.total = totals.slices;
  progress.bytes_done = totals.bytes;
  progress.rows_done = totals.rows;
  if (work.total > 0) progress.fraction = std::min(work.done / work.total, 1.0);
  const std::chrono::duration<double> spent = services_.clock.Steady() - started_;
  const double fresh = work.done - before;
  if (fresh > 0 && work.done < work.total && spent.count() >= 1) {
    const std::chrono::duration<double> left = spent * ((work.total - work.done) / fresh);
    progress.left = std::chrono::duration_cast<std::chrono::seconds>(left);
  }
  progress.detail = std::to_string(totals.running) + " running" + running;
  services_.progress.OnProgress(progress);
}

std::string RunProgress::Name(const SliceRef& ref) const {
  std::string name = "slice " + ref.slice;
  ledger_.Look([&](const UnloadState& state) {
    if (state.plan().tables.size() > 1) {
      name = state.plan().tables[ref.table].table().str() + " " + name;
    }
  });
  return name;
}

Event RunProgress::MakeEvent(std::string_view kind, const SliceRef& ref) const {
  Event event;
  event.kind = kind;
  ledger_.Look([&](const UnloadState& state) {
    event.fields.emplace_back("table", state.plan().tables[ref.table].table().str());
  });
  event.fields.emplace_back("slice", ref.slice);
  return event;
}

void RunProgress::SliceStarted(const SliceRef& ref, const Attempt& attempt) {
  const SliceState slice = ledger_.Slice(ref);
  Event event = MakeEvent("slice_started", ref);
  event.fields.emplace_back("attempt", attempt.id);
  event.fields.emplace_back("from", FormatTimestamp(slice.slice.from));
  event.fields.emplace_back("end", FormatTimestamp(slice.slice.end));
  event.fields.emplace_back("to", attempt.to.str());
  services_.progress.OnEvent(event);
  services_.progress.Info(Name(ref) + " starts: " + FormatTimestamp(slice.slice.from) + " to " +
                          FormatTimestamp(slice.slice.end));
  Update();
}

void RunProgress::QueryKnown(const SliceRef& ref, const std::string& attempt,
                             const std::string& query_id) {
  Event event = MakeEvent("query_started", ref);
  event.fields.emplace_back("attempt", attempt);
  event.fields.emplace_back("query_id", query_id);
  services_.progress.OnEvent(event);
  services_.progress.Info(Name(ref) + " is query " + query_id);
}

void RunProgress::SliceProgress(const SliceRef& ref, const std::string& attempt, double percent,
                                std::uint64_t scanned) {
  Event event = MakeEvent("slice_progress", ref);
  event.fields.emplace_back("attempt", attempt);
  event.fields.emplace_back("percent", percent);
  event.fields.emplace_back("bytes_scanned", scanned);
  services_.progress.OnEvent(event);
  Update();
}

void RunProgress::SliceDone(const SliceRef& ref, const unload::SliceDone& done) {
  Event event = MakeEvent("slice_done", ref);
  event.fields.emplace_back("attempt", done.attempt);
  event.fields.emplace_back("query_id", done.query_id);
  event.fields.emplace_back("manifest", done.manifest_uri);
  event.fields.emplace_back("rows", done.rows);
  event.fields.emplace_back("bytes", done.bytes);
  event.fields.emplace_back("files", done.files);
  services_.progress.OnEvent(event);
  services_.progress.Info(Name(ref) + " done: " + WithThousands(done.rows) + " rows in " +
                          WithThousands(done.files) + (done.files == 1 ? " file, " : " files, ") +
                          FormatBytes(done.bytes));
  Tell();
}

void RunProgress::AttemptEnded(const SliceRef& ref, const std::string& attempt,
                               const std::string& outcome, const std::string& note) {
  Event event = MakeEvent("attempt_ended", ref);
  event.fields.emplace_back("attempt", attempt);
  event.fields.emplace_back("outcome", outcome);
  event.fields.emplace_back("note", note);
  services_.progress.OnEvent(event);
  services_.progress.Warn(Name(ref) + ": attempt " + attempt + " " + outcome + ": " + note);
}

void RunProgress::SliceSplit(const SliceRef& ref, const UnloadSlice& left, const UnloadSlice& right,
                             const std::string& note) {
  Event event = MakeEvent("slice_split", ref);
  event.fields.emplace_back("left", left.Id());
  event.fields.emplace_back("right", right.Id());
  event.fields.emplace_back("cut", FormatTimestamp(right.from));
  event.fields.emplace_back("note", note);
  services_.progress.OnEvent(event);
  services_.progress.Info(Name(ref) + " goes on as " + left.Id() + " and " + right.Id() +
                          ", cut at " + FormatTimestamp(right.from));
  Update();
}

void RunProgress::SliceFailed(const SliceRef& ref, const std::string& note) {
  Event event = MakeEvent("slice_failed", ref);
  event.fields.emplace_back("note", note);
  services_.progress.OnEvent(event);
  services_.progress.OnNotice({Severity::kError, Name(ref) + " failed: " + note});
  Update();
}

}  // namespace tsm::unload
