#include "journal_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <utility>

#include "tsm/core/journal.h"

namespace tsm {

namespace {

constexpr std::size_t kChunkBytes = std::size_t{64} << 10U;

Status Lock(const OpenFile& file, const std::filesystem::path& path) {
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return FileError(path, "locked", errno);
    const std::optional<long> holder = LockHolder(file.get());
    return MakeError(ErrorKind::kInTheWay,
                     path.string() + " is in use by " +
                         (holder ? "process " + std::to_string(*holder) : "another process") +
                         ": the run goes on there; resume it when that process has ended");
  }
  return Ok();
}

}  // namespace

std::optional<long> LockHolder(int file) {
  struct stat facts {};
  if (::fstat(file, &facts) != 0) return std::nullopt;
  std::ifstream locks("/proc/locks");
  std::string line;
  while (std::getline(locks, line)) {
    // "3: FLOCK  ADVISORY  WRITE 1234 fe:00:5678 0 EOF"
    long pid = 0;
    unsigned device_major = 0;
    unsigned device_minor = 0;
    unsigned long inode = 0;
    if (std::sscanf(line.c_str(), "%*d: FLOCK %*s %*s %ld %x:%x:%lu", &pid, &device_major,
                    &device_minor, &inode) == 4 &&
        inode == facts.st_ino && device_major == major(facts.st_dev) &&
        device_minor == minor(facts.st_dev) && pid > 0) {
      return pid;
    }
  }
  return std::nullopt;
}

int JournalDisk::Sync(int file) { return ::fsync(file) == 0 ? 0 : errno; }

std::int64_t JournalDisk::Write(int file, std::string_view bytes) {
  const ssize_t written = ::write(file, bytes.data(), bytes.size());
  return written < 0 ? -std::int64_t{errno} : std::int64_t{written};
}

JournalDisk& SystemJournalDisk() {
  static JournalDisk disk;
  return disk;
}

Result<OpenFile> CreateLocked(const std::filesystem::path& path) {
  OpenFile file(
      ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (file.get() < 0) {
    if (errno != EEXIST) return FileError(path, "made", errno);
    return MakeError(ErrorKind::kInTheWay, path.string() +
                                               " exists: a run was begun there; resume it, or "
                                               "choose another run directory");
  }
  Status locked = Lock(file, path);
  if (!locked) {
    ::unlink(path.c_str());  // an empty file would be in the way of the next try
    return locked.error();
  }
  return file;
}

Result<OpenFile> OpenLocked(const std::filesystem::path& path) {
  Result<OpenFile> file = OpenExisting(path, O_RDWR | O_APPEND);
  if (!file) return file;
  Status locked = Lock(*file, path);
  if (!locked) return locked.error();
  return file;
}

LineReader::LineReader(int file, std::filesystem::path path, std::size_t longest)
    : file_(file), path_(std::move(path)), longest_(longest), chunk_(kChunkBytes) {}

void LineReader::SeekTo(std::uint64_t offset) {
  offset_ = offset;
  rest_ = {};
}

Status LineReader::Fill() {
  for (;;) {
    const ssize_t size = ::pread(file_, chunk_.data(), chunk_.size(), static_cast<off_t>(offset_));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return FileError(path_, "read", errno);
    rest_ = std::string_view(chunk_.data(), static_cast<std::size_t>(size));
    return Ok();
  }
}

Result<std::optional<LineReader::Line>> LineReader::Next() {
  Line line;
  line.offset = offset_;
  line_.clear();
  while (!line.ended) {
    if (rest_.empty()) {
      Status filled = Fill();
      if (!filled) return filled.error();
      if (rest_.empty()) break;
    }
    const std::size_t newline = rest_.find('\n');
    const std::string_view part = rest_.substr(0, newline);
    line.ended = newline != std::string_view::npos;
    line.too_long = line.too_long || line_.size() + part.size() > longest_;
    if (!line.too_long) line_ += part;
    const std::size_t taken = part.size() + (line.ended ? 1 : 0);
    rest_.remove_prefix(taken);
    offset_ += taken;
  }
  if (offset_ == line.offset) return std::optional<Line>();
  line.text = line_;
  return std::optional<Line>(line);
}

}  // namespace tsm
