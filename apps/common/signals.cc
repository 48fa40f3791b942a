#include "common/signals.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <thread>

namespace tsm::apps {

namespace {

constexpr int kInterruptedExit = 130;

std::atomic<int> signals_seen{0};
std::atomic<int> wake_fd{-1};
static_assert(std::atomic<int>::is_always_lock_free, "the handler may not take a lock");

// Runs in signal context: nothing but atomics, write and _exit. request_stop() runs callbacks and
// takes locks, so a thread of its own calls it.
extern "C" void OnSignal(int) {
  const int saved = errno;
  if (signals_seen.fetch_add(1) > 0) _exit(kInterruptedExit);
  const char byte = 0;
  if (write(wake_fd.load(), &byte, 1) < 0) _exit(kInterruptedExit);
  errno = saved;
}

void Install(int number, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(number, &action, nullptr);
}

}  // namespace

std::stop_token StopOnSignals() {
  Install(SIGPIPE, SIG_IGN);
  // Both live as long as the process: the waiting thread never ends by itself.
  static auto* const source = new std::stop_source;
  int ends[2] = {-1, -1};
  // Without a pipe the signals keep their default action: they end the process at once.
  if (pipe2(ends, O_CLOEXEC) != 0) return source->get_token();
  wake_fd.store(ends[1]);
  std::thread([read_end = ends[0]] {
    char byte = 0;
    while (read(read_end, &byte, 1) < 0 && errno == EINTR) {
    }
    source->request_stop();
  }).detach();
  Install(SIGINT, OnSignal);
  Install(SIGTERM, OnSignal);
  return source->get_token();
}

}  // namespace tsm::apps
