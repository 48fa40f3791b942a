// What SNS takes as subject and message. Pure functions.
// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tsm::sns {

inline constexpr std::size_t kMaxSubjectCharacters = 99;  // "less than 100 characters long"
inline constexpr std::size_t kMaxMessageBytes = 256 * 1024;

// ASCII without control characters, at most 99 characters: line breaks and tabs become one blank,
// a character beyond ASCII becomes '?'. Empty where nothing is left.
std::string FitSubject(std::string_view subject);

// At most 256 KiB, cut between two UTF-8 characters.
std::string FitMessage(std::string_view message);

}  // namespace tsm::sns
