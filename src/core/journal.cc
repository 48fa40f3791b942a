#include "tsm/core/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <utility>

#include "journal_file.h"
#include "journal_replay.h"
#include "tsm/core/text.h"
#include "tsm/core/time_text.h"

namespace tsm {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr const char* kSequence = "seq";
constexpr const char* kTime = "time";
constexpr const char* kKind = "kind";

bool IsUtf8(std::string_view text) {
  try {
    (void)json(text).dump();
    return true;
  } catch (const json::type_error&) {
    return false;
  }
}

// A JSON string. Most are plain: an entry per copied file is worth the short way.
void AddString(std::string_view text, std::string& line) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return c >= ' ' && c <= '~' && c != '"' && c != '\\';
  });
  if (!plain) {
    line += json(text).dump();
    return;
  }
  line += '"';
  line += text;
  line += '"';
}

void AddText(std::string_view name, std::string_view value, std::string& line) {
  line += ',';
  AddString(name, line);
  line += ':';
  AddString(value, line);
}

Error BadEntry(const JournalEntry& entry, const std::string& why) {
  return MakeError(ErrorKind::kInvalidInput,
                   "a journal entry of kind '" + OneLine(entry.kind, 60) + "' " + why);
}

// The member as text, or nothing.
const std::string* TextIn(const json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : found->get_ptr<const std::string*>();
}

std::optional<UnixNanos> TimeIn(const json& object, const char* name) {
  const std::string* text = TextIn(object, name);
  if (text == nullptr) return std::nullopt;
  const Result<UnixNanos> time = ParseTimestamp(*text);
  return time ? std::optional<UnixNanos>(*time) : std::nullopt;
}

UnixNanos WallClock(const Clock& clock) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(clock.Now().time_since_epoch())
      .count();
}

Status CheckSameRun(const JournalHeader& found, const JournalHeader& expected,
                    const std::string& path) {
  if (found.tool != expected.tool) {
    return MakeError(ErrorKind::kInvalidInput, path + " is a run of " + OneLine(found.tool, 60) +
                                                   ", not of " + expected.tool +
                                                   ": resume it with the program that began it");
  }
  if (found.fingerprint != expected.fingerprint) {
    auto named = [](const JournalHeader& header) {
      return "'" + OneLine(header.plan, 300) + "' (" + OneLine(header.fingerprint, 80) + ")";
    };
    return MakeError(ErrorKind::kInvalidInput,
                     path + ": run " + OneLine(found.run_id, 80) + " was begun with the plan " +
                         named(found) + ", which differs from the plan " + named(expected) +
                         ": resume it with the flags it was begun with, or begin a new run");
  }
  return Ok();
}

}  // namespace

std::string_view JournalEntry::Field(std::string_view name) const {
  const auto found = fields.find(name);
  return found == fields.end() ? std::string_view() : std::string_view(found->second);
}

Result<std::string> ToJson(const JournalHeader& header) {
  if (header.tool.empty() || header.run_id.empty() || header.fingerprint.empty()) {
    return MakeError(ErrorKind::kInvalidInput,
                     "a journal's header needs tool, run id and fingerprint");
  }
  if (!IsUtf8(header.tool) || !IsUtf8(header.run_id) || !IsUtf8(header.fingerprint) ||
      !IsUtf8(header.plan)) {
    return MakeError(ErrorKind::kInvalidInput, "a journal's header is not UTF-8");
  }
  const ordered_json line = {
      {"format", kJournalFormat}, {"tool", header.tool},
      {"run_id", header.run_id},  {"fingerprint", header.fingerprint},
      {"plan", header.plan},      {"created", FormatTimestamp(header.created)}};
  std::string text = line.dump();
  if (text.size() <= kMaxJournalLine) return text;
  return MakeError(ErrorKind::kInvalidInput, "a journal's header has " +
                                                 WithThousands(text.size()) + " bytes; at most " +
                                                 WithThousands(kMaxJournalLine) + " fit a line");
}

Result<JournalHeader> ParseJournalHeader(std::string_view line) {
  const Error bad = MakeError(ErrorKind::kBadReply, "this is no journal header");
  const json object = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return bad;
  const auto format = object.find("format");
  if (format == object.end() || !format->is_number_integer()) {
    return bad;
  }
  if (*format != kJournalFormat) {
    return MakeError(ErrorKind::kInvalidInput,
                     "the journal has format " + format->dump() + ", this program reads format " +
                         std::to_string(kJournalFormat) +
                         ": resume the run with the program that began it");
  }
  const std::string* tool = TextIn(object, "tool");
  const std::string* run_id = TextIn(object, "run_id");
  const std::string* fingerprint = TextIn(object, "fingerprint");
  const std::string* plan = TextIn(object, "plan");
  const std::optional<UnixNanos> created = TimeIn(object, "created");
  if (tool == nullptr || run_id == nullptr || fingerprint == nullptr || plan == nullptr ||
      !created) {
    return bad;
  }
  return JournalHeader{*tool, *run_id, *fingerprint, *plan, *created};
}

Result<std::string> ToJson(const JournalEntry& entry) {
  if (entry.kind.empty()) return BadEntry(entry, "has no kind");
  std::string line = "{\"" + std::string(kSequence) + "\":" + std::to_string(entry.sequence);
  try {
    AddText(kTime, FormatTimestamp(entry.time), line);
    AddText(kKind, entry.kind, line);
    for (const auto& [name, value] : entry.fields) {
      if (name == kSequence || name == kTime || name == kKind) {
        return BadEntry(entry, "has a field of the reserved name '" + name + "'");
      }
      AddText(name, value, line);
    }
  } catch (const json::type_error&) {
    for (const auto& [name, value] : entry.fields) {
      if (IsUtf8(name) && IsUtf8(value)) continue;
      return BadEntry(entry, "has text in field '" + OneLine(name, 60) + "' that is not UTF-8");
    }
    return BadEntry(entry, "has a kind that is not UTF-8");
  }
  line += '}';
  if (line.size() <= kMaxJournalLine) return line;
  return BadEntry(entry, "has " + WithThousands(line.size()) + " bytes; at most " +
                             WithThousands(kMaxJournalLine) + " fit a line");
}

Result<JournalEntry> ParseJournalEntry(std::string_view line) {
  const Error bad = MakeError(ErrorKind::kBadReply, "this is no journal entry");
  const json object = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return bad;
  const auto sequence = object.find(kSequence);
  const std::optional<UnixNanos> time = TimeIn(object, kTime);
  const std::string* kind = TextIn(object, kKind);
  if (sequence == object.end() || !sequence->is_number_unsigned() || !time || kind == nullptr ||
      kind->empty()) {
    return bad;
  }
  JournalEntry entry;
  entry.kind = *kind;
  entry.sequence = sequence->get<std::uint64_t>();
  entry.time = *time;
  for (const auto& [name, value] : object.items()) {
    if (name == kSequence || name == kTime || name == kKind) continue;
    const auto* text = value.get_ptr<const std::string*>();
    if (text == nullptr) return bad;
    entry.fields.emplace(name, *text);
  }
  return entry;
}

class Journal::File {
 public:
  File(OpenFile file, std::filesystem::path path)
      : file_(std::move(file)), path_(std::move(path)) {}

  int get() const { return file_.get(); }
  const std::filesystem::path& path() const { return path_; }

  // Everything behind the first `size` bytes goes. 0 or an errno.
  int CutTo(std::uint64_t size) const {
    while (::ftruncate(file_.get(), static_cast<off_t>(size)) != 0) {
      if (errno != EINTR) return errno;
    }
    return 0;
  }

 private:
  const OpenFile file_;
  const std::filesystem::path path_;
};

Journal::Journal(JournalHeader header, std::unique_ptr<File> file, std::uint64_t size,
                 std::uint64_t sequence, const Clock& clock, JournalDisk& disk)
    : header_(std::move(header)),
      file_(std::move(file)),
      clock_(clock),
      disk_(disk),
      size_(size),
      sequence_(sequence),
      synced_(sequence) {}

Journal::~Journal() { (void)Flush(); }

Result<std::unique_ptr<Journal>> Journal::Create(const std::filesystem::path& directory,
                                                 JournalHeader header, const Clock& clock,
                                                 JournalDisk& disk) {
  header.created = WallClock(clock);
  const Result<std::string> text = ToJson(header);
  if (!text) return text.error();
  const std::string line = *text + "\n";
  Status made = MakeDirectories(directory, disk);
  if (!made) return made.error();

  const std::filesystem::path path = directory / kJournalFileName;
  Result<OpenFile> file = CreateLocked(path);
  if (!file) return file.error();
  auto whole = [&]() -> Status {
    int failed = WriteAll(file->get(), line, disk);
    if (failed != 0) return FileError(path, "written", failed);
    failed = disk.Sync(file->get());
    if (failed != 0) return FileError(path, "put on the disk", failed);
    return SyncDirectory(directory, disk);
  };
  Status begun = whole();
  if (!begun) {
    ::unlink(path.c_str());  // so that the same command can be run again
    return begun.error();
  }
  return std::unique_ptr<Journal>(new Journal(std::move(header),
                                              std::make_unique<File>(std::move(*file), path),
                                              line.size(), 0, clock, disk));
}

Result<std::unique_ptr<Journal>> Journal::Open(const std::filesystem::path& directory,
                                               const JournalHeader& expected, const Visitor& visit,
                                               const Clock& clock, JournalDisk& disk) {
  const std::filesystem::path path = directory / kJournalFileName;
  Result<OpenFile> opened = OpenLocked(path);
  if (!opened) return opened.error();
  auto file = std::make_unique<File>(std::move(*opened), path);

  auto accept = [&](const JournalHeader& found) {
    return CheckSameRun(found, expected, path.string());
  };
  Result<Replayed> replayed = JournalReplay(file->get(), path.string()).Run(accept, visit);
  if (!replayed) return replayed.error();
  if (replayed->dropped > 0) {
    const int failed = file->CutTo(replayed->end);
    if (failed != 0) return FileError(path, "shortened", failed);
  }
  const int failed = disk.Sync(file->get());
  if (failed != 0) return FileError(path, "put on the disk", failed);
  // Create may have ended before it: the file would be safe, its name not.
  const Status named = SyncDirectory(directory, disk);
  if (!named) return named.error();
  std::unique_ptr<Journal> journal(new Journal(std::move(replayed->header), std::move(file),
                                               replayed->end, replayed->sequence, clock, disk));
  journal->dropped_bytes_ = replayed->dropped;
  return journal;
}

Result<JournalHeader> Journal::Read(const std::filesystem::path& directory, const Visitor& visit) {
  const std::filesystem::path path = directory / kJournalFileName;
  const Result<OpenFile> file = OpenExisting(path, O_RDONLY);
  if (!file) return file.error();
  auto accept = [](const JournalHeader&) { return Ok(); };
  Result<Replayed> replayed = JournalReplay(file->get(), path.string()).Run(accept, visit);
  if (!replayed) return replayed.error();
  return std::move(replayed->header);
}

std::optional<long> Journal::Holder(const std::filesystem::path& directory) {
  const Result<OpenFile> file = OpenExisting(directory / kJournalFileName, O_RDONLY);
  if (!file) return std::nullopt;
  return LockHolder(file->get());
}

Result<JournalEntry> Journal::Append(JournalEntry entry, Durability durability) {
  std::unique_lock lock(mutex_);
  if (broken_) return *broken_;
  entry.sequence = sequence_ + 1;
  entry.time = WallClock(clock_);
  const Result<std::string> line = ToJson(entry);
  if (!line) return line.error();
  Status written = Write(*line + "\n");
  if (!written) return written.error();

  sequence_ = entry.sequence;
  if (group_++ == 0) group_began_ = clock_.Steady();
  if (durability == Durability::kBeforeEffect || GroupIsDue()) {
    Status synced = SyncUpTo(entry.sequence, lock);
    if (!synced) return synced.error();
  }
  return entry;
}

Status Journal::Flush() {
  std::unique_lock lock(mutex_);
  return SyncUpTo(sequence_, lock);
}

Status Journal::FlushIfDue() {
  std::unique_lock lock(mutex_);
  if (broken_) return *broken_;
  return GroupIsDue() ? SyncUpTo(sequence_, lock) : Ok();
}

Status Journal::Write(const std::string& line) {
  const int failed = WriteAll(file_->get(), line, disk_);
  if (failed == 0) {
    size_ += line.size();
    return Ok();
  }
  Error error = FileError(file_->path(), "written", failed);
  // Half a line in the middle of the file would be damage.
  if (file_->CutTo(size_) != 0) broken_ = error;
  return error;
}

bool Journal::GroupIsDue() const {
  return group_ >= kJournalGroupEntries ||
         (group_ > 0 && clock_.Steady() - group_began_ >= kJournalGroupAge);
}

Status Journal::SyncUpTo(std::uint64_t sequence, std::unique_lock<std::mutex>& lock) {
  while (!broken_ && synced_ < sequence) {
    if (syncing_) {
      synced_changed_.wait(lock);
      continue;
    }
    // This thread's fsync covers what all have written so far; those that come while it lasts wait
    // for the next, which one of them does for all.
    syncing_ = true;
    group_ = 0;
    const std::uint64_t covered = sequence_;
    lock.unlock();
    const int failed = disk_.Sync(file_->get());
    lock.lock();
    syncing_ = false;
    if (failed == 0) {
      synced_ = covered;
    } else {
      // The kernel forgets a failed page: a second fsync would succeed and prove nothing.
      broken_ = FileError(file_->path(), "put on the disk", failed);
    }
    synced_changed_.notify_all();
  }
  if (broken_) return *broken_;
  return Ok();
}

}  // namespace tsm
