// A Progress event as the line that people read. Pure.
#pragma once

#include <string>

#include "tsm/core/progress.h"

namespace tsm::apps {

// "copy 42%: 21 of 50 files, 1.2 GB of 3.0 GB, 3 min 05 s left, 2 running". Parts that are not
// known are left out; the percent are of the fraction where one is given, else of the units.
std::string ProgressText(const Progress& progress);

// The text cut to `columns` characters (not bytes), so that a terminal does not wrap it.
std::string CutToColumns(const std::string& text, std::size_t columns);

}  // namespace tsm::apps
