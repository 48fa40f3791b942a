// Cuts CSV into records where UNLOAD ended them: a newline inside quotes or behind an escape ends
// none. Holds one record at most. Not thread-safe; pure but for what it remembers.
// https://docs.aws.amazon.com/timestream/latest/developerguide/export-unload-concepts.html
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "tsm/core/result.h"

namespace tsm::copy {

class CsvRecords {
 public:
  // With its line end. An error ends the cutting.
  using Out = std::function<Status(std::string_view record)>;

  // Batch load takes rows of up to 16 MB; whatever is much longer is a quote that does not close.
  static constexpr std::size_t kMaxRecordBytes = 64U << 20U;

  CsvRecords(char quote, char escape) : quote_(quote), escape_(escape) {}

  // kProof where a record is longer than any can be.
  Status Feed(std::string_view bytes, const Out& out);
  // Gives the last record where no newline ends it. kProof where a quote is left open.
  Status End(const Out& out);

 private:
  const char quote_;
  const char escape_;  // the quote itself: quotes are doubled, nothing else is escaped
  bool quoted_ = false;
  bool escaped_ = false;
  std::string begun_;
};

// No character but a line end: batch load skips such lines, they are no rows.
bool IsBlank(std::string_view record);

}  // namespace tsm::copy
