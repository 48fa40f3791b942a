#include "csv_records.h"

namespace tsm::copy {

Status CsvRecords::Feed(std::string_view bytes, const Out& out) {
  std::size_t start = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const char c = bytes[i];
    if (escaped_) {
      escaped_ = false;
    } else if (c == quote_) {
      quoted_ = !quoted_;  // a doubled one closes and opens again
    } else if (c == escape_) {
      escaped_ = true;
    } else if (c == '\n' && !quoted_) {
      const std::string_view rest = bytes.substr(start, i + 1 - start);
      start = i + 1;
      if (begun_.empty()) {
        if (Status taken = out(rest); !taken) return taken;
        continue;
      }
      begun_ += rest;
      Status taken = out(begun_);
      begun_.clear();
      if (!taken) return taken;
    }
  }
  begun_ += bytes.substr(start);
  if (begun_.size() <= kMaxRecordBytes) return Ok();
  return MakeError(
      ErrorKind::kProof,
      "a CSV record of more than 64 MiB: a quote does not close, or the file is no CSV");
}

Status CsvRecords::End(const Out& out) {
  if (quoted_) {
    return MakeError(ErrorKind::kProof,
                     "the last CSV record ends inside quotes: was the file cut off, or is it no "
                     "CSV as UNLOAD writes it?");
  }
  if (begun_.empty()) return Ok();
  Status taken = out(begun_);
  begun_.clear();
  return taken;
}

bool IsBlank(std::string_view record) {
  return record.find_first_not_of("\r\n") == std::string_view::npos;
}

}  // namespace tsm::copy
