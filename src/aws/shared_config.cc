#include "tsm/aws/shared_config.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "tsm/core/text.h"

namespace tsm::aws {

namespace {

struct Section {
  Settings settings;
  std::map<std::string, Settings, std::less<>> blocks;
};
using RawSections = std::map<std::string, Section, std::less<>>;  // by the text in the brackets

// What belongs to a pair of keys and is worthless, or somebody else's, beside another pair.
constexpr std::array<std::string_view, 5> kKeySettings = {
    "aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_security_token",
    "aws_account_id"};

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
    const auto indent = static_cast<std::size_t>(text.data() - line.data());
    // Deeper than the setting it follows, not merely indented: whole files are.
    if (!name_.empty() && indent > indent_) return ReadContinuation(text);
    indent_ = indent;
    if (text.front() == '[') return ReadHeading(text);
    return ReadSetting(text);
  }

  RawSections Take() { return std::move(sections_); }

 private:
  std::string ReadHeading(std::string_view text) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return "a section's ']' is missing";
    section_ = &sections_[std::string(TrimAscii(text.substr(1, close - 1)))];
    name_.clear();
    return "";
  }

  std::string ReadSetting(std::string_view text) {
    // ':' as botocore's parser has it.
    const std::size_t sign = text.find_first_of("=:");
    if (sign == std::string_view::npos) return "neither a [section] nor 'name = value'";
    if (section_ == nullptr) return "a setting stands before the first [section]";
    std::string name = ToLowerAscii(TrimAscii(text.substr(0, sign)));
    if (name.empty()) return "a setting has no name";
    section_->blocks.erase(name);
    section_->settings[name] = WithoutComment(TrimAscii(text.substr(sign + 1)));
    name_ = std::move(name);
    return "";
  }

  std::string ReadContinuation(std::string_view text) {
    std::string& value = section_->settings[name_];
    if (!value.empty()) {
      value += "\n" + std::string(WithoutComment(text));
      return "";
    }
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0) {
      return "an indented line below an empty setting is not 'name = value'";
    }
    section_->blocks[name_][std::string(TrimAscii(text.substr(0, equals)))] =
        WithoutComment(TrimAscii(text.substr(equals + 1)));
    return "";
  }

  RawSections sections_;
  Section* section_ = nullptr;
  std::string name_;  // of the setting that deeper lines continue, "" where none
  std::size_t indent_ = 0;
};

Result<std::string> ReadWhole(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file && (errno == ENOENT || errno == ENOTDIR)) return std::string();
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
  return all;
}

Result<RawSections> ReadSections(const std::string& path) {
  const Result<std::string> all = ReadWhole(path);
  if (!all) return all.error();
  std::string_view text = *all;
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  IniReader reader;
  std::size_t number = 0;
  for (const std::string_view line : Split(text, '\n')) {
    ++number;
    const std::string wrong = reader.Read(line);
    if (!wrong.empty()) {
      return MakeError(ErrorKind::kConfiguration,
                       path + ", line " + std::to_string(number) + ": " + wrong);
    }
  }
  return reader.Take();
}

// "profile dev" and "profile 'my dev'" with the word "profile" -> "dev", "my dev"; else "".
std::string NameInHeading(std::string_view heading, std::string_view word) {
  if (!heading.starts_with(word) || heading.size() == word.size()) return {};
  const char blank = heading[word.size()];
  if (blank != ' ' && blank != '\t') return {};
  std::string_view name = TrimAscii(heading.substr(word.size()));
  const bool quoted = name.size() >= 2 && name.front() == name.back() &&
                      (name.front() == '"' || name.front() == '\'');
  if (quoted) name = name.substr(1, name.size() - 2);
  return std::string(name);
}

// What `from` has goes over what `into` has, setting by setting and block by block.
void Overlay(const Section& from, Profile& into) {
  into.found = true;
  for (const auto& [key, value] : from.settings) {
    into.settings[key] = value;
    into.blocks.erase(key);
  }
  for (const auto& [key, block] : from.blocks) into.blocks[key] = block;
}

bool HasKeys(const Settings& settings) {
  for (const std::string_view key : {"aws_access_key_id", "aws_secret_access_key"}) {
    const auto at = settings.find(key);
    if (at != settings.end() && !at->second.empty()) return true;
  }
  return false;
}

void OverlayCredentials(Section from, const SharedFiles& files, Profile& into) {
  const bool here = HasKeys(from.settings);
  if (here) into.key_file = files.credentials_path;
  // A key pair is taken whole from one file: half of another one would sign wrongly.
  if (here || !into.key_file.empty()) {
    Settings& without = here ? into.settings : from.settings;
    for (const std::string_view key : kKeySettings) without.erase(std::string(key));
  }
  Overlay(from, into);
}

std::string Shown(std::string_view name) { return "'" + OneLine(name, 100) + "'"; }

}  // namespace

std::optional<std::string> Profile::Get(std::string_view key) const {
  const auto setting = settings.find(key);
  if (setting == settings.end() || setting->second.empty()) return std::nullopt;
  return setting->second;
}

std::optional<std::string> Profile::GetInBlock(std::string_view block, std::string_view key) const {
  const auto at = blocks.find(block);
  if (at == blocks.end()) return std::nullopt;
  const auto setting = at->second.find(key);
  if (setting == at->second.end() || setting->second.empty()) return std::nullopt;
  return setting->second;
}

std::string ExpandHome(std::string path, const Environment& environment) {
  if (!path.starts_with("~/")) return path;
  const auto home = environment.Get("HOME");
  return home ? *home + path.substr(1) : path;  // no home: no such file, and messages name it
}

SharedFiles LocateSharedFiles(const Environment& environment) {
  return {ExpandHome(environment.Get("AWS_CONFIG_FILE").value_or("~/.aws/config"), environment),
          ExpandHome(environment.Get("AWS_SHARED_CREDENTIALS_FILE").value_or("~/.aws/credentials"),
                     environment)};
}

Result<SharedConfig> SharedConfig::Load(const Environment& environment) {
  SharedConfig loaded;
  loaded.files_ = LocateSharedFiles(environment);
  Result<RawSections> config = ReadSections(loaded.files_.config_path);
  if (!config) return config.error().With("reading the AWS config file");
  Result<RawSections> credentials = ReadSections(loaded.files_.credentials_path);
  if (!credentials) return credentials.error().With("reading the AWS credentials file");

  const auto open = [](Sections& sections, const std::string& name) -> Profile& {
    Profile& section = sections[name];
    section.name = name;
    return section;
  };
  for (const auto& [heading, section] : *config) {
    if (const auto name = NameInHeading(heading, "profile"); !name.empty()) {
      Overlay(section, open(loaded.profiles_, name));
    } else if (const auto session = NameInHeading(heading, "sso-session"); !session.empty()) {
      Overlay(section, open(loaded.sso_sessions_, session));
    } else if (const auto services = NameInHeading(heading, "services"); !services.empty()) {
      Overlay(section, open(loaded.services_, services));
    }
  }
  // [profile default] goes before [default].
  const auto plain = config->find("default");
  if (plain != config->end() && !loaded.profiles_.contains("default")) {
    Overlay(plain->second, open(loaded.profiles_, "default"));
  }
  for (auto& [name, profile] : loaded.profiles_) {
    if (HasKeys(profile.settings)) profile.key_file = loaded.files_.config_path;
  }
  for (auto& [name, section] : *credentials) {
    OverlayCredentials(std::move(section), loaded.files_, open(loaded.profiles_, name));
  }
  return loaded;
}

namespace {

Profile FindIn(const std::map<std::string, Profile, std::less<>>& sections, std::string_view name) {
  const auto at = sections.find(name);
  if (at != sections.end()) return at->second;
  Profile none;
  none.name = name;
  return none;
}

}  // namespace

Profile SharedConfig::FindProfile(std::string_view name) const { return FindIn(profiles_, name); }

Profile SharedConfig::FindSsoSession(std::string_view name) const {
  return FindIn(sso_sessions_, name);
}

Profile SharedConfig::FindServices(std::string_view name) const { return FindIn(services_, name); }

Result<Profile> SharedConfig::ChooseProfile(const Environment& environment,
                                            std::string_view explicit_name) const {
  std::string name(explicit_name);
  std::string_view origin = "as asked for";
  for (const std::string_view variable : {"AWS_PROFILE", "AWS_DEFAULT_PROFILE"}) {
    if (!name.empty()) break;
    name = environment.Get(variable).value_or("");
    origin = variable;
  }
  const bool asked_for = !name.empty();
  Profile profile = FindProfile(asked_for ? name : "default");
  if (profile.found || !asked_for) return profile;
  const bool by_variable = explicit_name.empty();
  return MakeError(ErrorKind::kConfiguration,
                   "profile " + Shown(name) + " (" + (by_variable ? "from " : "") +
                       std::string(origin) + ") is in neither " + files_.config_path + " nor " +
                       files_.credentials_path);
}

}  // namespace tsm::aws
