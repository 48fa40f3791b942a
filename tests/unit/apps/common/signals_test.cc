// Signals as stop_tokens; each test in a process of its own, which the signals may end.
#include "common/signals.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace tsm::apps {
namespace {

using ::testing::ExitedWithCode;
using ::testing::KilledBySignal;

// Ends the process with `code` unless the token is requested soon.
void Await(std::stop_token stop, int code) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait_for(lock, stop, std::chrono::seconds(30), [] { return false; });
  if (!stop.stop_requested()) _exit(code);
}

void Require(bool condition, int code) {
  if (!condition) _exit(code);
}

TEST(StopOnSignals, TheFirstAsksToStopTheSecondEnds) {
  EXPECT_EXIT(
      {
        const std::stop_token stop = StopOnSignals();
        Require(!stop.stop_requested(), 1);
        raise(SIGTERM);
        Await(stop, 2);
        raise(SIGINT);
        _exit(3);
      },
      ExitedWithCode(130), "");
}

TEST(StopOnSignals, LeavesTheTerminalsSignalAlone) {
  EXPECT_EXIT(
      {
        (void)StopOnSignals();
        raise(SIGHUP);
        _exit(3);
      },
      KilledBySignal(SIGHUP), "");
}

TEST(WatchSignals, TheFirstDrainsTheSecondStopsTheThirdEnds) {
  EXPECT_EXIT(
      {
        const Interrupts interrupts = WatchSignals();
        Require(!interrupts.drain.stop_requested() && !interrupts.stop.stop_requested(), 1);
        raise(SIGINT);
        Await(interrupts.drain, 2);
        Require(!interrupts.stop.stop_requested(), 3);
        raise(SIGTERM);
        Await(interrupts.stop, 4);
        raise(SIGINT);
        _exit(5);
      },
      ExitedWithCode(130), "");
}

TEST(WatchSignals, AClosedTerminalDrainsHoweverOftenItIsTold) {
  EXPECT_EXIT(
      {
        const Interrupts interrupts = WatchSignals();
        for (int i = 0; i < 5; ++i) raise(SIGHUP);
        Await(interrupts.drain, 1);
        usleep(50'000);  // what a wrongly counted SIGHUP would need to show
        Require(!interrupts.stop.stop_requested(), 2);
        raise(SIGTERM);
        Await(interrupts.stop, 3);
        raise(SIGHUP);
        _exit(0);
      },
      ExitedWithCode(0), "");
}

TEST(WatchSignals, UnderNohupAClosedTerminalIsNothing) {
  EXPECT_EXIT(
      {
        signal(SIGHUP, SIG_IGN);
        const Interrupts interrupts = WatchSignals();
        raise(SIGHUP);
        usleep(50'000);
        Require(!interrupts.drain.stop_requested(), 1);
        raise(SIGTERM);
        Await(interrupts.drain, 2);
        _exit(0);
      },
      ExitedWithCode(0), "");
}

TEST(WatchSignals, ACallbackThatBlocksHoldsNoSignalUp) {
  EXPECT_EXIT(
      {
        const Interrupts interrupts = WatchSignals();
        const std::stop_callback blocks(interrupts.drain, [] { pause(); });
        for (int i = 0; i < 3; ++i) raise(SIGINT);
        _exit(1);
      },
      ExitedWithCode(130), "");
}

}  // namespace
}  // namespace tsm::apps
