#include "journal_replay.h"

#include <utility>

namespace tsm {

JournalReplay::JournalReplay(int file, std::string path)
    : path_(std::move(path)), reader_(file, path_, kMaxJournalLine) {}

Result<Replayed> JournalReplay::Run(const HeaderJudge& accept, const Journal::Visitor& visit) {
  for (;;) {
    Result<std::optional<LineReader::Line>> line = reader_.Next();
    if (!line) return line.error();
    if (!*line) return EndAt(done_.end);
    const std::uint64_t offset = (*line)->offset;
    const bool ended = (*line)->ended;
    Result<bool> taken = Take(**line, accept, visit);
    if (!taken) return taken.error();
    if (*taken) {
      done_.end = reader_.offset();
      ++number_;
    } else if (reread_ != offset) {
      // Without the lock: a writer that resumed may have cut off a torn line and written a new one
      // between two reads of this one.
      reread_ = offset;
      reader_.SeekTo(offset);
    } else if (!ended) {
      // Nothing follows; what a look behind it would find is the rest that its writer adds just
      // now.
      return EndAt(offset);
    } else {
      return EndAtBadLine(offset);
    }
  }
}

Result<bool> JournalReplay::Take(const LineReader::Line& line, const HeaderJudge& accept,
                                 const Journal::Visitor& visit) {
  if (!line.ended || line.too_long) return false;
  if (number_ == 1) return TakeHeader(line.text, accept);
  const Result<JournalEntry> entry = ParseJournalEntry(line.text);
  if (!entry) return false;
  if (entry->sequence != done_.sequence + 1) {
    return MakeError(ErrorKind::kLocalIo, Here() + " is damaged: entry " +
                                              std::to_string(entry->sequence) + " stands where " +
                                              std::to_string(done_.sequence + 1) +
                                              " belongs; restore the file, or begin a new run");
  }
  Status visited = visit(*entry);
  if (!visited) return std::move(visited.error()).With(Here());
  done_.sequence = entry->sequence;
  return true;
}

Result<bool> JournalReplay::TakeHeader(std::string_view text, const HeaderJudge& accept) {
  Result<JournalHeader> header = ParseJournalHeader(text);
  if (!header && header.error().kind == ErrorKind::kBadReply) return false;
  if (!header) return std::move(header.error()).With(path_);
  Status accepted = accept(*header);
  if (!accepted) return accepted.error();
  done_.header = std::move(*header);
  return true;
}

// As the last line it was torn when its writer ended: nothing was done on the strength of it.
// Anywhere else the file was changed by somebody else.
Result<Replayed> JournalReplay::EndAtBadLine(std::uint64_t offset) {
  const Result<std::optional<LineReader::Line>> next = reader_.Next();
  if (!next) return next.error();
  if (!*next) return EndAt(offset);
  return MakeError(ErrorKind::kLocalIo,
                   Here() + " is damaged: it is no journal " + (number_ == 1 ? "header" : "entry") +
                       ", and other lines follow it; restore the file, or begin a new run");
}

Result<Replayed> JournalReplay::EndAt(std::uint64_t offset) {
  if (number_ == 1) {
    return MakeError(ErrorKind::kNotFound,
                     path_ +
                         " has no whole header: the run ended before it began, and nothing was "
                         "done; remove its directory and begin anew");
  }
  done_.dropped = reader_.offset() - offset;
  return std::move(done_);
}

std::string JournalReplay::Here() const { return path_ + ":" + std::to_string(number_); }

}  // namespace tsm
