#include "ts_local/query_protocol.h"

#include <algorithm>

#include "ts_local/api_error.h"
#include "ts_local/url_codec.h"

namespace ts_local {

QueryForm::QueryForm(std::string_view body) : parameters_(ParseQuery(body)) {}

const std::string* QueryForm::Find(std::string_view name) const {
  for (const auto& [key, value] : parameters_) {
    if (key == name) return &value;
  }
  return nullptr;
}

const std::string& QueryForm::Get(std::string_view name) const {
  const std::string* value = Find(name);
  if (value != nullptr) return *value;
  throw ApiError(400, "InvalidParameter",
                 "Invalid parameter: " + std::string(name) + " Reason: it is required");
}

bool QueryForm::HasPrefix(std::string_view prefix) const {
  return std::any_of(parameters_.begin(), parameters_.end(),
                     [&](const auto& parameter) { return parameter.first.starts_with(prefix); });
}

}  // namespace ts_local
