#include "ts_local/unload_mishaps.h"

#include <algorithm>
#include <array>

#include "ts_local/fault_rules.h"

namespace ts_local {
namespace {

// As the Query API describes its errors.
// https://docs.aws.amazon.com/timestream/latest/developerguide/API_query_Query.html#API_query_Query_Errors
struct Worded {
  std::string_view code;
  const char* text;
};
constexpr std::array<Worded, 6> kWords{
    {{"QueryExecutionException", "Timestream was unable to run the query successfully."},
     {"InternalServerException",
      "The service was unable to fully process this request because of an internal server error."},
     {"ThrottlingException", "The request was throttled due to excessive requests."},
     {"AccessDeniedException",
      "You do not have the necessary permissions to access the account settings."},
     {"ConflictException", "Unable to poll results for a cancelled query."},
     {"ValidationException", "Invalid or malformed request."}}};

}  // namespace

std::optional<ApiError> NextUnloadFailure(FaultRules* rules) {
  const auto fault = rules == nullptr ? std::nullopt : rules->Next(kUnloadStep, Protocol::kJson);
  if (!fault) return std::nullopt;
  const auto* worded = std::find_if(kWords.begin(), kWords.end(), [&](const Worded& candidate) {
    return candidate.code == fault->code;
  });
  if (worded == kWords.end()) return fault->Error();
  return ApiError(fault->status, fault->code, worded->text);
}

std::optional<ApiError> NextWriteFailure(FaultRules* rules) {
  const auto fault = rules == nullptr ? std::nullopt : rules->Next(kUnloadWriteStep, Protocol::kS3);
  if (!fault) return std::nullopt;
  return fault->Error();
}

ApiError AsUnloadFailure(const ApiError& of_s3) {
  if (of_s3.code() != "SlowDown") return AsTimestream(of_s3);
  return {400, "QueryExecutionException",
          "We have detected that Amazon S3 is throttling the writes from UNLOAD command. See "
          "Amazon Timestream documentation for more information"};
}

}  // namespace ts_local
