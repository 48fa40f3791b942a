#include "support/simulated_clock.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace tsm::test {

namespace {

// Far beyond any test, and no sum of two overflows.
constexpr std::chrono::nanoseconds kLongest = std::chrono::hours(24 * 365 * 100);
// Between two looks at a process that is busy; in real time.
constexpr std::chrono::nanoseconds kShortestPause = std::chrono::microseconds(50);
constexpr std::chrono::nanoseconds kLongestPause = std::chrono::milliseconds(1);

// How often each thread was given up the processor so far; empty where one is running, may run or
// waits for a disk. The thread that asks is left out.
std::vector<std::string> SwitchesOfIdleThreads() {
  std::vector<std::string> switches;
  const std::string self = std::to_string(::gettid());
  DIR* tasks = ::opendir("/proc/self/task");
  if (tasks == nullptr) return switches;
  bool busy = false;
  while (const dirent* task = ::readdir(tasks)) {
    const std::string id = task->d_name;
    if (id.front() == '.' || id == self) continue;
    std::ifstream status("/proc/self/task/" + id + "/status");
    std::string line;
    std::string seen = id;
    while (std::getline(status, line)) {
      if (line.starts_with("State:")) {
        // "S (sleeping)"; a thread that has ended is no longer listed, or a zombie.
        const std::size_t state = line.find_first_not_of(" \t", 6);
        busy = state == std::string::npos ||
               std::string_view("SZX").find(line[state]) == std::string_view::npos;
        if (busy) break;
      }
      if (line.find("ctxt_switches") != std::string::npos) seen += " " + line;
    }
    if (busy) break;
    switches.push_back(std::move(seen));
  }
  ::closedir(tasks);
  if (busy) switches.clear();
  std::sort(switches.begin(), switches.end());
  return switches;
}

// Threads that are nobody's: the thread sanitizer has one from the first thread on.
#ifdef __SANITIZE_THREAD__
constexpr std::size_t kForeignThreads = 1;
#else
constexpr std::size_t kForeignThreads = 0;
#endif

// No thread but this one has anything to do: two looks find all of them waiting, and none has run
// in between.
bool ProcessIsIdle() {
  const std::vector<std::string> before = SwitchesOfIdleThreads();
  return !before.empty() && before == SwitchesOfIdleThreads();
}

}  // namespace

SimulatedClock::SimulatedClock(std::chrono::system_clock::time_point start)
    : start_(start), driver_([this](const std::stop_token& stop) { Drive(stop); }) {}

SimulatedClock::~SimulatedClock() = default;

std::chrono::system_clock::time_point SimulatedClock::Now() const {
  return start_ + std::chrono::duration_cast<std::chrono::system_clock::duration>(elapsed());
}

std::chrono::steady_clock::time_point SimulatedClock::Steady() const {
  return std::chrono::steady_clock::time_point(elapsed());
}

std::chrono::nanoseconds SimulatedClock::elapsed() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

std::uint64_t SimulatedClock::leaps() const {
  const std::lock_guard lock(mutex_);
  return leaps_;
}

bool SimulatedClock::SleepFor(std::chrono::nanoseconds duration, std::stop_token stop) const {
  if (stop.stop_requested()) return false;
  if (duration.count() <= 0) return true;
  Sleeper sleeper;
  Turn turn;
  {
    const std::lock_guard lock(mutex_);
    turn = {now_ + std::min(duration, kLongest), ++asked_};
    sleepers_.emplace(turn, &sleeper);
    ++changes_;
    if (MayLeap() && EveryThreadSleeps()) {
      Leap();
    } else {
      changed_.notify_all();
    }
  }
  {
    const std::stop_callback on_stop(std::move(stop), [&] {
      const std::lock_guard lock(mutex_);
      if (!sleeper.woken) Wake(turn, /*stopped=*/true);
    });
    std::unique_lock lock(mutex_);
    sleeper.wake.wait(lock, [&] { return sleeper.woken; });
  }
  const std::lock_guard lock(mutex_);
  --waking_;
  ++changes_;
  changed_.notify_all();
  return !sleeper.stopped;
}

void SimulatedClock::Wake(const Turn& turn, bool stopped) const {
  const auto found = sleepers_.find(turn);
  Sleeper& sleeper = *found->second;
  sleepers_.erase(found);
  sleeper.woken = true;
  sleeper.stopped = stopped;
  ++waking_;
  ++changes_;
  sleeper.wake.notify_one();
}

bool SimulatedClock::MayLeap() const {
  return waking_ == 0 && standstills_ == 0 && !sleepers_.empty();
}

// But for the driver. Then there is no need to look at each.
bool SimulatedClock::EveryThreadSleeps() const {
  struct stat tasks {};
  constexpr std::size_t kOwnLinks = 2;  // of any directory; each thread adds one
  return ::stat("/proc/self/task", &tasks) == 0 &&
         tasks.st_nlink == kOwnLinks + sleepers_.size() + kForeignThreads + 1;
}

void SimulatedClock::Leap() const {
  const Turn first = sleepers_.begin()->first;
  now_ = std::max(now_, first.first);
  Wake(first, /*stopped=*/false);
  ++leaps_;
}

void SimulatedClock::Drive(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  std::chrono::nanoseconds pause = kShortestPause;
  while (changed_.wait(lock, stop, [this] { return MayLeap(); })) {
    const std::uint64_t seen = changes_;
    if (!EveryThreadSleeps()) {
      lock.unlock();
      const bool idle = ProcessIsIdle();
      lock.lock();
      if (changes_ != seen) pause = kShortestPause;
      if (changes_ != seen || !MayLeap()) continue;
      if (!idle) {
        changed_.wait_for(lock, stop, pause, [&] { return changes_ != seen; });
        pause = std::min(pause * 2, kLongestPause);
        continue;
      }
    }
    Leap();
    pause = kShortestPause;
  }
}

SimulatedClock::Standstill::Standstill(const SimulatedClock& clock) : clock_(clock) {
  const std::lock_guard lock(clock_.mutex_);
  ++clock_.standstills_;
  ++clock_.changes_;
}

SimulatedClock::Standstill::~Standstill() {
  const std::lock_guard lock(clock_.mutex_);
  --clock_.standstills_;
  ++clock_.changes_;
  clock_.changed_.notify_all();
}

}  // namespace tsm::test
