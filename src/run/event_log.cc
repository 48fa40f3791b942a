#include "tsm/run/event_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>
#include <variant>

#include "event_tail.h"
#include "iso_time.h"

namespace tsm::run {

namespace {

using nlohmann::ordered_json;

std::string_view NameOf(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return "info";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      return "error";
  }
  return "info";
}

Event EventOf(const Progress& progress) {
  Event event;
  event.kind = "progress";
  event.fields = {{"phase", std::string(progress.phase)}, {"done", progress.done}};
  if (progress.total > 0) event.fields.emplace_back("total", progress.total);
  if (progress.bytes_done > 0) event.fields.emplace_back("bytes_done", progress.bytes_done);
  if (progress.bytes_total > 0) event.fields.emplace_back("bytes_total", progress.bytes_total);
  if (progress.rows_done > 0) event.fields.emplace_back("rows_done", progress.rows_done);
  if (progress.fraction) event.fields.emplace_back("fraction", *progress.fraction);
  if (progress.left) {
    const auto seconds = std::max(progress.left->count(), std::chrono::seconds::rep{0});
    event.fields.emplace_back("seconds_left", static_cast<std::uint64_t>(seconds));
  }
  if (!progress.detail.empty()) event.fields.emplace_back("detail", progress.detail);
  return event;
}

Result<OpenFile> OpenOrMake(const std::filesystem::path& path) {
  Result<OpenFile> found = OpenExisting(path, O_RDWR | O_APPEND);
  if (found || found.error().kind != ErrorKind::kNotFound) return found;
  Status made = MakeDirectories(path.parent_path());
  if (!made) return made.error();
  OpenFile file(
      ::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (file.get() < 0) return FileError(path, "made", errno);
  return file;
}

}  // namespace

std::string ToJsonLine(const Event& event, std::string_view run_id, std::uint64_t sequence,
                       std::chrono::system_clock::time_point time) {
  ordered_json line = {{"schema_version", kEventSchemaVersion},
                       {"run_id", run_id},
                       {"seq", sequence},
                       {"time", IsoMilliseconds(time)},
                       {"kind", event.kind}};
  for (const auto& field : event.fields) {
    // emplace, for it leaves a name that is there already.
    std::visit([&](const auto& value) { line.emplace(std::string(field.first), value); },
               field.second);
  }
  return line.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

EventLog::EventLog(const std::filesystem::path& run_directory, std::string run_id,
                   ProgressSink& next, const Clock& clock, Echo echo, JournalDisk& disk)
    : path_(run_directory / kEventsFileName),
      run_id_(std::move(run_id)),
      next_(next),
      clock_(clock),
      echo_(std::move(echo)),
      disk_(disk) {
  WarnOnce(Open());
}

Status EventLog::Open() {
  Result<OpenFile> file = OpenOrMake(path_);
  if (!file) return file.error();
  const Result<EventTail> tail = ReadEventTail(*file, path_);
  if (!tail) return tail.error();
  file_ = *std::move(file);
  sequence_ = tail->sequence;
  size_ = tail->size;
  if (::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0) {
    return FileError(path_, "repaired", errno);
  }
  return Ok();
}

void EventLog::OnEvent(const Event& event) {
  Record(event);
  next_.OnEvent(event);
}

void EventLog::OnNotice(const Notice& notice) {
  Record({"notice", {{"severity", std::string(NameOf(notice.severity))}, {"text", notice.text}}});
  next_.OnNotice(notice);
}

void EventLog::OnProgress(const Progress& progress) {
  if (IsDue(progress)) Record(EventOf(progress));
  next_.OnProgress(progress);
}

bool EventLog::IsDue(const Progress& progress) {
  const std::lock_guard lock(mutex_);
  const auto now = clock_.Steady();
  const bool finished = progress.total > 0 && progress.done >= progress.total;
  const auto [shown, first] = shown_.try_emplace(std::string(progress.phase), Shown{now, finished});
  const bool due = first || now - shown->second.at >= kProgressEventEvery ||
                   (finished && !shown->second.finished);
  if (due) shown->second = {now, finished};
  return due;
}

void EventLog::Record(const Event& event) {
  Status written = Ok();
  {
    const std::lock_guard lock(mutex_);
    // A line that the disk does not take leaves a gap in the numbers, which tells of it.
    const std::string line = ToJsonLine(event, run_id_, ++sequence_, clock_.Now());
    if (file_.get() >= 0) written = Append(line + "\n");
    if (echo_) echo_(line);
  }
  WarnOnce(written);
}

Status EventLog::Append(std::string_view line) {
  if (const int failed = WriteAll(file_.get(), line, disk_); failed != 0) {
    // What was written of the line is taken back: every line of the file parses.
    if (::ftruncate(file_.get(), static_cast<off_t>(size_)) != 0) file_ = OpenFile();
    return FileError(path_, "written", failed);
  }
  size_ += line.size();
  return Ok();
}

void EventLog::WarnOnce(const Status& status) {
  if (status) return;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(warned_, true)) return;
  }
  next_.Warn("the run's events are not all recorded: " + status.error().Text());
}

}  // namespace tsm::run
