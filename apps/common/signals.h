// SIGINT and SIGTERM as a stop_token: the first one asks everything to end, a second one ends the
// process at once with 130.
#pragma once

#include <stop_token>

namespace tsm::apps {

// Installs the handlers; call once, from main. SIGPIPE is ignored: writing tells.
std::stop_token StopOnSignals();

}  // namespace tsm::apps
