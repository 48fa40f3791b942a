// Reads a journal from its first byte: the header, then every entry, each judged before it is
// shown. Holds one line at a time. One thread's.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "journal_file.h"
#include "tsm/core/journal.h"
#include "tsm/core/result.h"

namespace tsm {

struct Replayed {
  JournalHeader header;
  std::uint64_t end = 0;       // of the last whole line, in bytes
  std::uint64_t dropped = 0;   // bytes behind it
  std::uint64_t sequence = 0;  // of the last entry
};

class JournalReplay {
 public:
  using HeaderJudge = std::function<Status(const JournalHeader& header)>;

  // `path` for the errors; the file stays the caller's.
  JournalReplay(int file, std::string path);

  // Called once. `accept` judges the header before any entry is shown. Errors as Journal::Open's.
  Result<Replayed> Run(const HeaderJudge& accept, const Journal::Visitor& visit);

 private:
  // False where it is no whole, well-formed line.
  Result<bool> Take(const LineReader::Line& line, const HeaderJudge& accept,
                    const Journal::Visitor& visit);
  Result<bool> TakeHeader(std::string_view text, const HeaderJudge& accept);
  Result<Replayed> EndAtBadLine(std::uint64_t offset);
  Result<Replayed> EndAt(std::uint64_t offset);
  std::string Here() const;  // "<path>:<line>"

  const std::string path_;
  LineReader reader_;
  std::uint64_t number_ = 1;  // of the line that is read
  std::optional<std::uint64_t> reread_;
  Replayed done_;
};

}  // namespace tsm
