// The demo's source table, sourcedb.myTable: sensor waves of several recent days.
#pragma once

#include <cstdint>
#include <string>

#include "ts_local/table_store.h"

namespace ts_local {

// Creates and fills the table in the region: four whole UTC days and today up to `now_ns`
// (nanoseconds since the epoch), about 20,000 multi-measure rows. Every value follows from its
// time, so that the same `now_ns` gives the same rows. A table that holds rows already is left
// alone.
void FillSample(TableStore& tables, std::int64_t now_ns, const std::string& region);

}  // namespace ts_local
