#include "common/mfa_prompt.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>

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

std::string ReadLine(int terminal) {
  std::string line;
  char byte = 0;
  // A code has six digits; a paste of anything longer is no code.
  while (line.size() < 64 && ::read(terminal, &byte, 1) == 1 && byte != '\n') line += byte;
  return std::string(TrimAscii(line));
}

}  // namespace

Result<std::string> AskMfaCode(const std::string& mfa_serial) {
  const int terminal = ::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (terminal < 0) {
    return Refused(mfa_serial,
                   "there is no terminal to ask at; get temporary keys first, with aws sts "
                   "get-session-token or aws configure export-credentials");
  }
  std::string code;
  {
    const QuietTerminal quiet(terminal);
    if (Say(terminal, "MFA code of " + OneLine(mfa_serial, 120) + ": ")) code = ReadLine(terminal);
    Say(terminal, "\n");
  }
  ::close(terminal);
  const bool digits = !code.empty() && std::all_of(code.begin(), code.end(),
                                                   [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return Refused(mfa_serial, "what was typed is no code of digits");
  return code;
}

}  // namespace tsm::apps
