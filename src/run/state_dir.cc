#include "tsm/run/state_dir.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <tuple>
#include <utility>

#include "tsm/core/text.h"
#include "tsm/core/time_text.h"

namespace tsm::run {

namespace {

namespace fs = std::filesystem;

constexpr const char* kFolder = "ts-migration";
constexpr std::size_t kLongestRunId = 100;
constexpr std::size_t kChunkBytes = std::size_t{64} << 10U;

bool IsLetterOrDigit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// Appends some more of the file: how many bytes, 0 at its end.
Result<std::size_t> ReadMore(const OpenFile& file, const fs::path& path, std::string& text) {
  const std::size_t before = text.size();
  text.resize(before + kChunkBytes);
  for (;;) {
    const ssize_t size = ::read(file.get(), text.data() + before, kChunkBytes);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return FileError(path, "read", errno);
    text.resize(before + static_cast<std::size_t>(size));
    return static_cast<std::size_t>(size);
  }
}

std::optional<JournalHeader> HeaderIn(const OpenFile& journal, const fs::path& path) {
  std::string text;
  std::size_t searched = 0;
  while (text.size() <= kMaxJournalLine) {
    const Result<std::size_t> read = ReadMore(journal, path, text);
    if (!read || *read == 0) return std::nullopt;
    const std::size_t newline = text.find('\n', searched);
    if (newline != std::string::npos) {
      Result<JournalHeader> header = ParseJournalHeader(std::string_view(text).substr(0, newline));
      return header ? std::optional(*std::move(header)) : std::nullopt;
    }
    searched = text.size();
  }
  return std::nullopt;
}

UnixNanos LastWritten(const OpenFile& file) {
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) return 0;
  constexpr UnixNanos kPerSecond = 1'000'000'000;
  return UnixNanos{facts.st_mtim.tv_sec} * kPerSecond + facts.st_mtim.tv_nsec;
}

std::optional<StoredRun> RunIn(const fs::path& directory) {
  StoredRun run;
  run.run_id = directory.filename().string();
  if (!IsRunId(run.run_id)) return std::nullopt;
  const fs::path path = directory / kJournalFileName;
  const Result<OpenFile> journal = OpenExisting(path, O_RDONLY);
  if (!journal) return std::nullopt;
  run.directory = directory;
  run.header = HeaderIn(*journal, path);
  run.begun = run.header ? run.header->created : LastWritten(*journal);
  return run;
}

// The new content beside the file, under a name of its own, on the disk.
Status WriteNewFile(const OpenFile& file, const fs::path& path, std::string_view text,
                    JournalDisk& disk) {
  if (const int failed = WriteAll(file.get(), text, disk); failed != 0) {
    return FileError(path, "written", failed);
  }
  if (const int failed = disk.Sync(file.get()); failed != 0) {
    return FileError(path, "put on the disk", failed);
  }
  return Ok();
}

}  // namespace

Result<fs::path> DefaultStateDir(const aws::Environment& environment) {
  const std::optional<std::string> state = environment.Get("XDG_STATE_HOME");
  if (state && fs::path(*state).is_absolute()) return fs::path(*state) / kFolder;
  const std::optional<std::string> home = environment.Get("HOME");
  if (home && fs::path(*home).is_absolute()) return fs::path(*home) / ".local/state" / kFolder;
  return MakeError(ErrorKind::kConfiguration,
                   "there is no place for the run's state: neither XDG_STATE_HOME nor HOME names "
                   "a directory; say one with --state_dir");
}

std::string MakeRunId(const Clock& clock, Random& random) {
  return FormatAmzDate(clock.Now()) + "-" + random.Uuid().substr(0, 6);
}

bool IsRunId(std::string_view text) {
  return !text.empty() && text.size() <= kLongestRunId && text.front() != '-' &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return c == '-' || IsLetterOrDigit(c); });
}

Result<fs::path> RunDirectory(const fs::path& state_dir, std::string_view run_id) {
  if (IsRunId(run_id)) return state_dir / run_id;
  return MakeError(ErrorKind::kInvalidInput, "'" + OneLine(run_id, kLongestRunId) +
                                                 "' is no run id: letters, digits and dashes");
}

Result<std::vector<StoredRun>> ListRuns(const fs::path& state_dir) {
  std::vector<StoredRun> runs;
  std::error_code failed;
  fs::directory_iterator entry(state_dir, failed);
  if (failed == std::errc::no_such_file_or_directory) return runs;
  for (; !failed && entry != fs::directory_iterator(); entry.increment(failed)) {
    if (std::optional<StoredRun> run = RunIn(entry->path())) runs.push_back(*std::move(run));
  }
  if (failed) return FileError(state_dir, "read", failed.value());
  std::sort(runs.begin(), runs.end(), [](const StoredRun& a, const StoredRun& b) {
    return std::tie(b.begun, b.run_id) < std::tie(a.begun, a.run_id);
  });
  return runs;
}

Status WriteFileDurably(const fs::path& path, std::string_view text, JournalDisk& disk) {
  const fs::path directory = path.has_parent_path() ? path.parent_path() : fs::path(".");
  Status made = MakeDirectories(directory, disk);
  if (!made) return made;
  std::string fresh = path.string() + ".XXXXXX";
  const OpenFile file(::mkostemp(fresh.data(), O_CLOEXEC));  // mode 0600
  if (file.get() < 0) return FileError(path, "written", errno);
  Status written = WriteNewFile(file, path, text, disk);
  if (written && ::rename(fresh.c_str(), path.c_str()) != 0) {
    written = FileError(path, "replaced", errno);
  }
  if (!written) {
    ::unlink(fresh.c_str());
    return written;
  }
  return SyncDirectory(directory, disk);
}

Result<std::string> ReadWholeFile(const fs::path& path, std::size_t limit) {
  const Result<OpenFile> file = OpenExisting(path, O_RDONLY);
  if (!file) return file.error();
  std::string text;
  while (text.size() <= limit) {
    const Result<std::size_t> read = ReadMore(*file, path, text);
    if (!read) return read.error();
    if (*read == 0) return text;
  }
  return MakeError(ErrorKind::kLocalIo, path.string() + " has more than " + WithThousands(limit) +
                                            " bytes, more than such a file can have");
}

}  // namespace tsm::run
