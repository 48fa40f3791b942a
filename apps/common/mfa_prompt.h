// Asks the person at the terminal for the code of a multi-factor device.
#pragma once

#include <stop_token>
#include <string>

#include "tsm/core/result.h"

namespace tsm::apps {

// Writes to and reads from the controlling terminal, whatever stdin and stdout are; what is typed
// is not shown. kCredentials where there is no terminal (a script, a CI job) or no code was typed;
// kCancelled at a stop, with the terminal as it was before.
Result<std::string> AskMfaCode(const std::string& mfa_serial, std::stop_token stop);

}  // namespace tsm::apps
