// What a run asks the tables for, to prove that nothing was lost: --verify of both programs,
// written into their plans.
#pragma once

#include <array>
#include <string_view>

namespace tsm::run {

enum class Verify {
  kNone,     // nothing
  kCount,    // rows per partition
  kContent,  // and aggregates of each column
};

inline constexpr std::array kVerifies = {Verify::kNone, Verify::kCount, Verify::kContent};

// "none", "count", "content"
std::string_view Name(Verify verify);

}  // namespace tsm::run
