// ~/.aws/config and ~/.aws/credentials, read once.
// https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "tsm/aws/environment.h"
#include "tsm/core/result.h"

namespace tsm::aws {

// The settings of one profile, both files merged: where both name a key, the credentials file wins.
struct Profile {
  std::string name;
  std::map<std::string, std::string, std::less<>> settings;
  bool found = false;    // false: neither file has such a section
  std::string key_file;  // the file that names aws_access_key_id, "" where neither does

  std::optional<std::string> Get(std::string_view key) const;
};

struct SharedFiles {
  std::string config_path;       // AWS_CONFIG_FILE or ~/.aws/config
  std::string credentials_path;  // AWS_SHARED_CREDENTIALS_FILE or ~/.aws/credentials
};
SharedFiles LocateSharedFiles(const Environment& environment);

// `explicit_name` ("" where not given), else AWS_PROFILE, else "default". A file that is absent is
// empty; one that can't be read or parsed is kConfiguration with its path and line. A profile that
// was asked for by name and is in neither file is kConfiguration.
Result<Profile> LoadProfile(const Environment& environment, std::string_view explicit_name);

}  // namespace tsm::aws
