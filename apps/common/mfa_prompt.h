// Asks the person at the terminal for the code of a multi-factor device.
#pragma once

#include <string>

#include "tsm/core/result.h"

namespace tsm::apps {

// Writes to and reads from the controlling terminal, whatever stdin and stdout are; what is typed
// is not shown. kCredentials where there is no terminal (a script, a CI job) or no code was typed.
Result<std::string> AskMfaCode(const std::string& mfa_serial);

}  // namespace tsm::apps
