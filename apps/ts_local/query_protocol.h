// What STS and SNS share: the form-encoded request and the XML answer of AWS's query protocol.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/programming.html
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ts_local {

class QueryForm {
 public:
  // Parses an x-www-form-urlencoded body.
  explicit QueryForm(std::string_view body);
  // The parameter, or nullptr where it is absent.
  const std::string* Find(std::string_view name) const;
  // The parameter; throws ApiError 400 InvalidParameter where it is absent.
  const std::string& Get(std::string_view name) const;
  // True where a parameter starts with this, as list and map entries do ("MessageAttributes.").
  bool HasPrefix(std::string_view prefix) const;

 private:
  std::vector<std::pair<std::string, std::string>> parameters_;
};

}  // namespace ts_local
