// For --verify content: the aggregates of every partition of the source, put beside the record, so
// that a loaded table can be held against them when the source may be gone.
#pragma once

#include "run_context.h"

namespace tsm::unload {

// "<folder>tsm-content-<run id>/": a key prefix.
std::string ContentPrefix(const UnloadPlan& plan, const TablePlan& table);

// One object per planned slice, `<prefix><slice>.jsonl`, a run::ContentLine per partition and
// up to a hundred columns. Only one slice's is held.
Status PutContent(RunContext& context, std::size_t table);

}  // namespace tsm::unload
