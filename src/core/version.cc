#include "tsm/core/version.h"

namespace tsm {

std::string_view Version() { return TSM_VERSION; }

}  // namespace tsm
