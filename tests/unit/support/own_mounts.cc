#include "support/own_mounts.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace tsm::test {

namespace {

enum Step { kUnshare = 10, kMakePrivate, kMount };  // exit codes of a child that could not look

const char* NameOf(int step) {
  switch (step) {
    case kUnshare:
      return "unshare";
    case kMakePrivate:
      return "making / private, as in a chroot";
    default:
      return "mount";
  }
}

}  // namespace

Seen WithInPlaceOf(const std::filesystem::path& system, const std::filesystem::path& other,
                   const std::function<int()>& look) {
  const pid_t child = ::fork();
  if (child < 0) std::abort();
  if (child == 0) {
    if (::unshare(CLONE_NEWNS) != 0) ::_exit(kUnshare);
    // Else a mount could reach the machine's own tree.
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) ::_exit(kMakePrivate);
    if (::mount(other.c_str(), system.c_str(), nullptr, MS_BIND, nullptr) != 0) ::_exit(kMount);
    ::_exit(look());
  }
  int status = 0;
  if (::waitpid(child, &status, 0) != child || !WIFEXITED(status)) std::abort();
  const int code = WEXITSTATUS(status);
  if (code < kUnshare) return {code, ""};
  return {std::nullopt,
          std::string("this machine does not let a process have mounts of its own (") +
              NameOf(code) + ")"};
}

}  // namespace tsm::test
