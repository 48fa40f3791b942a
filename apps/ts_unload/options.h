// The flags of ts-unload. The only file of the program that knows CLI11.
#pragma once

#include <optional>

#include "common/exit_code.h"
#include "common/session_options.h"
#include "tsm/unload/unload_options.h"

namespace tsm::apps {

struct UnloadFlags {
  SessionOptions session;
  unload::UnloadInput input;
};

// Nothing where the program shall go on, else the code to end with; see ParseFlags.
std::optional<ExitCode> ParseUnloadFlags(int argc, const char* const* argv, UnloadFlags& flags);

}  // namespace tsm::apps
