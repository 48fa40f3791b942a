#include "journal_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <system_error>
#include <utility>

namespace tsm {

namespace {

constexpr std::size_t kChunkBytes = std::size_t{64} << 10U;

std::string_view WhatToDo(int reason) {
  switch (reason) {
    case ENOSPC:
    case EDQUOT:
      return "free space there, then resume the run";
    case EIO:
      return "the disk reports a fault: check it before the run is resumed";
    case EACCES:
    case EPERM:
    case EROFS:
      return "let this user read and write it, or choose another --state_dir";
    case ENOLCK:
    case EOPNOTSUPP:
      return "its file system has no locks: choose another --state_dir";
    case EMFILE:
    case ENFILE:
      return "raise the limit of open files (ulimit -n)";
    default:
      return "";
  }
}

// The pid of the process that holds a flock on the file, from the kernel's list; nothing where the
// list is hidden, or the holder lives on another machine or in another container.
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

Status CheckRegular(const OpenFile& file, const std::filesystem::path& path) {
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) return FileError(path, "read", errno);
  if (S_ISREG(facts.st_mode)) return Ok();
  return MakeError(ErrorKind::kLocalIo, path.string() + " is no regular file");
}

// Without O_NONBLOCK a pipe of that name would hold the run up for ever.
Result<OpenFile> OpenExisting(const std::filesystem::path& path, int flags) {
  OpenFile file(::open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) {
    if (errno != ENOENT && errno != ENOTDIR) return FileError(path, "opened", errno);
    return MakeError(ErrorKind::kNotFound,
                     path.string() + " does not exist: no run was begun there");
  }
  Status regular = CheckRegular(file, path);
  if (!regular) return regular.error();
  return file;
}

}  // namespace

int JournalDisk::Sync(int file) { return ::fsync(file) == 0 ? 0 : errno; }

std::int64_t JournalDisk::Write(int file, std::string_view bytes) {
  const ssize_t written = ::write(file, bytes.data(), bytes.size());
  return written < 0 ? -std::int64_t{errno} : std::int64_t{written};
}

JournalDisk& SystemJournalDisk() {
  static JournalDisk disk;
  return disk;
}

OpenFile::OpenFile(OpenFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

OpenFile& OpenFile::operator=(OpenFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

OpenFile::~OpenFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Error FileError(const std::filesystem::path& path, std::string_view what, int reason) {
  std::string text = path.string() + " can't be " + std::string(what) + ": " +
                     std::error_code(reason, std::generic_category()).message();
  if (!WhatToDo(reason).empty()) text += "; " + std::string(WhatToDo(reason));
  return MakeError(ErrorKind::kLocalIo, std::move(text));
}

Status MakeDirectories(const std::filesystem::path& path, JournalDisk& disk) {
  std::filesystem::path made;
  for (const std::filesystem::path& part : path) {
    if (part.empty()) continue;  // after a trailing slash
    const std::filesystem::path parent = made.empty() ? "." : made;
    made /= part;
    if (::mkdir(made.c_str(), S_IRWXU) == 0) {
      Status synced = SyncDirectory(parent, disk);
      if (!synced) return synced;
    } else if (errno != EEXIST) {
      // "/" and mounts that are read-only answer otherwise though the directory is there.
      const int reason = errno;
      std::error_code ignored;
      if (!std::filesystem::is_directory(made, ignored)) return FileError(made, "made", reason);
    }
  }
  return Ok();
}

Status SyncDirectory(const std::filesystem::path& path, JournalDisk& disk) {
  const OpenFile directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0) return FileError(path, "opened", errno);
  const int failed = disk.Sync(directory.get());
  if (failed != 0 && failed != EINVAL) return FileError(path, "put on the disk", failed);
  return Ok();
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

Result<OpenFile> OpenToRead(const std::filesystem::path& path) {
  return OpenExisting(path, O_RDONLY);
}

int WriteAll(int file, std::string_view bytes, JournalDisk& disk) {
  while (!bytes.empty()) {
    const std::int64_t written = disk.Write(file, bytes);
    if (written == -EINTR) continue;
    if (written <= 0) return written == 0 ? EIO : static_cast<int>(-written);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
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
