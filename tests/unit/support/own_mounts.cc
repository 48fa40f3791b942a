#include "support/own_mounts.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace tsm::test {

std::optional<int> WithInPlaceOf(const std::filesystem::path& system,
                                 const std::filesystem::path& other,
                                 const std::function<int()>& look) {
  constexpr int kNotAllowed = 10;
  const pid_t child = ::fork();
  if (child < 0) return std::nullopt;
  if (child == 0) {
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount(other.c_str(), system.c_str(), nullptr, MS_BIND, nullptr) != 0) {
      ::_exit(kNotAllowed);
    }
    ::_exit(look());
  }
  int status = 0;
  if (::waitpid(child, &status, 0) != child || !WIFEXITED(status)) std::abort();
  if (WEXITSTATUS(status) == kNotAllowed) return std::nullopt;
  return WEXITSTATUS(status);
}

}  // namespace tsm::test
