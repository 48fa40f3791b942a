// The names that an operator may have meant by one that does not exist. Pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tsm {

// How many bytes must be added, taken away or changed to make `b` of `a`.
std::size_t EditDistance(std::string_view a, std::string_view b);

// At most `count` of the names, the nearest first, compared without ASCII case; equally near ones
// in the order of their bytes.
std::vector<std::string> NearestNames(const std::vector<std::string>& names,
                                      std::string_view wanted, std::size_t count);

// The name that `wanted` is likely a misspelling of: the same but for ASCII case, or no more than a
// third of it changed. "" where there is none.
std::string LikelyName(const std::vector<std::string>& names, std::string_view wanted);

}  // namespace tsm
