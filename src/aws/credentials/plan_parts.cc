#include "plan_parts.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "credentials_json.h"
#include "tsm/aws/endpoints.h"
#include "tsm/aws/setting.h"
#include "tsm/core/text.h"

namespace tsm::aws {

namespace {

Result<std::optional<StaticKeys>> Checked(Credentials credentials) {
  const std::string blanks = BlanksIn(credentials);
  if (!blanks.empty()) {
    return MakeError(ErrorKind::kCredentials, credentials.source + ": the " + blanks +
                                                  " holds blanks or line ends, which no key has");
  }
  return std::optional(StaticKeys{std::move(credentials)});
}

Error HalfAPair(const std::string& place, std::string_view present, std::string_view missing) {
  return MakeError(ErrorKind::kCredentials, place + ": " + std::string(present) + " is set, " +
                                                std::string(missing) + " is not");
}

}  // namespace

std::string Shown(const Profile& profile) { return "profile '" + OneLine(profile.name, 100) + "'"; }

Result<std::optional<StaticKeys>> EnvironmentKeys(const Environment& environment) {
  const auto key = environment.Get("AWS_ACCESS_KEY_ID");
  const auto secret = environment.Get("AWS_SECRET_ACCESS_KEY");
  if (!key && !secret) return std::optional<StaticKeys>();
  if (!secret) return HalfAPair("environment", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY");
  if (!key) return HalfAPair("environment", "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID");
  Credentials keys;
  keys.access_key_id = *key;
  keys.secret_access_key = *secret;
  const auto token = environment.Get("AWS_SESSION_TOKEN");
  keys.session_token = token ? *token : environment.Get("AWS_SECURITY_TOKEN").value_or("");
  keys.account_id = environment.Get("AWS_ACCOUNT_ID").value_or("");
  keys.source = "environment";
  if (const auto text = environment.Get("AWS_CREDENTIAL_EXPIRATION")) {
    keys.expiration = ParseExpiration(TrimAscii(*text));
    if (!keys.expiration) {
      return BadSetting({.value = *text, .origin = "AWS_CREDENTIAL_EXPIRATION"},
                        "a time like 2024-02-26T17:24:38Z");
    }
  }
  return Checked(std::move(keys));
}

Result<std::optional<StaticKeys>> ProfileKeys(const Profile& profile) {
  const auto key = profile.Get("aws_access_key_id");
  const auto secret = profile.Get("aws_secret_access_key");
  if (!key && !secret) return std::optional<StaticKeys>();
  const std::string place = Shown(profile) + " in " + profile.key_file;
  if (!secret) return HalfAPair(place, "aws_access_key_id", "aws_secret_access_key");
  if (!key) return HalfAPair(place, "aws_secret_access_key", "aws_access_key_id");
  Credentials keys;
  keys.access_key_id = *key;
  keys.secret_access_key = *secret;
  const auto token = profile.Get("aws_session_token");
  keys.session_token = token ? *token : profile.Get("aws_security_token").value_or("");
  keys.account_id = profile.Get("aws_account_id").value_or("");
  keys.source = "profile " + OneLine(profile.name, 100) + " in " + profile.key_file;
  return Checked(std::move(keys));
}

Result<std::string> CheckedSessionName(const std::string& name, const std::string& origin) {
  const bool good =
      name.size() >= 2 && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("_+=,.@-").find(c) != std::string_view::npos;
      });
  if (good) return name;
  return BadSetting({.value = name, .origin = origin}, "2 to 64 letters, digits or any of _+=,.@-");
}

Result<std::string> CheckedRoleArn(const std::string& arn, const std::string& origin) {
  const bool good = arn.starts_with("arn:") && arn.find(":role/") != std::string::npos &&
                    std::all_of(arn.begin(), arn.end(), [](char c) { return c > ' ' && c < 0x7F; });
  if (good) return arn;
  return BadSetting({.value = arn, .origin = origin}, "arn:aws:iam::123456789012:role/name");
}

Result<std::optional<WebIdentity>> WebIdentityOf(const Environment& environment,
                                                 const Profile& profile, bool with_variables) {
  const auto find = [&](std::string_view variable, std::string_view key) {
    return with_variables ? FindSetting(environment, variable, profile, key)
                          : FindInProfile(profile, key);
  };
  const auto file = find("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file");
  if (!file) return std::optional<WebIdentity>();
  const auto role = find("AWS_ROLE_ARN", "role_arn");
  if (!role) {
    return MakeError(ErrorKind::kConfiguration,
                     file->origin + " is set, but no role: " +
                         (with_variables ? "AWS_ROLE_ARN is not set and " : "") + Shown(profile) +
                         " has no role_arn");
  }
  const auto arn = CheckedRoleArn(role->value, role->origin);
  if (!arn) return arn.error();
  WebIdentity plan;
  plan.role_arn = *arn;
  plan.token_file = ExpandHome(file->value, environment);
  const bool by_variable = file->origin == "AWS_WEB_IDENTITY_TOKEN_FILE";
  plan.origin = by_variable ? file->origin : "profile " + OneLine(profile.name, 100);
  if (const auto name = find("AWS_ROLE_SESSION_NAME", "role_session_name")) {
    const auto checked = CheckedSessionName(name->value, name->origin);
    if (!checked) return checked.error();
    plan.session_name = *checked;
  }
  return std::optional(std::move(plan));
}

Result<std::optional<Sso>> SsoOf(const Environment& environment, const SharedConfig& config,
                                 const Profile& profile) {
  // A session alone is for services that take its token; these two ask for a role's keys.
  if (!profile.Get("sso_account_id") && !profile.Get("sso_role_name")) {
    return std::optional<Sso>();
  }
  Profile merged = profile;
  const auto session = FindInProfile(profile, "sso_session");
  if (session) {
    const Profile section = config.FindSsoSession(session->value);
    if (!section.found) {
      return MakeError(ErrorKind::kConfiguration,
                       session->origin + ": there is no section [sso-session " +
                           OneLine(session->value, 100) + "] in " + config.files().config_path);
    }
    for (const auto& [key, value] : section.settings) {
      const auto own = profile.Get(key);
      if (own && *own != value) {
        return MakeError(ErrorKind::kConfiguration,
                         Shown(profile) + " and [sso-session " + OneLine(session->value, 100) +
                             "] differ in " + key + "; leave it to the sso-session");
      }
      merged.settings[key] = value;
    }
  }
  std::vector<std::string> missing;
  for (const char* key : {"sso_account_id", "sso_role_name", "sso_start_url", "sso_region"}) {
    if (!merged.Get(key)) missing.emplace_back(key);
  }
  if (!missing.empty()) {
    return MakeError(
        ErrorKind::kConfiguration,
        Shown(profile) + " is set up for SSO, but lacks " + Join(missing, ", ") +
            (session ? " (it and [sso-session " + OneLine(session->value, 100) + "])" : ""));
  }
  Sso plan;
  plan.profile = profile.name;
  plan.session = session ? session->value : "";
  plan.start_url = *merged.Get("sso_start_url");
  plan.region = *merged.Get("sso_region");
  if (!IsRegionName(plan.region)) {
    return BadSetting({.value = plan.region, .origin = "sso_region of " + Shown(profile)},
                      "a name like us-east-1");
  }
  plan.account_id = *merged.Get("sso_account_id");
  plan.role_name = *merged.Get("sso_role_name");
  plan.cache_directory = ExpandHome("~/.aws/sso/cache", environment);
  return std::optional(std::move(plan));
}

std::optional<LoginSession> LoginOf(const Environment& environment, const Profile& profile) {
  const auto session = profile.Get("login_session");
  if (!session) return std::nullopt;
  return LoginSession{
      .profile = profile.name,
      .session = *session,
      .cache_directory =
          ExpandHome(environment.Get("AWS_LOGIN_CACHE_DIRECTORY").value_or("~/.aws/login/cache"),
                     environment)};
}

std::optional<Process> ProcessOf(const Profile& profile) {
  const auto command = profile.Get("credential_process");
  if (!command) return std::nullopt;
  return Process{.profile = profile.name,
                 .command = *command,
                 .account_id = profile.Get("aws_account_id").value_or("")};
}

}  // namespace tsm::aws
