#include "tsm/run/verify_level.h"

namespace tsm::run {

std::string_view Name(Verify verify) {
  switch (verify) {
    case Verify::kNone:
      return "none";
    case Verify::kCount:
      return "count";
    case Verify::kContent:
      return "content";
  }
  return "";
}

}  // namespace tsm::run
