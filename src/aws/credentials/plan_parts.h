// The parts of the plan that settings of one place decide: keys, SSO, the container, the instance.
// Pure functions; nothing where the place is not configured, an error where it can't work.
#pragma once

#include <optional>
#include <string>

#include "tsm/aws/credentials/plan.h"
#include "tsm/aws/environment.h"
#include "tsm/aws/shared_config.h"
#include "tsm/core/result.h"

namespace tsm::aws {

// AWS_ACCESS_KEY_ID and its companions.
Result<std::optional<StaticKeys>> EnvironmentKeys(const Environment& environment);

// aws_access_key_id and its companions, from whichever file has them.
Result<std::optional<StaticKeys>> ProfileKeys(const Profile& profile);

// role_arn with web_identity_token_file; the variables, where they may be read, go first.
Result<std::optional<WebIdentity>> WebIdentityOf(const Environment& environment,
                                                 const Profile& profile, bool with_variables);

Result<std::optional<Sso>> SsoOf(const Environment& environment, const SharedConfig& config,
                                 const Profile& profile);

std::optional<LoginSession> LoginOf(const Environment& environment, const Profile& profile);

std::optional<Process> ProcessOf(const Profile& profile);

Result<std::optional<Container>> ContainerOf(const Environment& environment);

// Nothing where AWS_EC2_METADATA_DISABLED is true.
Result<std::optional<Instance>> InstanceOf(const Environment& environment, const Profile& profile);

// "profile 'dev'".
std::string Shown(const Profile& profile);

// `name` for STS's RoleSessionName, or kConfiguration with `origin`.
Result<std::string> CheckedSessionName(const std::string& name, const std::string& origin);
Result<std::string> CheckedRoleArn(const std::string& arn, const std::string& origin);

}  // namespace tsm::aws
