#include "file_collector.h"

namespace tsm::batchload {

namespace {

constexpr std::uint64_t kProgressFiles = 10'000;

}  // namespace

FileCollector::FileCollector(const GroupRules& rules, const std::filesystem::path& directory,
                             ProgressSink& sink)
    : rules_(rules), sink_(sink), spool_(directory) {}

Status FileCollector::Add(const FoundFile& file) {
  if (Status fits = CheckFile(rules_, file); !fits) return fits;
  ++files_;
  bytes_ += file.size;
  if (file.rows && rows_) {
    *rows_ += *file.rows;
  } else {
    rows_.reset();
  }
  if (!sample_ && file.size > 0) sample_ = file;
  if (files_ % kProgressFiles == 0) {
    Progress progress;
    progress.phase = "plan";
    progress.done = files_;
    progress.bytes_done = bytes_;
    sink_.OnProgress(progress);
  }
  return spool_.Add(OrderKey(rules_, file), Pack(file));
}

Status FileCollector::AddOther(const s3::ObjectSummary& object, FoundFile::Kind kind) {
  if (rules_.layout != Layout::kInPlace || IsFolderMarker(object)) return Ok();
  const FoundFile file = FoundFile::Of(object, kind);
  return spool_.Add(OrderKey(rules_, file), Pack(file));
}

}  // namespace tsm::batchload
