// Keeps secrets out of what a service, or whatever stands before it, answered: an emulator or a
// proxy may repeat the request in its error. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tsm/core/error.h"

namespace tsm::aws {

// `error` with "***" in place of each of the secrets, as they are and percent-encoded, and of an
// encoded authorization message
// (https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html). From a
// secret's first characters on everything up to the next blank, quote or angle bracket goes: a
// message may be cut in the middle of it, or write it in a way of its own.
Error WithoutSecrets(Error error, const std::vector<std::string_view>& secrets);

// `error` with `advice` behind its message: what it means and what to do.
Error WithAdvice(Error error, std::string_view advice);

}  // namespace tsm::aws
