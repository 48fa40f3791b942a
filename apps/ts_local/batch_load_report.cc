#include "ts_local/batch_load_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace ts_local {

void BatchLoadReport::AddFileError(const std::string& file, const std::string& reason) {
  files_[file][reason];
}

void BatchLoadReport::AddLines(const std::string& file, const std::string& reason,
                               std::int64_t first, std::int64_t last) {
  Ranges& ranges = files_[file][reason];
  if (!ranges.empty() && first <= ranges.back().second + 1 && first >= ranges.back().first) {
    ranges.back().second = std::max(ranges.back().second, last);
  } else {
    ranges.emplace_back(first, last);
  }
}

std::string BatchLoadReport::Json(const std::string& task_id) const {
  using nlohmann::json;
  json files = json::array();
  for (const auto& [file, reasons] : files_) {
    json errors = json::array();
    for (const auto& [reason, ranges] : reasons) {
      errors.push_back({{"reason", reason}, {"lineRanges", json::array()}});
      json& list = errors.back()["lineRanges"];
      for (const auto& [first, last] : ranges) list.push_back(json::array({first, last}));
    }
    files.push_back({{"fileName", file}, {"errors", std::move(errors)}});
  }
  json task = json::array();
  for (const std::string& reason : task_errors_) task.push_back({{"reason", reason}});
  const json report = {
      {"taskId", task_id}, {"taskErrors", std::move(task)}, {"fileErrors", std::move(files)}};
  return report.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace ts_local
