// The end of a table whose slices are all done: what failed attempts left is swept, the table's own
// count compared, the record put that vouches for it all.
#pragma once

#include <string>
#include <vector>

#include "run_context.h"

namespace tsm::unload {

// What there is to say about a table at the end of a run.
struct TableFindings {
  std::vector<std::string> remarks;
  std::vector<std::string> failures;  // the proof's: not empty means that it is not closed
  bool source_changed = false;        // among them: partitions that have more rows now
};

// Closes the table, or says why not. An error ends the run.
Result<TableFindings> CloseTable(RunContext& context, std::size_t table);

// For --redo_changed: counts a table that is complete and not closed, and makes every slice whose
// source has grown wait again. How many those are.
Result<std::size_t> RedoChanged(RunContext& context, std::size_t table);

}  // namespace tsm::unload
