// WriteRecords: the request's records with their common attributes, checked and typed, and the
// answer with what was rejected.
// https://docs.aws.amazon.com/timestream/latest/developerguide/API_WriteRecords.html
// No state; thread-safe as the stores are.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "ts_local/api_error.h"
#include "ts_local/message.h"
#include "ts_local/storage.h"
#include "ts_local/table_store.h"

namespace ts_local {

// HTTP 419, as the service answers (dpattmann/prometheus-timestream-adapter#87 shows one).
class RejectedRecordsError : public ApiError {
 public:
  explicit RejectedRecordsError(const std::vector<RowRejection>& rejections);
  std::string body_json() const override { return body_; }

 private:
  std::string body_;
};

// The request's records. Throws ApiError(ValidationException) for what is no record at all: no
// records or over 100, missing fields, values that are no values of their type.
std::vector<Record> ParseRecords(const nlohmann::json& request);

// Writes them and returns the response body; throws RejectedRecordsError where some are rejected.
// Version conflicts in the magnetic store are found after the answer in the service: they are not
// among the rejections but in a report object at the table's MagneticStoreRejectedDataLocation.
nlohmann::json WriteRecords(const Caller& caller, const nlohmann::json& request, TableStore& tables,
                            Storage& storage, std::int64_t now_ns);

}  // namespace ts_local
