// A finished unload as the lines that go to stdout. Pure.
#pragma once

#include <string>
#include <vector>

#include "tsm/unload/unload_run.h"

namespace tsm::apps {

std::vector<std::string> SummaryLines(const unload::UnloadSummary& summary);

}  // namespace tsm::apps
