#include "tsm/core/sorted_spool.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <queue>
#include <utility>

#include "tsm/core/journal.h"

namespace tsm {

namespace {

// Lengths of key and value before each record.
constexpr std::size_t kHeader = 2 * sizeof(std::uint32_t);
// So many runs are read at once, each through a buffer of its own.
constexpr std::size_t kMaxRuns = 128;
constexpr std::size_t kReadBytes = std::size_t{32} << 10U;
constexpr std::size_t kWriteBytes = std::size_t{256} << 10U;

void AppendLength(std::string& out, std::size_t length) {
  const auto number = static_cast<std::uint32_t>(length);
  char bytes[sizeof(number)];
  std::memcpy(bytes, &number, sizeof(number));
  out.append(bytes, sizeof(number));
}

void AppendRecord(std::string& out, std::string_view key, std::string_view value) {
  AppendLength(out, key.size());
  AppendLength(out, value.size());
  out += key;
  out += value;
}

std::size_t LengthAt(std::string_view bytes) {
  std::uint32_t number = 0;
  std::memcpy(&number, bytes.data(), sizeof(number));
  return number;
}

// A record at the beginning of `bytes`, which holds all of it.
std::string_view KeyOf(std::string_view bytes) { return bytes.substr(kHeader, LengthAt(bytes)); }
std::string_view ValueOf(std::string_view bytes) {
  return bytes.substr(kHeader + LengthAt(bytes), LengthAt(bytes.substr(sizeof(std::uint32_t))));
}
std::size_t RecordBytes(std::string_view bytes) {
  return kHeader + LengthAt(bytes) + LengthAt(bytes.substr(sizeof(std::uint32_t)));
}

}  // namespace

// One run, a buffer at a time.
class SortedSpool::RunReader {
 public:
  RunReader(const SortedSpool& spool, Run run) : spool_(&spool), at_(run.begin), end_(run.end) {}

  Result<bool> Next() {
    rest_.remove_prefix(current_);
    current_ = 0;
    if (rest_.empty() && at_ == end_) return false;
    if (Status status = Need(kHeader); !status) return status.error();
    if (Status status = Need(RecordBytes(rest_)); !status) return status.error();
    current_ = RecordBytes(rest_);
    return true;
  }

  std::string_view key() const { return KeyOf(rest_); }
  std::string_view value() const { return ValueOf(rest_); }

 private:
  // Until `rest_` holds so many bytes.
  Status Need(std::size_t bytes) {
    if (rest_.size() >= bytes) return Ok();
    const std::size_t had = rest_.size();
    if (had > 0) std::memmove(buffer_.data(), rest_.data(), had);
    buffer_.resize(std::max(bytes, kReadBytes));
    std::size_t filled = had;
    while (filled < bytes) {
      const std::uint64_t left = end_ - at_;
      const std::size_t want = std::min<std::uint64_t>(buffer_.size() - filled, left);
      const ssize_t got =
          ::pread(spool_->file_.get(), buffer_.data() + filled, want, static_cast<off_t>(at_));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) {
        return FileError(spool_->directory_ / "(sorting)", "read", got < 0 ? errno : EIO);
      }
      filled += static_cast<std::size_t>(got);
      at_ += static_cast<std::uint64_t>(got);
    }
    rest_ = std::string_view(buffer_.data(), filled);
    return Ok();
  }

  const SortedSpool* spool_;
  std::uint64_t at_;
  std::uint64_t end_;
  std::vector<char> buffer_;
  std::string_view rest_;    // of the buffer, from the current record on
  std::size_t current_ = 0;  // bytes of the current record
};

class SortedSpool::HeldReader final : public SortedSpool::Reader {
 public:
  explicit HeldReader(const SortedSpool& spool) : spool_(spool) {}

  Result<bool> Next() override {
    if (next_ == spool_.order_.size()) return false;
    record_ = std::string_view(spool_.held_).substr(spool_.order_[next_++]);
    return true;
  }
  std::string_view key() const override { return KeyOf(record_); }
  std::string_view value() const override { return ValueOf(record_); }

 private:
  const SortedSpool& spool_;
  std::size_t next_ = 0;
  std::string_view record_;
};

class SortedSpool::MergeReader final : public SortedSpool::Reader {
 public:
  MergeReader(const SortedSpool& spool, const std::vector<Run>& runs) {
    for (const Run& run : runs) readers_.emplace_back(spool, run);
  }

  Result<bool> Next() override {
    if (!begun_) {
      begun_ = true;
      for (std::size_t i = 0; i < readers_.size(); ++i) {
        if (Status status = Step(i); !status) return status.error();
      }
    } else if (!heap_.empty()) {
      if (Status status = Replace(); !status) return status.error();
    }
    return !heap_.empty();
  }
  std::string_view key() const override { return readers_[heap_.front()].key(); }
  std::string_view value() const override { return readers_[heap_.front()].value(); }

 private:
  // Puts the smaller key, and of equal ones the earlier run, on top.
  bool IsBehind(std::size_t a, std::size_t b) const {
    const int order = readers_[a].key().compare(readers_[b].key());
    return order != 0 ? order > 0 : a > b;
  }

  Status Step(std::size_t reader) {
    Result<bool> more = readers_[reader].Next();
    if (!more) return more.error();
    if (!*more) return Ok();
    heap_.push_back(reader);
    std::push_heap(heap_.begin(), heap_.end(),
                   [this](std::size_t a, std::size_t b) { return IsBehind(a, b); });
    return Ok();
  }

  Status Replace() {
    const std::size_t reader = heap_.front();
    std::pop_heap(heap_.begin(), heap_.end(),
                  [this](std::size_t a, std::size_t b) { return IsBehind(a, b); });
    heap_.pop_back();
    return Step(reader);
  }

  std::vector<RunReader> readers_;
  std::vector<std::size_t> heap_;
  bool begun_ = false;
};

SortedSpool::SortedSpool(std::filesystem::path directory, std::size_t memory)
    : directory_(std::move(directory)), memory_(memory) {}

SortedSpool::~SortedSpool() = default;

Status SortedSpool::Add(std::string_view key, std::string_view value) {
  const std::size_t bytes = kHeader + key.size() + value.size();
  const std::size_t held = held_.size() + order_.size() * sizeof(std::size_t);
  if (!order_.empty() && held + bytes > memory_) {
    if (Status status = WriteHeld(); !status) return status;
  }
  order_.push_back(held_.size());
  AppendRecord(held_, key, value);
  sorted_ = false;
  ++size_;
  return Ok();
}

void SortedSpool::SortHeld() {
  if (sorted_) return;
  sorted_ = true;
  const std::string_view held = held_;
  std::sort(order_.begin(), order_.end(), [held](std::size_t a, std::size_t b) {
    const int order = KeyOf(held.substr(a)).compare(KeyOf(held.substr(b)));
    return order != 0 ? order < 0 : a < b;
  });
}

Status SortedSpool::OpenFileOnce() {
  if (opened_) return Ok();
  std::string name = (directory_ / ".sorting-XXXXXX").string();
  const int file = ::mkostemp(name.data(), O_CLOEXEC);
  if (file < 0) return FileError(directory_ / ".sorting", "made", errno);
  file_ = OpenFile(file);
  opened_ = true;
  ::unlink(name.c_str());
  return Ok();
}

Status SortedSpool::WriteHeld() {
  if (Status status = OpenFileOnce(); !status) return status;
  SortHeld();
  Run run{file_size_, file_size_ + held_.size()};
  std::string out;
  out.reserve(kWriteBytes);
  for (std::size_t i = 0; i < order_.size(); ++i) {
    const std::string_view record = std::string_view(held_).substr(order_[i]);
    out += record.substr(0, RecordBytes(record));
    if (out.size() < kWriteBytes && i + 1 < order_.size()) continue;
    if (const int reason = WriteAll(file_.get(), out); reason != 0) {
      return FileError(directory_ / "(sorting)", "written", reason);
    }
    out.clear();
  }
  file_size_ = run.end;
  runs_.push_back(run);
  held_.clear();
  order_.clear();
  return Ok();
}

Result<SortedSpool::Run> SortedSpool::WriteMerged(const std::vector<Run>& runs) {
  Result<std::unique_ptr<Reader>> reader = Merge(runs);
  if (!reader) return reader.error();
  Run merged{file_size_, file_size_};
  std::string out;
  out.reserve(kWriteBytes);
  for (;;) {
    Result<bool> more = (*reader)->Next();
    if (!more) return more.error();
    if (*more) AppendRecord(out, (*reader)->key(), (*reader)->value());
    if (out.size() < kWriteBytes && *more) continue;
    if (const int reason = WriteAll(file_.get(), out); reason != 0) {
      return FileError(directory_ / "(sorting)", "written", reason);
    }
    merged.end += out.size();
    out.clear();
    if (!*more) break;
  }
  file_size_ = merged.end;
  return merged;
}

// Neighbours, so that equal keys keep their order.
Status SortedSpool::MergeRuns() {
  while (runs_.size() > kMaxRuns) {
    std::vector<Run> merged;
    for (std::size_t i = 0; i < runs_.size(); i += kMaxRuns) {
      const auto begin = runs_.begin() + static_cast<std::ptrdiff_t>(i);
      const std::vector<Run> some(
          begin, begin + static_cast<std::ptrdiff_t>(std::min(kMaxRuns, runs_.size() - i)));
      Result<Run> run = some.size() == 1 ? Result<Run>(some.front()) : WriteMerged(some);
      if (!run) return run.error();
      merged.push_back(*run);
    }
    runs_ = std::move(merged);
  }
  return Ok();
}

Result<std::unique_ptr<SortedSpool::Reader>> SortedSpool::Merge(
    const std::vector<Run>& runs) const {
  return std::unique_ptr<Reader>(std::make_unique<MergeReader>(*this, runs));
}

Result<std::unique_ptr<SortedSpool::Reader>> SortedSpool::Read() {
  if (runs_.empty()) {
    SortHeld();
    return std::unique_ptr<Reader>(std::make_unique<HeldReader>(*this));
  }
  if (!order_.empty()) {
    if (Status status = WriteHeld(); !status) return status.error();
    held_.shrink_to_fit();
    order_.shrink_to_fit();
  }
  if (Status status = MergeRuns(); !status) return status.error();
  return Merge(runs_);
}

}  // namespace tsm
