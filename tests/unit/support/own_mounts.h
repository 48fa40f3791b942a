// A part of a test that sees another file or folder in the place of one of the system's.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>

namespace tsm::test {

// Runs `look` in a child process for which `other` lies where `system` is, and gives what it
// returned (0 to 9); nothing where this machine allows no mounts of a process's own. Threads of the
// test are not in the child.
std::optional<int> WithInPlaceOf(const std::filesystem::path& system,
                                 const std::filesystem::path& other,
                                 const std::function<int()>& look);

}  // namespace tsm::test
