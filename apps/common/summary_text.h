// The shape of a summary's lines and of the commands that it prints. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/session_options.h"

namespace tsm::apps {

// "rows      219,000": the label padded to a column.
std::string Line(const std::string& label, const std::string& text);
// "1 slice", "2,000 slices".
std::string Counted(std::uint64_t count, const std::string& noun);

// The flag with its value, where there is one.
void AddFlag(const std::string& flag, const std::string& value, std::vector<std::string>& words);
// How both programs reach the services.
void AddClientFlags(const SessionOptions& session, std::vector<std::string>& words);

}  // namespace tsm::apps
