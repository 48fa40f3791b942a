// The process environment as a value: read once at the edge, passed in everywhere else, so that
// tests give their own.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tsm::aws {

class Environment {
 public:
  Environment() = default;
  explicit Environment(std::map<std::string, std::string, std::less<>> values)
      : values_(std::move(values)) {}
  // The variables of this process.
  static Environment OfProcess();

  // Nothing where unset or empty: AWS's tools treat an empty variable as not set.
  std::optional<std::string> Get(std::string_view name) const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

}  // namespace tsm::aws
