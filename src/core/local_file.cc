#include "tsm/core/local_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "tsm/core/journal.h"

namespace tsm {

namespace {

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

Status CheckRegular(const OpenFile& file, const std::filesystem::path& path) {
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) return FileError(path, "read", errno);
  if (S_ISREG(facts.st_mode)) return Ok();
  return MakeError(ErrorKind::kLocalIo, path.string() + " is no regular file");
}

}  // namespace

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

Result<OpenFile> OpenExisting(const std::filesystem::path& path, int flags) {
  // Without O_NONBLOCK a pipe of that name would hold the program up for ever.
  OpenFile file(::open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) {
    if (errno != ENOENT && errno != ENOTDIR) return FileError(path, "opened", errno);
    return MakeError(ErrorKind::kNotFound, path.string() + " does not exist");
  }
  Status regular = CheckRegular(file, path);
  if (!regular) return regular.error();
  return file;
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

}  // namespace tsm
