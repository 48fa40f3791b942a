#include "common/mfa_prompt.h"

#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "tsm/core/text.h"

namespace tsm::apps {

namespace {

Error Refused(const std::string& mfa_serial, const std::string& why) {
  return MakeError(ErrorKind::kCredentials, "the role asks for a code of the MFA device " +
                                                OneLine(mfa_serial, 120) + ": " + why);
}

// The terminal without echo, put back at the end.
class QuietTerminal {
 public:
  explicit QuietTerminal(int terminal) : terminal_(terminal) {
    known_ = ::tcgetattr(terminal_, &before_) == 0;
    if (!known_) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(terminal_, TCSAFLUSH, &quiet);
  }
  ~QuietTerminal() {
    if (known_) ::tcsetattr(terminal_, TCSAFLUSH, &before_);
  }
  QuietTerminal(const QuietTerminal&) = delete;
  QuietTerminal& operator=(const QuietTerminal&) = delete;

 private:
  int terminal_;
  bool known_ = false;
  termios before_{};
};

bool Say(int terminal, const std::string& text) {
  return ::write(terminal, text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

// The longest wait before a stop is looked at.
constexpr int kTickMs = 100;

// A signal asks for a stop and nothing more: a read alone would go on waiting, and the second
// signal, which ends the program at once, would leave the terminal without echo.
bool WaitForInput(int terminal, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    pollfd input{.fd = terminal, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&input, 1, kTickMs);
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return true;  // the read says what is wrong
  }
  return false;
}

// Nothing where a stop came first.
std::optional<std::string> ReadLine(int terminal, const std::stop_token& stop) {
  std::string line;
  char byte = 0;
  // A code has six digits; a paste of anything longer is no code.
  while (line.size() < 64) {
    if (!WaitForInput(terminal, stop)) return std::nullopt;
    if (::read(terminal, &byte, 1) != 1 || byte == '\n') break;
    line += byte;
  }
  return std::string(TrimAscii(line));
}

}  // namespace

Result<std::string> AskMfaCode(const std::string& mfa_serial, std::stop_token stop) {
  const int terminal = ::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (terminal < 0) {
    return Refused(mfa_serial,
                   "there is no terminal to ask at; get temporary keys first, with aws sts "
                   "get-session-token or aws configure export-credentials");
  }
  std::optional<std::string> code = "";
  {
    const QuietTerminal quiet(terminal);
    if (Say(terminal, "MFA code of " + OneLine(mfa_serial, 120) + ": ")) {
      code = ReadLine(terminal, stop);
    }
    Say(terminal, "\n");
  }
  ::close(terminal);
  if (!code) return MakeError(ErrorKind::kCancelled, "stopped while a code was asked for");
  const bool digits = !code->empty() && std::all_of(code->begin(), code->end(),
                                                    [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return Refused(mfa_serial, "what was typed is no code of digits");
  return *std::move(code);
}

}  // namespace tsm::apps
