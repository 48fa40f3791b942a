// A streaming CSV reader for batch load: constant memory whatever the file's size, records over 16
// MB are skipped and named. Quoted fields may hold separators and newlines.
// https://docs.aws.amazon.com/timestream/latest/developerguide/batch-load-preparing-data-file.html
// Not thread-safe. Bad records are no exceptions: they come as records with an error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace ts_local {

struct CsvOptions {
  char separator = ',';
  char quote = '"';
  // Makes the next character literal, inside quotes and outside. '\0': none; a doubled quote inside
  // quotes then stands for one.
  char escape = '\0';
  bool trim = false;  // blanks and tabs around fields that are not quoted
};

struct CsvRecord {
  std::vector<std::string>
      fields;  // the first `count` are the record's; the others are spare buffers
  std::size_t count = 0;
  std::int64_t first_line = 0;  // 1-based lines of the file
  std::int64_t last_line = 0;
  std::string error;  // why the record is unusable, else empty
};

class CsvReader {
 public:
  // Fills the buffer with up to `size` bytes and returns how many; 0 at the end.
  using Source = std::function<std::size_t(char* buffer, std::size_t size)>;
  CsvReader(Source source, const CsvOptions& options);

  // False at the end. Lines without a single character are skipped.
  bool Next(CsvRecord* record);
  // Bytes of the records so far; all that the source gave once Next has said false.
  std::uint64_t bytes_read() const { return bytes_read_ - (end_ - position_); }

 private:
  static constexpr std::size_t kMaxRecordBytes = 16U << 20U;
  enum class End { kField, kRecord, kFile };

  int Peek();
  int Take();
  bool Fill();
  std::string* StartField(CsvRecord* record);
  void Put(CsvRecord* record, std::string* field, char c);
  End ReadField(CsvRecord* record);
  End ReadQuoted(CsvRecord* record, std::string* field);
  End ReadPlain(CsvRecord* record, std::string* field);
  End SkipToLineEnd();
  void TrimField(std::string* field) const;

  Source source_;
  const CsvOptions options_;
  bool special_[256] = {};  // characters that end a run of ordinary ones
  std::vector<char> buffer_;
  std::size_t position_ = 0;
  std::size_t end_ = 0;
  std::size_t record_bytes_ = 0;
  std::int64_t line_ = 1;
  std::uint64_t bytes_read_ = 0;
};

}  // namespace ts_local
