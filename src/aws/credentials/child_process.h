// One program run to its end with what it printed: no shell, no input, none of this program's other
// files. It stays in this program's group of processes, so that it can ask on the terminal. Blocks
// its caller; any number of threads may each run one.
#pragma once

#include <chrono>
#include <cstddef>
#include <stop_token>
#include <string>
#include <vector>

#include "tsm/core/result.h"

namespace tsm::aws {

struct ChildLimits {
  std::chrono::milliseconds time = std::chrono::minutes(5);
  // From SIGTERM to SIGKILL.
  std::chrono::milliseconds grace = std::chrono::seconds(2);
  std::size_t output = 1'000'000;  // bytes of stdout
};

struct ChildOutput {
  std::string out;
  std::string err;      // its first 64 KB
  int exit_status = 0;  // where it ended by itself
  int signal = 0;       // which killed it, else 0
};

// Runs words[0], looked for in PATH, with the others as its arguments. What it leaves running in
// the background is not waited for. kConfiguration: it can't be started; kCredentials: it did not
// end in time or printed too much, and was ended; kCancelled: likewise at a stop. The text names
// words[0] alone.
Result<ChildOutput> RunChild(const std::vector<std::string>& words, const ChildLimits& limits,
                             std::stop_token stop);

}  // namespace tsm::aws
