#include "common/signals.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <thread>
#include <vector>

namespace tsm::apps {

namespace {

constexpr int kInterruptedExit = 130;

std::atomic<int> signals_seen{0};
std::atomic<int> ends_at{1};  // so many signals end the process at once
std::atomic<int> wake_fd{-1};
static_assert(std::atomic<int>::is_always_lock_free, "the handler may not take a lock");

// How many signals count by now, or 0 where this one does not: a terminal that closes sends SIGHUP
// twice (its shell does, then the kernel), which must not look like a person's second Ctrl-C.
int Counted(int number) {
  if (number != SIGHUP) return signals_seen.fetch_add(1) + 1;
  int none = 0;
  return signals_seen.compare_exchange_strong(none, 1) ? 1 : 0;
}

// Runs in signal context: nothing but atomics, write and _exit. request_stop() runs callbacks and
// takes locks, so a thread of its own calls it.
extern "C" void OnSignal(int number) {
  const int saved = errno;
  const int count = Counted(number);
  if (count >= ends_at.load()) _exit(kInterruptedExit);
  const char byte = 0;
  if (count > 0 && write(wake_fd.load(), &byte, 1) < 0) _exit(kInterruptedExit);
  errno = saved;
}

void Install(int number, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(number, &action, nullptr);
}

bool IsIgnored(int number) {
  struct sigaction action = {};
  return sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

// A token per signal: the n-th is requested by the n-th signal.
std::vector<std::stop_token> Watch(std::size_t levels, const std::vector<int>& signals) {
  Install(SIGPIPE, SIG_IGN);
  // They live as long as the process: the waiting thread never ends by itself.
  static auto* const sources = new std::vector<std::stop_source>(levels);
  std::vector<std::stop_token> tokens;
  for (const std::stop_source& source : *sources) tokens.push_back(source.get_token());
  int ends[2] = {-1, -1};
  // Without a pipe the signals keep their default action: they end the process at once.
  if (pipe2(ends, O_CLOEXEC) != 0) return tokens;
  wake_fd.store(ends[1]);
  ends_at.store(static_cast<int>(levels) + 1);
  std::thread([read_end = ends[0]] {
    for (std::stop_source& source : *sources) {
      char byte = 0;
      while (read(read_end, &byte, 1) < 0 && errno == EINTR) {
      }
      source.request_stop();
    }
  }).detach();
  for (const int number : signals) Install(number, OnSignal);
  return tokens;
}

}  // namespace

std::stop_token StopOnSignals() { return Watch(1, {SIGINT, SIGTERM}).front(); }

Interrupts WatchSignals() {
  std::vector<int> signals = {SIGINT, SIGTERM};
  // Under nohup it is ignored, and stays so: the run outlives its terminal.
  if (!IsIgnored(SIGHUP)) signals.push_back(SIGHUP);
  const std::vector<std::stop_token> tokens = Watch(2, signals);
  return {tokens[0], tokens[1]};
}

}  // namespace tsm::apps
