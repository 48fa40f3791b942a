// "2026-11-24T23:43:17.123Z": how events and reports write a time. Pure.
#pragma once

#include <chrono>
#include <string>

#include "tsm/core/clock.h"

namespace tsm::run {

std::string IsoMilliseconds(std::chrono::system_clock::time_point time);
std::string IsoMilliseconds(UnixNanos time);

}  // namespace tsm::run
