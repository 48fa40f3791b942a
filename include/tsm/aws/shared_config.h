// ~/.aws/config and ~/.aws/credentials, read once: profiles, sso-sessions and services sections.
// https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "tsm/aws/environment.h"
#include "tsm/core/result.h"

namespace tsm::aws {

using Settings = std::map<std::string, std::string, std::less<>>;

// One section. Where both files have the profile, their settings are merged and the credentials
// file wins; a key pair is taken whole from one file.
struct Profile {
  std::string name;
  Settings settings;
  // Blocks of indented lines below an empty setting: "s3" -> {"addressing_style": "path"}; in a
  // [services x] section "timestream_write" -> {"endpoint_url": "http://…"}.
  std::map<std::string, Settings, std::less<>> blocks;
  bool found = false;    // false: neither file has such a section
  std::string key_file;  // the file whose key pair (or half of one) this is, "" where none

  // Nothing where absent or empty.
  std::optional<std::string> Get(std::string_view key) const;
  std::optional<std::string> GetInBlock(std::string_view block, std::string_view key) const;
};

struct SharedFiles {
  std::string config_path;       // AWS_CONFIG_FILE or ~/.aws/config
  std::string credentials_path;  // AWS_SHARED_CREDENTIALS_FILE or ~/.aws/credentials
};
SharedFiles LocateSharedFiles(const Environment& environment);

// "~/x" -> "$HOME/x"; anything else, and where HOME is not set, as it is.
std::string ExpandHome(std::string path, const Environment& environment);

// Both files' sections. A value; no file is read after Load.
class SharedConfig {
 public:
  SharedConfig() = default;

  // A file that is absent is empty; one that can't be read or parsed is kConfiguration with its
  // path and line (never what the line holds).
  static Result<SharedConfig> Load(const Environment& environment);

  // Sections by name; `found` is false where there is none ([profile x] and [x], [sso-session x],
  // [services x]).
  Profile FindProfile(std::string_view name) const;
  Profile FindSsoSession(std::string_view name) const;
  Profile FindServices(std::string_view name) const;

  // `explicit_name` ("" where not given), else AWS_PROFILE, AWS_DEFAULT_PROFILE, "default". A
  // profile that was asked for by name and is in neither file is kConfiguration.
  Result<Profile> ChooseProfile(const Environment& environment,
                                std::string_view explicit_name) const;

  const SharedFiles& files() const { return files_; }

 private:
  using Sections = std::map<std::string, Profile, std::less<>>;
  SharedFiles files_;
  Sections profiles_;
  Sections sso_sessions_;
  Sections services_;
};

}  // namespace tsm::aws
