// The command line of ts-unload: a run, and its three commands `resume`, `status`, `list`. With
// options.cc the only files of the program that know of CLI11.
#pragma once

#include <optional>
#include <string>

#include "common/exit_code.h"
#include "common/session_options.h"
#include "tsm/unload/unload_options.h"

namespace tsm::apps {

struct UnloadFlags {
  enum class Command { kRun, kResume, kStatus, kList };

  Command command = Command::kRun;
  SessionOptions session;     // not filled by kStatus and kList, which make no request
  unload::UnloadInput input;  // of kResume, kStatus and kList only what they take
  std::string run;            // of kResume and kStatus: a run id, its beginning, or "last"
  bool json = false;          // the result as one JSON document on stdout
};

// Nothing where the program shall go on, else the code to end with; see ParseFlags. Whether a value
// is one that UNLOAD takes is UnloadOptions::Check's to say.
std::optional<ExitCode> ParseUnloadFlags(int argc, const char* const* argv, UnloadFlags& flags);

}  // namespace tsm::apps
