#include "ts_local/object_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <utility>

namespace ts_local {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBufferBytes = 256 * 1024;

[[noreturn]] void Fail(const std::string& what) {
  throw std::runtime_error(what + ": " + std::strerror(errno));
}

}  // namespace

std::string PackEncryption(const std::string& algorithm, const std::string& kms_key) {
  return kms_key.empty() ? algorithm : algorithm + " " + kms_key;
}

std::pair<std::string, std::string> UnpackEncryption(std::string_view text) {
  const std::size_t blank = text.find(' ');
  const bool keyed = blank != std::string_view::npos;
  return {std::string(text.substr(0, blank)), std::string(keyed ? text.substr(blank + 1) : "")};
}

PendingFile::PendingFile(std::string temporary, std::string final_path)
    : temporary_(std::move(temporary)),
      final_path_(std::move(final_path)),
      descriptor_(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)) {
  if (descriptor_ < 0) Fail(temporary_);
}

PendingFile::~PendingFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  if (!kept_) ::unlink(temporary_.c_str());
}

void PendingFile::Append(std::string_view bytes) {
  md5_.Update(bytes);
  size_ += bytes.size();
  if (buffer_.size() + bytes.size() < kBufferBytes) {
    buffer_.append(bytes);
    return;
  }
  Write(buffer_);
  buffer_.clear();
  Write(bytes);
}

void PendingFile::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) Fail(temporary_);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::string PendingFile::Md5Hex() { return HexEncode(md5_.Finish()); }

std::string PendingFile::Keep() {
  Write(buffer_);
  buffer_.clear();
  const int descriptor = std::exchange(descriptor_, -1);
  if (::close(descriptor) != 0) Fail(temporary_);
  int failed = ::rename(temporary_.c_str(), final_path_.c_str());
  if (failed != 0 && errno == ENOENT) {  // the first file of its folder
    fs::create_directory(fs::path(final_path_).parent_path());
    failed = ::rename(temporary_.c_str(), final_path_.c_str());
  }
  if (failed != 0) Fail(final_path_);
  kept_ = true;
  return final_path_;
}

ObjectFiles::ObjectFiles(const std::string& dir)
    : temporary_(dir + "/tmp"), objects_(dir + "/objects") {
  fs::remove_all(temporary_);
  fs::create_directories(temporary_);
  fs::create_directories(objects_);
}

std::unique_ptr<PendingFile> ObjectFiles::New() const {
  const std::string name = RandomHex(32);
  return std::make_unique<PendingFile>(temporary_ + "/" + name,
                                       objects_ + "/" + name.substr(0, 2) + "/" + name);
}

FileReader::FileReader(const std::string& file, std::uint64_t offset)
    : descriptor_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)), buffer_(kBufferBytes, '\0') {
  if (descriptor_ < 0) Fail(file);
  if (::lseek(descriptor_, static_cast<off_t>(offset), SEEK_SET) < 0) {
    ::close(descriptor_);
    Fail(file);
  }
}

FileReader::~FileReader() { ::close(descriptor_); }

std::string_view FileReader::Read(std::uint64_t most) {
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(most, buffer_.size()));
  ssize_t count = 0;
  do {
    count = ::read(descriptor_, buffer_.data(), wanted);
  } while (count < 0 && errno == EINTR);
  if (count < 0) Fail("reading an object");
  if (count == 0) throw std::runtime_error("an object's file is shorter than its record");
  return std::string_view(buffer_).substr(0, static_cast<std::size_t>(count));
}

}  // namespace ts_local
