#include "ts_local/spool_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace ts_local {
namespace {

[[noreturn]] void Fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

}  // namespace

SpoolFile::SpoolFile(const std::string& dir) {
  std::string name = dir + "/XXXXXX";
  descriptor_ = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor_ < 0) Fail("cannot write in " + dir);
  ::unlink(name.c_str());
}

SpoolFile::~SpoolFile() { ::close(descriptor_); }

void SpoolFile::Append(std::string_view bytes) {
  sha256_.Update(bytes);
  md5_.Update(bytes);
  size_ += bytes.size();
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) Fail("writing a file that waits for its upload");
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::size_t SpoolFile::ReadAt(std::uint64_t offset, char* buffer, std::size_t size) const {
  ssize_t count = 0;
  do {
    count = ::pread(descriptor_, buffer, size, static_cast<off_t>(offset));
  } while (count < 0 && errno == EINTR);
  if (count < 0) Fail("reading a file that waits for its upload");
  return static_cast<std::size_t>(count);
}

}  // namespace ts_local
