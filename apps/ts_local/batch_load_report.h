// The error report of a batch-load task, in the JSON that AWS documents:
// https://docs.aws.amazon.com/timestream/latest/developerguide/batch-load-using-error-reports.html
// Adjacent lines with one reason are one range. Used by one thread; lines of a file come in order.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace ts_local {

class BatchLoadReport {
 public:
  // An error of the whole task; the shape of what stands in taskErrors is our guess.
  void AddTaskError(const std::string& reason) { task_errors_.push_back(reason); }
  // An error of the whole file; the shape without lines is our guess.
  void AddFileError(const std::string& file, const std::string& reason);
  // Lines count from 1, the header included; `last` is not before `first`.
  void AddLines(const std::string& file, const std::string& reason, std::int64_t first,
                std::int64_t last);
  bool empty() const { return files_.empty() && task_errors_.empty(); }
  std::string Json(const std::string& task_id) const;

 private:
  using Ranges = std::vector<std::pair<std::int64_t, std::int64_t>>;
  std::vector<std::string> task_errors_;
  std::map<std::string, std::map<std::string, Ranges>> files_;  // file, reason
};

}  // namespace ts_local
