#include "tsm/aws/credentials/plan.h"

#include <algorithm>
#include <utility>

#include "plan_parts.h"
#include "tsm/aws/setting.h"
#include "tsm/core/text.h"

namespace tsm::aws {

namespace {

using MaybePlan = Result<std::optional<CredentialsPlan>>;
using LookedAt = std::vector<std::string>;

// Walks the chain in its order. What a step passed over stands in the list it is given.
class Planner {
 public:
  Planner(const Environment& environment, const SharedConfig& config, const Profile& chosen,
          bool profile_was_given)
      : environment_(environment),
        config_(config),
        chosen_(chosen),
        with_variables_(!profile_was_given) {}

  Result<CredentialsPlan> Plan();

 private:
  MaybePlan ByEnvironment(LookedAt& looked_at);
  MaybePlan ByRole(const Profile& profile, LookedAt& looked_at);
  MaybePlan ByProfile(const Profile& profile, bool with_variables, LookedAt& looked_at);
  MaybePlan ByContainer(LookedAt& looked_at);
  MaybePlan ByInstance(LookedAt& looked_at);

  Result<AssumeRole> RoleOf(const Profile& profile, LookedAt visited);
  Result<CredentialsPlan> BaseBySource(const Setting& named);
  Result<CredentialsPlan> BaseByProfile(const Profile& profile, const Setting& source,
                                        LookedAt visited);

  // The source's plan; or, where the source is not configured, a line about it and nothing.
  template <typename Source>
  static std::optional<CredentialsPlan> Take(std::optional<Source> source, std::string why_not,
                                             LookedAt& looked_at) {
    if (source) return CredentialsPlan{.source = std::move(*source), .looked_at = looked_at};
    looked_at.push_back(std::move(why_not));
    return std::nullopt;
  }
  template <typename Source>
  static MaybePlan Take(Result<std::optional<Source>> source, std::string why_not,
                        LookedAt& looked_at) {
    if (!source) return std::move(source).error();
    return Take(std::move(*source), std::move(why_not), looked_at);
  }

  const Environment& environment_;
  const SharedConfig& config_;
  const Profile& chosen_;
  bool with_variables_;
};

// A profile for whom web identity is set up is not one that assumes a role with keys.
bool HasRole(const Profile& profile) {
  return profile.Get("role_arn") && !profile.Get("web_identity_token_file");
}

bool HasKeys(const Profile& profile) {
  return profile.Get("aws_access_key_id") || profile.Get("aws_secret_access_key");
}

std::string Missing(const Profile& profile, std::string_view key) {
  return Shown(profile) + " has no " + std::string(key);
}

Result<CredentialsPlan> Planner::Plan() {
  LookedAt looked_at;
  MaybePlan plan = ByEnvironment(looked_at);
  if (plan && !*plan) plan = ByRole(chosen_, looked_at);
  if (plan && !*plan) plan = ByProfile(chosen_, with_variables_, looked_at);
  if (plan && !*plan) plan = ByContainer(looked_at);
  if (plan && !*plan) plan = ByInstance(looked_at);
  if (!plan) return std::move(plan).error();
  if (*plan) return std::move(**plan);
  return MakeError(ErrorKind::kCredentials, "no credentials found (" + Join(looked_at, "; ") + ")");
}

MaybePlan Planner::ByEnvironment(LookedAt& looked_at) {
  if (!with_variables_) {
    looked_at.emplace_back("environment: not read, a profile was given");
    return std::optional<CredentialsPlan>();
  }
  return Take(EnvironmentKeys(environment_), "environment: AWS_ACCESS_KEY_ID is not set",
              looked_at);
}

MaybePlan Planner::ByRole(const Profile& profile, LookedAt& looked_at) {
  if (!HasRole(profile)) {
    // One line for a profile that does not exist stands in ByProfile.
    if (profile.found) {
      looked_at.push_back("assume role: " +
                          (profile.Get("role_arn")
                               ? Shown(profile) + " has web_identity_token_file, which goes first"
                               : Missing(profile, "role_arn")));
    }
    return std::optional<CredentialsPlan>();
  }
  auto role = RoleOf(profile, {profile.name});
  if (!role) return std::move(role).error();
  return Take(std::optional(std::move(*role)), "", looked_at);
}

MaybePlan Planner::ByProfile(const Profile& profile, bool with_variables, LookedAt& looked_at) {
  const SharedFiles& files = config_.files();
  const std::string no_variable =
      with_variables ? "AWS_WEB_IDENTITY_TOKEN_FILE is not set" : "variables not read";
  if (!profile.found) {
    looked_at.push_back(Shown(profile) + ": in neither " + files.config_path + " nor " +
                        files.credentials_path);
    return Take(WebIdentityOf(environment_, profile, with_variables),
                "web identity: " + no_variable, looked_at);
  }
  MaybePlan plan =
      Take(WebIdentityOf(environment_, profile, with_variables),
           "web identity: " + no_variable + ", " + Missing(profile, "web_identity_token_file"),
           looked_at);
  if (!plan || *plan) return plan;
  plan = Take(SsoOf(environment_, config_, profile),
              "SSO: " + Missing(profile, "sso_account_id") + " and sso_role_name", looked_at);
  if (!plan || *plan) return plan;

  const bool keys_are_shared = profile.key_file == files.credentials_path;
  const std::string no_keys = ": no aws_access_key_id of " + Shown(profile) + " in ";
  if (!keys_are_shared) {
    looked_at.push_back("shared credentials" + no_keys + files.credentials_path);
  } else {
    plan = Take(ProfileKeys(profile), "shared credentials" + no_keys + files.credentials_path,
                looked_at);
    if (!plan || *plan) return plan;
  }
  plan = Take(LoginOf(environment_, profile), "aws login: " + Missing(profile, "login_session"),
              looked_at);
  if (*plan) return plan;
  plan = Take(ProcessOf(profile), "process: " + Missing(profile, "credential_process"), looked_at);
  if (*plan) return plan;
  return Take(ProfileKeys(profile), "config file" + no_keys + files.config_path, looked_at);
}

MaybePlan Planner::ByContainer(LookedAt& looked_at) {
  return Take(ContainerOf(environment_),
              "container: neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor "
              "AWS_CONTAINER_CREDENTIALS_FULL_URI is set",
              looked_at);
}

MaybePlan Planner::ByInstance(LookedAt& looked_at) {
  return Take(InstanceOf(environment_, chosen_),
              "instance metadata: AWS_EC2_METADATA_DISABLED is true", looked_at);
}

Result<AssumeRole> Planner::RoleOf(const Profile& profile, LookedAt visited) {
  const std::string of_profile = " of " + Shown(profile);
  const auto source = FindInProfile(profile, "source_profile");
  const auto named = FindInProfile(profile, "credential_source");
  if (source && named) {
    return MakeError(
        ErrorKind::kConfiguration,
        Shown(profile) + " has both source_profile and credential_source; a role has one of them");
  }
  if (!source && !named) {
    return MakeError(ErrorKind::kConfiguration,
                     Shown(profile) +
                         " has role_arn, but neither source_profile nor credential_source, which "
                         "say whose credentials assume it");
  }
  AssumeRole role;
  role.profile = profile.name;
  auto arn = CheckedRoleArn(profile.Get("role_arn").value_or(""), "role_arn" + of_profile);
  if (!arn) return std::move(arn).error();
  role.role_arn = std::move(*arn);
  if (const auto name = FindInProfile(profile, "role_session_name")) {
    auto checked = CheckedSessionName(name->value, name->origin);
    if (!checked) return std::move(checked).error();
    role.session_name = std::move(*checked);
  }
  role.external_id = profile.Get("external_id").value_or("");
  role.mfa_serial = profile.Get("mfa_serial").value_or("");
  // https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
  const auto duration = IntOr(FindInProfile(profile, "duration_seconds"), 3600, 900, 43'200);
  if (!duration) return duration.error();
  role.duration = std::chrono::seconds(*duration);

  auto base = named ? BaseBySource(*named) : BaseByProfile(profile, *source, std::move(visited));
  if (!base) return std::move(base).error();
  role.base = std::make_shared<const CredentialsPlan>(std::move(*base));
  return role;
}

Result<CredentialsPlan> Planner::BaseBySource(const Setting& named) {
  LookedAt looked_at;
  MaybePlan plan = std::optional<CredentialsPlan>();
  if (named.value == "Environment") {
    plan = Take(EnvironmentKeys(environment_), "AWS_ACCESS_KEY_ID is not set", looked_at);
  } else if (named.value == "EcsContainer") {
    plan = ByContainer(looked_at);
  } else if (named.value == "Ec2InstanceMetadata") {
    plan = ByInstance(looked_at);
  } else {
    return BadSetting(named, "Environment, EcsContainer or Ec2InstanceMetadata");
  }
  if (!plan) return std::move(plan).error().With(named.origin);
  if (*plan) return std::move(**plan);
  return MakeError(ErrorKind::kCredentials, named.origin + " is " + named.value +
                                                ", which gives no credentials (" +
                                                Join(looked_at, "; ") + ")");
}

Result<CredentialsPlan> Planner::BaseByProfile(const Profile& profile, const Setting& source,
                                               LookedAt visited) {
  const Profile base = config_.FindProfile(source.value);
  if (!base.found) {
    return MakeError(ErrorKind::kConfiguration,
                     source.origin + ": " + Shown(base) + " is in neither " +
                         config_.files().config_path + " nor " + config_.files().credentials_path);
  }
  const bool itself = base.name == profile.name;
  const bool again = std::find(visited.begin(), visited.end(), base.name) != visited.end();
  visited.push_back(base.name);
  // A profile may hold both the role and the keys that assume it, and name itself.
  if (again && !(itself && HasKeys(base))) {
    LookedAt names;
    for (const std::string& name : visited) names.push_back(OneLine(name, 100));
    return MakeError(
        ErrorKind::kConfiguration,
        source.origin + ": the profiles' roles go round in a circle: " + Join(names, " -> "));
  }
  if (HasRole(base) && !HasKeys(base)) {
    auto role = RoleOf(base, std::move(visited));
    if (!role) return std::move(role).error();
    return CredentialsPlan{.source = std::move(*role), .looked_at = {}};
  }
  LookedAt looked_at;
  MaybePlan plan = ByProfile(base, false, looked_at);
  if (!plan) return std::move(plan).error().With(source.origin);
  if (*plan) return std::move(**plan);
  return MakeError(
      ErrorKind::kCredentials,
      source.origin + ": " + Shown(base) + " has no credentials (" + Join(looked_at, "; ") + ")");
}

template <typename... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <typename... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;  // clang 14 does not find it by itself

// "http://169.254.170.2/v2/…" -> "http://169.254.170.2": in ECS the path is what opens the door.
std::string WithoutPath(const std::string& url) {
  const std::size_t mark = url.find("://");
  if (mark == std::string::npos) return url;
  return url.substr(0, url.find_first_of("/?", mark + 3));
}

}  // namespace

Result<CredentialsPlan> PlanCredentials(const Environment& environment, const SharedConfig& config,
                                        const Profile& profile, bool profile_was_given) {
  return Planner(environment, config, profile, profile_was_given).Plan();
}

std::string Describe(const CredentialsPlan& plan) {
  const auto of = [](const std::string& profile) { return "profile " + OneLine(profile, 100); };
  return std::visit(
      Overloaded{
          [](const StaticKeys& keys) { return keys.credentials.source; },
          [](const AssumeRole& role) {
            return "role " + role.role_arn + (role.base ? " by " + Describe(*role.base) : "");
          },
          [](const WebIdentity& web) {
            return "role " + web.role_arn + " by the web identity token of " + web.origin;
          },
          [&](const Sso& sso) {
            return "SSO role " + OneLine(sso.role_name, 100) + " in account " +
                   OneLine(sso.account_id, 20) + " (" + of(sso.profile) + ")";
          },
          [&](const LoginSession& login) { return "aws login of " + of(login.profile); },
          [&](const Process& process) { return "credential_process of " + of(process.profile); },
          [](const Container& container) {
            return "container credentials from " + WithoutPath(container.url);
          },
          [](const Instance& instance) {
            return "instance metadata service at " + instance.endpoint;
          }},
      plan.source);
}

}  // namespace tsm::aws
