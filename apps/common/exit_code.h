// The exit codes of both programs (README "Exit codes").
#pragma once

#include "tsm/core/error.h"

namespace tsm::apps {

enum class ExitCode : int {
  kDone = 0,         // done and proven
  kSomeFailed = 1,   // some units failed, each listed; the command can be repeated
  kUsage = 2,        // flags, files, a destination in the way
  kEnvironment = 3,  // credentials, configuration, permission, the local machine
  kProofFailed = 4,  // counts or contents differ, each place named
  kService = 5,      // the service refused or is unusable
  kInterrupted = 130,
};

// By the error's kind alone.
ExitCode ExitCodeOf(const Error& error);

}  // namespace tsm::apps
