// A run's claim on the destination of each table: its record is put first, and then it looks
// whether somebody else's data or claim lies there, so that of two runs that start at once at least
// one sees the other.
#pragma once

#include <vector>

#include "run_context.h"
#include "tsm/run/run_record.h"

namespace tsm::unload {

// The record of a table as the ledger knows it; with kDone only where every slice is done.
run::RunRecord RecordOf(const RunContext& context, std::size_t table, run::RunState state);

Status PutRecord(RunContext& context, std::size_t table, run::RunState state);
// Of a run of several tables; nothing for one.
Status PutIndex(RunContext& context, run::RunState state);

// Puts every table's record and looks at its destination. Gives for each table whether it held
// nothing at all: then a first attempt of one slice may be flat. kInTheWay where data files lie
// there that no record vouches for (unless --append), after the first ten of each were named to the
// sink; the records of this run are then taken back. A table that has begun already is not looked
// at.
Result<std::vector<bool>> ClaimDestinations(RunContext& context);

// The claim on every table is given back: the run has not begun. Best effort, not stopped by the
// run's stop; failing is told.
void TakeBackClaims(RunContext& context);

}  // namespace tsm::unload
