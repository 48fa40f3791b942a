// The signals that ask a program to end, as stop_tokens. Call one of the two functions, once, from
// main. SIGPIPE is ignored: writing tells.
#pragma once

#include <stop_token>

namespace tsm::apps {

// SIGINT and SIGTERM: the first one asks everything to end, a second one ends the process at once
// with 130.
std::stop_token StopOnSignals();

// What a program that can drain listens to; `stop` is never requested before `drain`.
struct Interrupts {
  std::stop_token drain;  // begin nothing new, let what runs come to its end
  std::stop_token stop;   // end now, as soon as what is known is written down
};

// SIGINT, SIGTERM and SIGHUP (a closed terminal): the first one requests `drain`, the second
// `stop`, the third ends the process at once with 130. A SIGHUP counts only as the first, and not
// at all where it was ignored when the program began (nohup).
Interrupts WatchSignals();

}  // namespace tsm::apps
