// The toolkit's version, one number for both programs: what --version, the user agent and the run
// record carry.
#pragma once

#include <string_view>

namespace tsm {

// "0.1.0", as CMakeLists.txt's project() says.
std::string_view Version();

}  // namespace tsm
