// What STS's two calls for a role's credentials share: the form that asks, the XML that answers and
// what a refusal means. Pure. The answer holds secrets: no error quotes it.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_Credentials.html
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tsm/aws/client.h"
#include "tsm/aws/credentials.h"
#include "tsm/aws/endpoints.h"
#include "tsm/core/result.h"

namespace tsm::aws {

using FormFields = std::vector<std::pair<std::string_view, std::string>>;

// POST of the form; called "<action> <role_arn>" in messages. The fields are not yet encoded.
Operation MakeStsOperation(std::string_view action, const std::string& role_arn,
                           const FormFields& fields, const Endpoint& endpoint,
                           const std::string& region);

// The credentials with `source` as theirs and the account of the assumed role. kBadReply names the
// element that is missing or unusable.
Result<Credentials> ParseAssumedRole(std::string_view action, std::string_view body,
                                     const std::string& source);

// The error as CredentialSource promises it: a refusal of a value is kConfiguration, any other that
// is neither passing nor about expired credentials is kCredentials.
Error AsSourceError(Error error);

}  // namespace tsm::aws
