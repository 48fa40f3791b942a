#include "tsm/aws/setting.h"

#include "tsm/core/text.h"

namespace tsm::aws {

std::optional<Setting> FindSetting(const Environment& environment, std::string_view variable,
                                   const Profile& profile, std::string_view key) {
  if (auto value = environment.Get(variable)) {
    return Setting{.value = std::move(*value), .origin = std::string(variable)};
  }
  return FindInProfile(profile, key);
}

std::optional<Setting> FindInProfile(const Profile& profile, std::string_view key) {
  auto value = profile.Get(key);
  if (!value) return std::nullopt;
  return Setting{.value = std::move(*value),
                 .origin = std::string(key) + " of profile '" + OneLine(profile.name, 100) + "'"};
}

Result<bool> ParseBool(const Setting& setting) {
  const std::string value = ToLowerAscii(TrimAscii(setting.value));
  if (value == "true") return true;
  if (value == "false") return false;
  return BadSetting(setting, "true or false");
}

Result<bool> BoolOr(const std::optional<Setting>& setting, bool fallback) {
  if (!setting) return fallback;
  return ParseBool(*setting);
}

Result<int> IntOr(const std::optional<Setting>& setting, int fallback, int least, int most) {
  if (!setting) return fallback;
  const auto number = ParseInt64(TrimAscii(setting->value));
  if (number && *number >= least && *number <= most) return static_cast<int>(*number);
  return BadSetting(*setting,
                    "a whole number of " + std::to_string(least) + " to " + std::to_string(most));
}

Error BadSetting(const Setting& setting, std::string_view expected) {
  return MakeError(ErrorKind::kConfiguration, setting.origin + ": '" + OneLine(setting.value, 60) +
                                                  "' is not valid; expected " +
                                                  std::string(expected));
}

}  // namespace tsm::aws
