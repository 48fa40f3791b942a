// One value that the operator set and where it stands, for the settings that have both a variable
// and a key in the profile. Pure functions; each error names the place and what is allowed.
// https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tsm/aws/environment.h"
#include "tsm/aws/shared_config.h"
#include "tsm/core/result.h"

namespace tsm::aws {

struct Setting {
  std::string value;
  std::string origin;  // "AWS_RETRY_MODE", "retry_mode of profile 'dev'"
};

// The variable, else the profile's key; nothing where both are absent or empty.
std::optional<Setting> FindSetting(const Environment& environment, std::string_view variable,
                                   const Profile& profile, std::string_view key);

// The profile's key alone.
std::optional<Setting> FindInProfile(const Profile& profile, std::string_view key);

// "true" or "false" in any case; kConfiguration for anything else.
Result<bool> ParseBool(const Setting& setting);
// `fallback` where the setting is absent.
Result<bool> BoolOr(const std::optional<Setting>& setting, bool fallback);

// A whole number of `least` to `most`; kConfiguration for anything else.
Result<int> IntOr(const std::optional<Setting>& setting, int fallback, int least, int most);

// kConfiguration: "AWS_RETRY_MODE: 'fast' is not valid; expected standard or adaptive".
Error BadSetting(const Setting& setting, std::string_view expected);

}  // namespace tsm::aws
