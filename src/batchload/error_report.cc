#include "tsm/batchload/error_report.h"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "tsm/core/text.h"

namespace tsm::batchload {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kShownErrors = 10;
constexpr std::size_t kShownRanges = 5;
// A report of more than this is named, not read into memory.
constexpr std::uint64_t kMaxReportBytes = 64ULL * 1024 * 1024;

std::string TextOf(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

const Json& ArrayOf(const Json& json, const char* key) {
  static const Json kEmpty = Json::array();
  const auto found = json.find(key);
  return found != json.end() && found->is_array() ? *found : kEmpty;
}

FileError ReadFileError(const std::string& file, const Json& json) {
  FileError error{file, TextOf(json, "reason"), {}};
  if (error.reason.empty()) error.reason = json.dump();
  for (const Json& range : ArrayOf(json, "lineRanges")) {
    if (range.is_array() && range.size() == 2 && range[0].is_number_integer() &&
        range[1].is_number_integer()) {
      error.lines.emplace_back(range[0].get<std::int64_t>(), range[1].get<std::int64_t>());
    }
  }
  return error;
}

std::string Describe(const FileError& error) {
  std::string text = error.file;
  for (std::size_t i = 0; i < error.lines.size() && i < kShownRanges; ++i) {
    const auto& [first, last] = error.lines[i];
    text += i == 0 ? (error.lines.size() == 1 && first == last ? ", line " : ", lines ") : ", ";
    text += std::to_string(first);
    if (last != first) text += "-" + std::to_string(last);
  }
  if (error.lines.size() > kShownRanges) {
    text += " and " + WithThousands(error.lines.size() - kShownRanges) + " more ranges";
  }
  return OneLine(text + ": " + error.reason);
}

// The lines that a file's errors name, without overlaps.
using Lines = std::map<std::int64_t, std::int64_t>;  // first -> last

std::uint64_t CountLines(const Lines& lines) {
  std::uint64_t count = 0;
  std::int64_t reached = 1;  // the header
  for (const auto& [first, last] : lines) {
    const std::int64_t from = std::max(first, reached + 1);
    if (last >= from) count += static_cast<std::uint64_t>(last - from) + 1;
    reached = std::max(reached, last);
  }
  return count;
}

bool HasAny(const std::string& text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return text.find(word) != std::string::npos; });
}

}  // namespace

RejectedRows CountRejected(const ErrorReport& report) {
  RejectedRows rejected;
  rejected.complete = report.task_errors.empty();
  std::map<std::string, Lines, std::less<>> files;
  for (const FileError& error : report.file_errors) {
    if (error.lines.empty()) rejected.complete = false;
    Lines& lines = files[error.file];
    for (const auto& [first, last] : error.lines) {
      std::int64_t& reaches = lines[first];
      reaches = std::max(reaches, last);
    }
  }
  for (const auto& [file, lines] : files) rejected.rows += CountLines(lines);
  return rejected;
}

// https://docs.aws.amazon.com/timestream/latest/developerguide/batch-load-using-error-reports.html
ErrorMeaning MeaningOf(std::string_view reason) {
  const std::string text = ToLowerAscii(reason);
  if (HasAny(text, {"time range", "ingestion window", "retention"})) return ErrorMeaning::kTime;
  if (HasAny(text, {"version", "duplicate", "already exist"})) return ErrorMeaning::kVersion;
  if (HasAny(text, {"parse", "data type", "measure value type", "invalid value", "not a valid",
                    "cannot be converted", "type mismatch"})) {
    return ErrorMeaning::kType;
  }
  return ErrorMeaning::kUnknown;
}

std::vector<ErrorMeaning> MeaningsOf(const ErrorReport& report) {
  std::vector<ErrorMeaning> meanings;
  const auto add = [&](std::string_view reason) {
    const ErrorMeaning meaning = MeaningOf(reason);
    if (meaning == ErrorMeaning::kUnknown) return;
    if (std::find(meanings.begin(), meanings.end(), meaning) == meanings.end()) {
      meanings.push_back(meaning);
    }
  };
  for (const std::string& error : report.task_errors) add(error);
  for (const FileError& error : report.file_errors) add(error.reason);
  return meanings;
}

Result<ErrorReport> ParseErrorReport(std::string_view json) {
  const Json parsed = Json::parse(json, nullptr, false);
  if (!parsed.is_object()) {
    return MakeError(ErrorKind::kBadReply, "the batch-load report is no JSON object");
  }
  ErrorReport report;
  report.task_id = TextOf(parsed, "taskId");
  for (const Json& error : ArrayOf(parsed, "taskErrors")) {
    const std::string reason = error.is_object() ? TextOf(error, "reason") : "";
    if (!reason.empty()) {
      report.task_errors.push_back(reason);
    } else {
      report.task_errors.push_back(error.is_string() ? error.get<std::string>() : error.dump());
    }
  }
  for (const Json& file : ArrayOf(parsed, "fileErrors")) {
    if (!file.is_object()) continue;
    for (const Json& error : ArrayOf(file, "errors")) {
      if (error.is_object()) {
        report.file_errors.push_back(ReadFileError(TextOf(file, "fileName"), error));
      }
    }
  }
  return report;
}

std::vector<std::string> FirstErrors(const ErrorReport& report, std::size_t limit) {
  std::vector<std::string> lines;
  for (const std::string& error : report.task_errors) {
    if (lines.size() < limit) lines.push_back(OneLine(error));
  }
  for (const FileError& error : report.file_errors) {
    if (lines.size() < limit) lines.push_back(Describe(error));
  }
  const std::size_t all = report.task_errors.size() + report.file_errors.size();
  if (all > lines.size()) lines.push_back("and " + WithThousands(all - lines.size()) + " more");
  return lines;
}

Result<FetchedReport> FetchReport(s3::S3Client& s3, const s3::BucketName& bucket,
                                  const std::string& prefix, const std::string& task_id,
                                  std::stop_token stop) {
  std::optional<s3::ObjectSummary> found;
  const auto visit = [&](const s3::ObjectSummary& object) {
    const std::string& key = object.key.str();
    if (key.ends_with(".json") && key.find(task_id) != std::string::npos) found = object;
    return !found.has_value();
  };
  if (Status status = s3.ForEachObject(bucket, prefix, visit, stop); !status) {
    return status.error().With("looking for the report of task " + task_id);
  }
  if (!found) {
    return MakeError(ErrorKind::kNotFound,
                     "no report of task " + task_id + " under s3://" + bucket.str() + "/" + prefix);
  }
  FetchedReport fetched{{bucket, found->key}, {}, {}, ""};
  if (found->size > kMaxReportBytes) {
    fetched.first_errors.push_back("the report has " + FormatBytes(found->size) +
                                   " and is not read here");
    return fetched;
  }
  Result<std::string> body = s3.GetObject(bucket, found->key, std::nullopt, stop);
  if (!body) return body.error().With("reading the report of task " + task_id);
  Result<ErrorReport> report = ParseErrorReport(*body);
  if (!report) return report.error().With(fetched.uri.str());
  fetched.first_errors = FirstErrors(*report, kShownErrors);
  fetched.report = *std::move(report);
  fetched.body = *std::move(body);
  return fetched;
}

}  // namespace tsm::batchload
