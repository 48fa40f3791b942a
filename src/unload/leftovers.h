// Cleans up behind the attempts of a slice that did not become its result. Never fails a run: what
// can't be deleted is told. Thread-safe for different slices.
#pragma once

#include <string>
#include <vector>

#include "run_context.h"

namespace tsm::unload {

// Once a slice is done or split. What an attempt that was never seen to end may still write comes
// later: see SweepTable.
void SweepSlice(RunContext& context, const SliceRef& ref);

// At the end of a table, every slice once more; what is left then, one line each: objects that
// could not be deleted, attempts whose query may still be writing, files that are kept on purpose.
std::vector<std::string> SweepTable(RunContext& context, std::size_t table);

}  // namespace tsm::unload
