// Which source of credentials an environment and its profiles choose: AWS's chain as a pure
// decision. First match wins, and a source that is configured but does not work is an error of the
// run, never a reason to act as somebody else.
// https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
//
// Order: environment (not with an explicit profile) · assume role · web identity · SSO · shared
// credentials file · aws login · credential_process · keys in the config file · container ·
// instance.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "tsm/aws/credentials.h"
#include "tsm/aws/environment.h"
#include "tsm/aws/shared_config.h"
#include "tsm/core/result.h"

namespace tsm::aws {

struct CredentialsPlan;

struct StaticKeys {
  Credentials credentials;  // `source` says from where
};

// https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html
struct AssumeRole {
  std::string profile;  // whose role_arn it is
  std::string role_arn;
  std::string session_name;  // "" : made up by the tool
  std::string external_id;   // "" : none
  std::string mfa_serial;    // "" : none
  std::chrono::seconds duration{3600};
  std::shared_ptr<const CredentialsPlan> base;  // who assumes it
};

struct WebIdentity {
  std::string role_arn;
  std::string session_name;  // "" : made up by the tool
  std::string token_file;
  std::string origin;  // "AWS_WEB_IDENTITY_TOKEN_FILE" or "profile dev"
};

// https://docs.aws.amazon.com/sdkref/latest/guide/feature-sso-credentials.html
struct Sso {
  std::string profile;
  std::string session;  // name of the [sso-session], "" for the legacy form
  std::string start_url;
  std::string region;  // of the portal
  std::string account_id;
  std::string role_name;
  std::string cache_directory;  // ~/.aws/sso/cache
};

// `aws login`.
struct LoginSession {
  std::string profile;
  std::string session;          // value of login_session: names the cache file
  std::string cache_directory;  // AWS_LOGIN_CACHE_DIRECTORY or ~/.aws/login/cache
};

// https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
struct Process {
  std::string profile;
  std::string command;
  std::string account_id = {};  // aws_account_id: for an answer that has no AccountId
};

// https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
struct Container {
  std::string url;         // whole; http only for the hosts that AWS allows
  std::string token;       // AWS_CONTAINER_AUTHORIZATION_TOKEN, "" where none
  std::string token_file;  // AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, goes before the token
};

// https://docs.aws.amazon.com/sdkref/latest/guide/feature-imds-credentials.html
struct Instance {
  std::string endpoint = "http://169.254.169.254";
  bool v1_disabled = false;
  std::chrono::milliseconds timeout{1000};
  int attempts = 1;
};

struct CredentialsPlan {
  std::variant<StaticKeys, AssumeRole, WebIdentity, Sso, LoginSession, Process, Container, Instance>
      source;
  // Each place looked at before this one and why it gave nothing: "environment: AWS_ACCESS_KEY_ID
  // is not set". Goes into the error where the last resort, the instance, gives nothing either.
  std::vector<std::string> looked_at;
};

// The plan of `profile`. `profile_was_given` (by flag, not by AWS_PROFILE) leaves the environment's
// keys and web identity out. kCredentials: half a pair of keys, or every source is switched off;
// kConfiguration: a role without source, two sources, a loop of source_profiles, a setting that is
// missing or no number, a container URL whose host is not allowed. Each names profile and setting.
// No clock is asked: an expiration in the past (AWS_CREDENTIAL_EXPIRATION) is for who uses the
// keys.
Result<CredentialsPlan> PlanCredentials(const Environment& environment, const SharedConfig& config,
                                        const Profile& profile, bool profile_was_given);

// For messages: "role arn:aws:iam::…:role/x by profile base in ~/.aws/credentials".
std::string Describe(const CredentialsPlan& plan);

}  // namespace tsm::aws
