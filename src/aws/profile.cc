#include "tsm/aws/profile.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "tsm/core/text.h"

namespace tsm::aws {

namespace {

using Settings = std::map<std::string, std::string, std::less<>>;
using Sections = std::map<std::string, Settings, std::less<>>;  // by the text between the brackets

constexpr std::array<std::string_view, 3> kKeySettings = {
    "aws_access_key_id", "aws_secret_access_key", "aws_session_token"};

bool StartsComment(std::string_view text) { return text.starts_with('#') || text.starts_with(';'); }

// A comment behind a value needs a blank before it: keys and URLs may hold '#'.
std::string_view WithoutComment(std::string_view value) {
  for (std::size_t i = 1; i < value.size(); ++i) {
    const bool after_blank = value[i - 1] == ' ' || value[i - 1] == '\t';
    if (after_blank && StartsComment(value.substr(i))) return TrimAscii(value.substr(0, i));
  }
  return StartsComment(value) ? std::string_view() : value;
}

// Reads the lines of one file into sections; says what is wrong with a line, never what it holds.
class IniReader {
 public:
  // "" or what is wrong with the line.
  std::string Read(std::string_view line) {
    const std::string_view text = TrimAscii(line);
    if (text.empty() || StartsComment(text)) return "";
    const bool indented = line.front() == ' ' || line.front() == '\t';
    if (indented && value_ != nullptr) {
      // Below an empty value stands a nested block (s3 =, services), which no setting here needs.
      if (!value_->empty()) *value_ += "\n" + std::string(WithoutComment(text));
      return "";
    }
    if (text.front() == '[') return ReadHeading(text);
    return ReadSetting(text);
  }

  Sections Take() { return std::move(sections_); }

 private:
  std::string ReadHeading(std::string_view text) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return "a section's ']' is missing";
    section_ = &sections_[std::string(TrimAscii(text.substr(1, close - 1)))];
    value_ = nullptr;
    return "";
  }

  std::string ReadSetting(std::string_view text) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) return "neither a [section] nor 'name = value'";
    if (section_ == nullptr) return "a setting stands before the first [section]";
    const std::string name = ToLowerAscii(TrimAscii(text.substr(0, equals)));
    if (name.empty()) return "a setting has no name";
    value_ = &((*section_)[name] = WithoutComment(TrimAscii(text.substr(equals + 1))));
    return "";
  }

  Sections sections_;
  Settings* section_ = nullptr;
  std::string* value_ = nullptr;
};

Result<Sections> ReadSections(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file && (errno == ENOENT || errno == ENOTDIR)) return Sections();
  std::string all;
  std::array<char, 4096> bytes{};
  while (file) {
    file.read(bytes.data(), bytes.size());
    all.append(bytes.data(), static_cast<std::size_t>(file.gcount()));
  }
  // Only the end of the file may have ended the reading: a folder opens, but can't be read.
  if (!file.eof() || file.bad()) {
    return MakeError(ErrorKind::kConfiguration,
                     path + " can't be read: " + std::strerror(errno != 0 ? errno : EIO));
  }
  std::string_view text = all;
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  IniReader reader;
  std::size_t number = 0;
  for (const std::string_view line : Split(text, '\n')) {
    ++number;
    const std::string wrong = line.empty() ? "" : reader.Read(line);
    if (!wrong.empty()) {
      return MakeError(ErrorKind::kConfiguration,
                       path + ", line " + std::to_string(number) + ": " + wrong);
    }
  }
  return reader.Take();
}

// "profile dev" and "profile 'my dev'" -> "dev", "my dev"; other sections of ~/.aws/config -> "".
std::string ProfileOfHeading(std::string_view heading) {
  constexpr std::string_view kWord = "profile";
  if (!heading.starts_with(kWord) || heading.size() == kWord.size()) return {};
  const char blank = heading[kWord.size()];
  if (blank != ' ' && blank != '\t') return {};
  std::string_view name = TrimAscii(heading.substr(kWord.size()));
  const bool quoted = name.size() >= 2 && name.front() == name.back() &&
                      (name.front() == '"' || name.front() == '\'');
  if (quoted) name = name.substr(1, name.size() - 2);
  return std::string(name);
}

// The settings of `name` in ~/.aws/config, or nothing. [profile default] goes before [default].
std::optional<Settings> InConfig(const Sections& sections, std::string_view name) {
  std::optional<Settings> settings;
  for (const auto& [heading, values] : sections) {
    if (ProfileOfHeading(heading) != name) continue;
    if (!settings) settings.emplace();
    for (const auto& [key, value] : values) (*settings)[key] = value;
  }
  if (settings || name != "default") return settings;
  const auto found = sections.find("default");
  if (found != sections.end()) settings = found->second;
  return settings;
}

std::string ExpandHome(std::string path, const Environment& environment) {
  if (!path.starts_with("~/")) return path;
  const auto home = environment.Get("HOME");
  return home ? *home + path.substr(1) : path;  // no home: no such file, and messages name it
}

}  // namespace

std::optional<std::string> Profile::Get(std::string_view key) const {
  const auto setting = settings.find(key);
  if (setting == settings.end() || setting->second.empty()) return std::nullopt;
  return setting->second;
}

SharedFiles LocateSharedFiles(const Environment& environment) {
  return {ExpandHome(environment.Get("AWS_CONFIG_FILE").value_or("~/.aws/config"), environment),
          ExpandHome(environment.Get("AWS_SHARED_CREDENTIALS_FILE").value_or("~/.aws/credentials"),
                     environment)};
}

Result<Profile> LoadProfile(const Environment& environment, std::string_view explicit_name) {
  const auto from_environment = environment.Get("AWS_PROFILE");
  const bool asked_for = !explicit_name.empty() || from_environment.has_value();
  Profile profile;
  profile.name =
      explicit_name.empty() ? from_environment.value_or("default") : std::string(explicit_name);
  const SharedFiles files = LocateSharedFiles(environment);
  const Result<Sections> config = ReadSections(files.config_path);
  if (!config) return config.error().With("reading the AWS config file");
  const Result<Sections> credentials = ReadSections(files.credentials_path);
  if (!credentials) return credentials.error().With("reading the AWS credentials file");

  if (auto settings = InConfig(*config, profile.name)) {
    profile.found = true;
    profile.settings = std::move(*settings);
    if (profile.Get("aws_access_key_id")) profile.key_file = files.config_path;
  }
  if (const auto section = credentials->find(profile.name); section != credentials->end()) {
    profile.found = true;
    // A key pair is taken whole from one file: half of another one would sign wrongly.
    if (section->second.contains("aws_access_key_id")) {
      for (const std::string_view key : kKeySettings) profile.settings.erase(std::string(key));
      profile.key_file = files.credentials_path;
    }
    for (const auto& [key, value] : section->second) profile.settings[key] = value;
  }
  if (!profile.found && asked_for) {
    return MakeError(ErrorKind::kConfiguration,
                     "profile '" + OneLine(profile.name, 100) + "' (" +
                         (explicit_name.empty() ? "from AWS_PROFILE" : "as asked for") +
                         ") is in neither " + files.config_path + " nor " + files.credentials_path);
  }
  return profile;
}

}  // namespace tsm::aws
