// Advice for the operator: what can be done about an error, by its kind and, where a permission is
// missing, by the operation that was refused. One table each; pure.
#pragma once

#include <string>

#include "tsm/core/error.h"

namespace tsm::apps {

// One sentence, or "" where the error's own text says all that is known.
std::string HintOf(const Error& error);

}  // namespace tsm::apps
