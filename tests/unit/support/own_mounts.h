// A part of a test that sees another file or folder in the place of one of the system's.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace tsm::test {

struct Seen {
  std::optional<int> outcome;  // what `look` returned; nothing where it did not run
  std::string why_not;  // "this machine does not let a process have mounts of its own (unshare)"
};

// Runs `look` (which returns 0 to 9) in a child process for which `other` lies where `system` is.
// Threads of the test are not in the child.
Seen WithInPlaceOf(const std::filesystem::path& system, const std::filesystem::path& other,
                   const std::function<int()>& look);

}  // namespace tsm::test
