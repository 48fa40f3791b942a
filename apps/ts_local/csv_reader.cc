#include "ts_local/csv_reader.h"

#include <utility>

namespace ts_local {
namespace {

constexpr int kEnd = -1;
constexpr std::size_t kBufferBytes = 256U << 10U;

std::size_t Index(char c) { return static_cast<unsigned char>(c); }

}  // namespace

CsvReader::CsvReader(Source source, const CsvOptions& options)
    : source_(std::move(source)), options_(options), buffer_(kBufferBytes) {
  for (const char c : {options_.separator, options_.quote, options_.escape, '\n', '\r'}) {
    special_[Index(c)] = true;
  }
  // Without an escape character NUL is in the list above, which costs nothing.
}

bool CsvReader::Fill() {
  end_ = source_(buffer_.data(), buffer_.size());
  position_ = 0;
  bytes_read_ += end_;
  return end_ > 0;
}

int CsvReader::Peek() {
  if (position_ == end_ && !Fill()) return kEnd;
  return static_cast<unsigned char>(buffer_[position_]);
}

int CsvReader::Take() {
  const int c = Peek();
  if (c == kEnd) return kEnd;
  ++position_;
  if (c == '\n') ++line_;
  return c;
}

std::string* CsvReader::StartField(CsvRecord* record) {
  if (record->count == record->fields.size()) record->fields.emplace_back();
  std::string* field = &record->fields[record->count++];
  field->clear();
  return field;
}

void CsvReader::Put(CsvRecord* record, std::string* field, char c) {
  if (++record_bytes_ > kMaxRecordBytes) {
    record->error = "The record is larger than 16 MB.";
    field->clear();
    return;
  }
  field->push_back(c);
}

bool CsvReader::Next(CsvRecord* record) {
  while (Peek() == '\n' || Peek() == '\r') Take();
  if (Peek() == kEnd) return false;
  record->count = 0;
  record->error.clear();
  record->first_line = line_;
  record_bytes_ = 0;
  End end = End::kField;
  while (end == End::kField) end = ReadField(record);
  // The newline itself belongs to the record's last line.
  record->last_line = end == End::kRecord ? line_ - 1 : line_;
  return true;
}

CsvReader::End CsvReader::ReadField(CsvRecord* record) {
  std::string* field = StartField(record);
  if (options_.trim && options_.separator != '\t' && options_.separator != ' ') {
    while (Peek() == ' ' || Peek() == '\t') Take();
  }
  if (Peek() != kEnd && static_cast<char>(Peek()) == options_.quote) {
    Take();
    return ReadQuoted(record, field);
  }
  return ReadPlain(record, field);
}

CsvReader::End CsvReader::ReadPlain(CsvRecord* record, std::string* field) {
  while (true) {
    const int c = Peek();
    if (c == kEnd) {
      TrimField(field);
      return End::kFile;
    }
    if (!special_[c]) {
      const std::size_t start = position_;
      while (position_ < end_ && !special_[Index(buffer_[position_])]) ++position_;
      record_bytes_ += position_ - start;
      if (record_bytes_ > kMaxRecordBytes) {
        Put(record, field, ' ');  // names the error
      } else {
        field->append(buffer_.data() + start, position_ - start);
      }
      continue;
    }
    Take();
    const char taken = static_cast<char>(c);
    if (taken == options_.separator) {
      TrimField(field);
      return End::kField;
    }
    if (taken == '\n' || (taken == '\r' && Peek() == '\n')) {
      if (taken == '\r') Take();
      TrimField(field);
      return End::kRecord;
    }
    if (options_.escape != '\0' && taken == options_.escape && taken != options_.quote) {
      const int next = Take();
      if (next == kEnd) {
        record->error = "The file ends after an escape character.";
        return End::kFile;
      }
      Put(record, field, static_cast<char>(next));
    } else {
      Put(record, field, taken);  // a quote inside a plain field is a character like others
    }
  }
}

CsvReader::End CsvReader::ReadQuoted(CsvRecord* record, std::string* field) {
  const bool doubled = options_.escape == '\0' || options_.escape == options_.quote;
  while (true) {
    const int c = Take();
    if (c == kEnd) {
      record->error = "A quoted field does not end.";
      return End::kFile;
    }
    const char taken = static_cast<char>(c);
    if (!doubled && taken == options_.escape) {
      const int next = Take();
      if (next == kEnd) continue;  // the turn above names it
      Put(record, field, static_cast<char>(next));
    } else if (taken != options_.quote) {
      Put(record, field, taken);
    } else if (doubled && Peek() != kEnd && static_cast<char>(Peek()) == options_.quote) {
      Take();
      Put(record, field, taken);
    } else {
      break;
    }
  }
  if (options_.trim) {
    while ((Peek() == ' ' || Peek() == '\t') &&
           Peek() != static_cast<int>(Index(options_.separator))) {
      Take();
    }
  }
  if (Peek() == '\r') Take();
  const int after = Take();
  if (after == kEnd) return End::kFile;
  if (after == '\n') return End::kRecord;
  if (static_cast<char>(after) == options_.separator) return End::kField;
  record->error = "A quoted field is followed by other text.";
  return SkipToLineEnd();
}

CsvReader::End CsvReader::SkipToLineEnd() {
  int c = Take();
  while (c != kEnd && c != '\n') c = Take();
  return c == kEnd ? End::kFile : End::kRecord;
}

void CsvReader::TrimField(std::string* field) const {
  if (!options_.trim) return;
  while (!field->empty() && (field->back() == ' ' || field->back() == '\t')) field->pop_back();
}

}  // namespace ts_local
