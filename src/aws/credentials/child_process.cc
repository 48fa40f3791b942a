#include "child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "tsm/core/text.h"
#include "tsm/core/time_text.h"

extern char** environ;

namespace tsm::aws {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kKeptOfStderr = 65536;
// The longest wait before a stop, the time limit and the child's end are looked at.
constexpr milliseconds kTick{50};

std::string Reason(int code) { return std::generic_category().message(code); }

// The reading end of a pipe; the writing end is the child's.
class Pipe {
 public:
  Pipe() = default;
  ~Pipe() {
    CloseReader();
    CloseWriter();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  // 0 or errno.
  int Open() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return errno;
    reader_ = ends[0];
    writer_ = ends[1];
    return ::fcntl(reader_, F_SETFL, O_NONBLOCK) == 0 ? 0 : errno;
  }
  int reader() const { return reader_; }
  int writer() const { return writer_; }
  void CloseReader() { Close(reader_); }
  void CloseWriter() { Close(writer_); }

  // Takes what is there; keeps up to `limit` bytes of it in `text` and drops the rest. False where
  // bytes were dropped.
  bool Drain(std::string& text, std::size_t limit) {
    std::array<char, 65536> part;
    while (reader_ >= 0) {
      const ssize_t size = ::read(reader_, part.data(), part.size());
      if (size < 0 && errno == EINTR) continue;
      if (size < 0 && errno == EAGAIN) return true;
      if (size <= 0) {
        CloseReader();
        return true;
      }
      const auto read = static_cast<std::size_t>(size);
      const std::size_t kept = std::min(read, limit - text.size());
      text.append(part.data(), kept);
      if (kept < read) return false;
    }
    return true;
  }

 private:
  static void Close(int& descriptor) {
    if (descriptor >= 0) ::close(descriptor);
    descriptor = -1;
  }
  int reader_ = -1;
  int writer_ = -1;
};

// The child's files and signals, freed with their scope.
class Spawning {
 public:
  Spawning() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
  }
  ~Spawning() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  Spawning(const Spawning&) = delete;
  Spawning& operator=(const Spawning&) = delete;

  // 0 or an errno.
  int Start(const std::vector<std::string>& words, const Pipe& out, const Pipe& err, pid_t* pid) {
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);

    int code = ::posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
    if (code == 0) code = ::posix_spawn_file_actions_adddup2(&actions_, out.writer(), 1);
    if (code == 0) code = ::posix_spawn_file_actions_adddup2(&actions_, err.writer(), 2);
#ifdef __GLIBC__
    // Nor those that some library opened without O_CLOEXEC.
    if (code == 0) code = ::posix_spawn_file_actions_addclosefrom_np(&actions_, 3);
#endif
    // A mask with SIGTERM in it, or an ignored SIGPIPE, would be the child's too.
    sigset_t none;
    ::sigemptyset(&none);
    sigset_t pipe_signal;
    ::sigemptyset(&pipe_signal);
    ::sigaddset(&pipe_signal, SIGPIPE);
    if (code == 0) code = ::posix_spawnattr_setsigmask(&attributes_, &none);
    if (code == 0) code = ::posix_spawnattr_setsigdefault(&attributes_, &pipe_signal);
    if (code == 0) {
      code =
          ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    if (code != 0) return code;
    return ::posix_spawnp(pid, arguments[0], &actions_, &attributes_, arguments.data(), environ);
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

// A started child. It is waited for exactly once, and ended where it is left behind.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  ~Child() {
    if (!status_) End(milliseconds(0));
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Its wait status once it has ended.
  std::optional<int> Ended() {
    if (!status_) Wait(WNOHANG);
    return status_;
  }

  void End(milliseconds grace) {
    if (Ended()) return;
    ::kill(pid_, SIGTERM);
    const auto until = steady_clock::now() + grace;
    for (int wait = 1; steady_clock::now() < until; wait = std::min(wait * 2, 50)) {
      if (Ended()) return;
      ::poll(nullptr, 0, wait);
    }
    ::kill(pid_, SIGKILL);
    while (!status_) Wait(0);
  }

 private:
  void Wait(int options) {
    int status = 0;
    const pid_t ended = ::waitpid(pid_, &status, options);
    if (ended == pid_) status_ = status;
    // Another part of the program took the status: that it ended is all that is known.
    if (ended < 0 && errno == ECHILD) status_ = 0;
  }

  pid_t pid_;
  std::optional<int> status_;
};

// Until something can be read or the time is over.
void WaitForOutput(const Pipe& out, const Pipe& err, milliseconds time) {
  std::array<pollfd, 2> files{{{.fd = out.reader(), .events = POLLIN, .revents = 0},
                               {.fd = err.reader(), .events = POLLIN, .revents = 0}}};
  ::poll(files.data(), files.size(),
         static_cast<int>(time.count()));  // a closed one (-1) is left out
}

}  // namespace

Result<ChildOutput> RunChild(const std::vector<std::string>& words, const ChildLimits& limits,
                             std::stop_token stop) {
  const std::string name = "'" + OneLine(words.at(0), 100) + "'";
  const auto stopped = [&] {
    return MakeError(ErrorKind::kCancelled, "stopped while " + name + " ran");
  };
  if (stop.stop_requested()) return stopped();
  Pipe out;
  Pipe err;
  int code = out.Open();
  if (code == 0) code = err.Open();
  if (code != 0) return MakeError(ErrorKind::kLocalIo, name + " can't be run: " + Reason(code));
  pid_t pid = 0;
  code = Spawning().Start(words, out, err, &pid);
  if (code != 0) {
    return MakeError(ErrorKind::kConfiguration, name + " can't be run: " + Reason(code));
  }
  Child child(pid);
  out.CloseWriter();
  err.CloseWriter();

  ChildOutput output;
  const auto until = steady_clock::now() + limits.time;
  milliseconds wait{1};
  for (;;) {
    // First the end, then the pipes: what it printed before its end is then read to the last byte.
    const auto status = child.Ended();
    err.Drain(output.err, kKeptOfStderr);
    if (!out.Drain(output.out, limits.output)) {
      child.End(limits.grace);
      return MakeError(ErrorKind::kCredentials,
                       name + " printed more than " + FormatBytes(limits.output));
    }
    if (status) {
      if (WIFEXITED(*status)) output.exit_status = WEXITSTATUS(*status);
      if (WIFSIGNALED(*status)) output.signal = WTERMSIG(*status);
      return output;
    }
    if (stop.stop_requested()) {
      child.End(limits.grace);
      return stopped();
    }
    if (steady_clock::now() >= until) {
      child.End(limits.grace);
      return MakeError(ErrorKind::kCredentials,
                       name + " did not end within " + FormatDuration(limits.time));
    }
    // Silent ones are looked at more and more seldom; output ends the wait.
    WaitForOutput(out, err, wait);
    wait = std::min(wait * 2, kTick);
  }
}

}  // namespace tsm::aws
