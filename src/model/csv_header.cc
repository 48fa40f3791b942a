#include "tsm/model/csv_header.h"

#include <utility>

#include "tsm/core/text.h"
#include "utf8.h"

namespace tsm::model {
namespace {

using timestream::CsvConfiguration;

constexpr std::size_t kShownBytes = 80;

// What files of other kinds begin with, and why they are refused.
struct Beginning {
  std::string_view bytes;
  const char* why;
};
constexpr Beginning kRefused[] = {
    {"\xef\xbb\xbf",
     "begins with a UTF-8 byte order mark, which would be taken for a part of the first column's "
     "name: write the file without one"},
    {"\xff\xfe", "begins with a UTF-16 byte order mark: batch load reads UTF-8, without a mark"},
    {"\xfe\xff", "begins with a UTF-16 byte order mark: batch load reads UTF-8, without a mark"},
    {"\x1f\x8b", "is gzip: batch load reads plain CSV, so it must be inflated first"},
    {"PAR1\x15", "is Parquet: batch load reads CSV only"},
};

enum class Stop { kField, kLine, kEnd };

// Reads fields from the front. At the end of the bytes it stops with kEnd, in the middle of a
// quoted field too.
class HeaderReader {
 public:
  HeaderReader(std::string_view text, const CsvConfiguration& csv)
      : text_(text),
        separator_(csv.column_separator.empty() ? ',' : csv.column_separator.front()),
        quote_(csv.quote_char.empty() ? '\0' : csv.quote_char.front()),
        escape_(csv.escape_char.empty() ? '\0' : csv.escape_char.front()),
        doubled_(escape_ == '\0' || escape_ == quote_),
        trim_(csv.trim_white_space) {}

  std::size_t position() const { return position_; }
  bool in_quotes() const { return in_quotes_; }
  bool after_quotes() const { return after_quotes_; }

  Stop ReadField(std::string& field) {
    field.clear();
    if (trim_) SkipBlanks();
    const bool quoted = !AtEnd() && quote_ != '\0' && text_[position_] == quote_;
    if (quoted && !ReadQuoted(field)) return Stop::kEnd;
    const Stop stop = ReadPlain(field, quoted);
    if (trim_ && !quoted) field = std::string(TrimAscii(field));
    return stop;
  }

 private:
  bool AtEnd() const { return position_ == text_.size(); }

  void SkipBlanks() {
    while (!AtEnd() && text_[position_] != separator_ &&
           (text_[position_] == ' ' || text_[position_] == '\t')) {
      ++position_;
    }
  }

  // False at the end of the bytes.
  bool ReadQuoted(std::string& field) {
    in_quotes_ = true;
    ++position_;
    while (!AtEnd()) {
      const char c = text_[position_++];
      const bool last = AtEnd();
      if (c == escape_ && !doubled_) {
        if (last) return false;
        field.push_back(text_[position_++]);
      } else if (c != quote_) {
        field.push_back(c);
      } else if (doubled_ && !last && text_[position_] == quote_) {
        field.push_back(text_[position_++]);
      } else {
        in_quotes_ = false;
        return true;
      }
    }
    return false;
  }

  // To the separator or the line's end; behind a quoted field nothing else may stand.
  Stop ReadPlain(std::string& field, bool quoted) {
    while (!AtEnd()) {
      char c = text_[position_++];
      if (c == separator_) return Stop::kField;
      if (c == '\n') return Stop::kLine;
      if (c == '\r') {
        if (AtEnd()) return Stop::kEnd;
        if (text_[position_] == '\n') continue;
      }
      if (quoted && trim_ && (c == ' ' || c == '\t')) continue;
      after_quotes_ = after_quotes_ || quoted;
      if (c == escape_ && !doubled_) {
        if (AtEnd()) return Stop::kEnd;
        c = text_[position_++];
      }
      field.push_back(c);
    }
    return Stop::kEnd;
  }

  std::string_view text_;
  std::size_t position_ = 0;
  char separator_;
  char quote_;
  char escape_;
  bool doubled_;  // a quote within quotes is written twice
  bool trim_;
  bool in_quotes_ = false;
  bool after_quotes_ = false;
};

Error Refused(const std::string& file, const std::string& why) {
  return MakeError(ErrorKind::kInvalidInput, file + " " + why);
}

Status CheckBeginning(std::string_view start, const std::string& file) {
  if (start.empty()) return Refused(file, "is empty: a CSV file begins with a line of its columns");
  for (const Beginning& beginning : kRefused) {
    if (start.starts_with(beginning.bytes)) return Refused(file, beginning.why);
  }
  return Ok();
}

Status CheckColumns(const std::vector<std::string>& columns, const std::string& file) {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string place = "column " + std::to_string(i + 1) + " of its header";
    if (columns[i].empty()) {
      return Refused(file, "has no name for " + place + ": every column needs one");
    }
    if (!IsUtf8(columns[i])) {
      return Refused(file, "is no UTF-8 text in " + place + ": batch load reads UTF-8");
    }
  }
  return Ok();
}

// Why a line that never ends is none.
Error Unended(const HeaderReader& reader, const std::string& last, const std::string& file) {
  if (reader.in_quotes()) {
    return Refused(file, "has a quote in its header that does not end, before \"" +
                             OneLine(last, kShownBytes) + "\"");
  }
  return Refused(file, "has a header of more than " + FormatBytes(kMaxHeaderBytes) +
                           ", the longest row that batch load takes: is it a CSV file?");
}

}  // namespace

Result<std::optional<CsvHeader>> ParseCsvHeader(std::string_view start, bool whole,
                                                const CsvConfiguration& csv,
                                                const std::string& file) {
  if (Status status = CheckBeginning(start, file); !status) return status.error();
  HeaderReader reader(start, csv);
  CsvHeader header;
  Stop stop = Stop::kField;
  std::string field;
  while (stop == Stop::kField) {
    stop = reader.ReadField(field);
    header.columns.push_back(field);
  }
  const bool open = stop == Stop::kEnd && (reader.in_quotes() || !whole);
  if (open && !whole && start.size() < kMaxHeaderBytes) return std::optional<CsvHeader>();
  if (open) return Unended(reader, field, file);
  if (reader.after_quotes()) {
    return Refused(file,
                   "has other text behind a quoted name in its header: quote and escape "
                   "character may be others");
  }
  if (Status status = CheckColumns(header.columns, file); !status) return status.error();
  header.bytes = reader.position();
  return std::optional<CsvHeader>(std::move(header));
}

}  // namespace tsm::model
