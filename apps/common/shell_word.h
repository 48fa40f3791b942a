// Command lines that are fit to be pasted into a shell. Pure.
#pragma once

#include <string>
#include <vector>

namespace tsm::apps {

// A word that a shell would change is quoted.
std::string ShellWord(const std::string& text);
std::string ShellLine(const std::vector<std::string>& words);

}  // namespace tsm::apps
