#include "tsm/run/file_spool.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "tsm/core/journal.h"
#include "tsm/core/local_file.h"
#include "tsm/core/text.h"

namespace tsm::run {

namespace {

constexpr std::size_t kChunkBytes = std::size_t{64} << 10U;
// Two keys of 1,024 bytes, each written as two at most, and numbers.
constexpr std::size_t kLongestLine = std::size_t{16} << 10U;
constexpr std::size_t kFields = 7;
// In place of a target that is the source.
constexpr std::string_view kSame = "=";
constexpr std::string_view kUnknown = "-";

// A key may hold any byte but the two that separate fields and lines.
void AppendEscaped(std::string& line, std::string_view text) {
  for (;;) {
    const auto* const special = std::find_if(
        text.begin(), text.end(), [](char c) { return c == '\\' || c == '\t' || c == '\n'; });
    line.append(text.begin(), special);
    if (special == text.end()) return;
    line += '\\';
    line += *special == '\t' ? 't' : *special == '\n' ? 'n' : '\\';
    text.remove_prefix(static_cast<std::size_t>(special - text.begin()) + 1);
  }
}

std::optional<std::string> Unescape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (;;) {
    const std::size_t escape = text.find('\\');
    out += text.substr(0, escape);
    if (escape == std::string_view::npos) return out;
    if (escape + 1 == text.size()) return std::nullopt;
    const char c = text[escape + 1];
    if (std::string_view("\\tn=").find(c) == std::string_view::npos) return std::nullopt;
    out += c == 't' ? '\t' : c == 'n' ? '\n' : c;
    text.remove_prefix(escape + 2);
  }
}

// group, ordinal, size, rows, etag, source, target.
std::string LineOf(const SpooledFile& file) {
  std::string line = std::to_string(file.group) + "\t" + std::to_string(file.ordinal) + "\t" +
                     std::to_string(file.size) + "\t" +
                     (file.rows ? std::to_string(*file.rows) : std::string(kUnknown)) + "\t";
  AppendEscaped(line, file.etag);
  line += '\t';
  AppendEscaped(line, file.source.str());
  line += '\t';
  if (file.target == file.source) {
    line += kSame;
  } else if (file.target.str() == kSame) {
    line += "\\=";
  } else {
    AppendEscaped(line, file.target.str());
  }
  line += '\n';
  return line;
}

std::optional<std::uint64_t> CountOf(std::string_view text) {
  const std::optional<std::int64_t> number = ParseInt64(text);
  if (!number || *number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

std::optional<SpooledFile> FileOf(std::string_view line) {
  const std::vector<std::string_view> fields = Split(line, '\t');
  if (fields.size() != kFields) return std::nullopt;
  const auto group = CountOf(fields[0]);
  const auto ordinal = CountOf(fields[1]);
  const auto size = CountOf(fields[2]);
  const auto rows = CountOf(fields[3]);
  std::optional<std::string> etag = Unescape(fields[4]);
  std::optional<std::string> source = Unescape(fields[5]);
  std::optional<std::string> target = fields[6] == kSame ? source : Unescape(fields[6]);
  const bool whole = group && ordinal && size && etag && source && target &&
                     (rows || fields[3] == kUnknown) && !source->empty() && !target->empty() &&
                     *ordinal <= std::numeric_limits<std::uint32_t>::max();
  if (!whole) return std::nullopt;
  return SpooledFile{.group = static_cast<std::size_t>(*group),
                     .ordinal = static_cast<std::uint32_t>(*ordinal),
                     .source = s3::ObjectKey(*std::move(source)),
                     .target = s3::ObjectKey(*std::move(target)),
                     .size = *size,
                     .etag = *std::move(etag),
                     .rows = rows};
}

class Writer final : public FileSpoolWriter {
 public:
  Writer(OpenFile file, std::filesystem::path path)
      : file_(std::move(file)), path_(std::move(path)) {}

  Result<std::uint64_t> Append(const SpooledFile& file) override {
    const std::uint64_t offset = written_ + held_.size();
    held_ += LineOf(file);
    if (held_.size() >= kChunkBytes) {
      if (Status status = WriteHeld(); !status) return status.error();
    }
    return offset;
  }

  Status Close() override {
    if (Status status = WriteHeld(); !status) return status;
    if (const int reason = SystemJournalDisk().Sync(file_.get()); reason != 0) {
      return FileError(path_, "written", reason);
    }
    const std::filesystem::path parent = path_.parent_path();
    return SyncDirectory(parent.empty() ? "." : parent);
  }

 private:
  Status WriteHeld() {
    if (const int reason = WriteAll(file_.get(), held_); reason != 0) {
      return FileError(path_, "written", reason);
    }
    written_ += held_.size();
    held_.clear();
    return Ok();
  }

  OpenFile file_;
  std::filesystem::path path_;
  std::uint64_t written_ = 0;
  std::string held_;
};

class Reader final : public FileSpoolReader {
 public:
  Reader(OpenFile file, std::filesystem::path path, std::uint64_t offset)
      : file_(std::move(file)), path_(std::move(path)), offset_(offset) {}

  Result<std::optional<SpooledFile>> Next() override {
    ++line_;
    std::size_t end = rest_.find('\n');
    while (end == std::string_view::npos) {
      Result<bool> more = Fill();
      if (!more) return more.error();
      if (!*more && rest_.empty()) return std::optional<SpooledFile>();
      if (!*more) return Damaged();
      end = rest_.find('\n');
    }
    std::optional<SpooledFile> file = FileOf(rest_.substr(0, end));
    if (!file) return Damaged();
    rest_.remove_prefix(end + 1);
    return file;
  }

 private:
  Error Damaged() const {
    return MakeError(ErrorKind::kLocalIo,
                     path_.string() + " is damaged: line " + std::to_string(line_) +
                         (begin_ == 0 ? "" : " from byte " + std::to_string(begin_)) +
                         " names no file; plan the run again");
  }

  // False at the end, and where no line is so long.
  Result<bool> Fill() {
    if (rest_.size() > kLongestLine) return false;
    std::string buffer(rest_);
    buffer.resize(rest_.size() + kChunkBytes);
    ssize_t got = -1;
    do {
      got = ::pread(file_.get(), buffer.data() + rest_.size(), kChunkBytes,
                    static_cast<off_t>(offset_));
    } while (got < 0 && errno == EINTR);
    if (got < 0) return FileError(path_, "read", errno);
    buffer.resize(rest_.size() + static_cast<std::size_t>(got));
    offset_ += static_cast<std::uint64_t>(got);
    buffer_ = std::move(buffer);
    rest_ = buffer_;
    return got > 0;
  }

  OpenFile file_;
  std::filesystem::path path_;
  std::uint64_t offset_;  // of the first byte that was not read
  const std::uint64_t begin_ = offset_;
  std::uint64_t line_ = 0;
  std::string buffer_;
  std::string_view rest_;
};

}  // namespace

Result<std::unique_ptr<FileSpoolWriter>> FileSpoolWriter::Create(
    const std::filesystem::path& path) {
  const int file =
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) return FileError(path, "made", errno);
  return std::unique_ptr<FileSpoolWriter>(std::make_unique<Writer>(OpenFile(file), path));
}

Result<std::unique_ptr<FileSpoolReader>> FileSpoolReader::Open(const std::filesystem::path& path,
                                                               std::uint64_t offset) {
  Result<OpenFile> file = OpenExisting(path, O_RDONLY);
  if (!file) {
    Error error = file.error();
    error.kind = ErrorKind::kLocalIo;
    return error;
  }
  return std::unique_ptr<FileSpoolReader>(std::make_unique<Reader>(*std::move(file), path, offset));
}

}  // namespace tsm::run
