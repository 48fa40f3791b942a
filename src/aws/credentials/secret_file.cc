#include "secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <utility>

namespace tsm::aws {

namespace {

Error Failure(const std::string& path, std::string_view what, int reason) {
  return MakeError(reason == ENOENT ? ErrorKind::kNotFound : ErrorKind::kLocalIo,
                   path + " " + std::string(what) + ": " +
                       std::error_code(reason, std::generic_category()).message());
}

// Closes with its scope.
class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  int get() const { return descriptor_; }
  bool Close() { return ::close(std::exchange(descriptor_, -1)) == 0; }

 private:
  int descriptor_;
};

bool WriteAll(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

Result<std::string> ReadSecretFile(const std::string& path, std::size_t limit) {
  // Without O_NONBLOCK a pipe of that name would hold the run up for ever.
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return Failure(path, "can't be read", errno);
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) return Failure(path, "can't be read", errno);
  if (!S_ISREG(facts.st_mode)) return MakeError(ErrorKind::kLocalIo, path + " is no regular file");
  std::string text;
  std::array<char, 4096> part;
  for (;;) {
    const ssize_t size = ::read(file.get(), part.data(), part.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return Failure(path, "can't be read", errno);
    if (size == 0) return text;
    text.append(part.data(), static_cast<std::size_t>(size));
    if (text.size() > limit) {
      return MakeError(ErrorKind::kLocalIo,
                       path + " holds more than " + std::to_string(limit) + " bytes");
    }
  }
}

Status ReplaceSecretFile(const std::string& path, const std::string& text) {
  std::string temporary = path + ".XXXXXX";
  File file(::mkostemp(temporary.data(), O_CLOEXEC));  // mode 0600
  if (file.get() < 0) return Failure(path, "can't be written", errno);
  if (WriteAll(file.get(), text) && ::fsync(file.get()) == 0 && file.Close() &&
      ::rename(temporary.c_str(), path.c_str()) == 0) {
    return Ok();
  }
  const int reason = errno;
  ::unlink(temporary.c_str());
  return Failure(path, "can't be written", reason);
}

}  // namespace tsm::aws
