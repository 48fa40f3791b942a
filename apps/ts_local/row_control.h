// /ts-local/rows: rows in bulk into a table that exists, for tests that need many: POST a CSV with
// ?database=D&table=T[&region=R]. Answered without signature, to callers on this machine alone.
// Records go through TableStore::Write, so that the table's windows, partition key, limits and
// versions hold as for WriteRecords. No state; thread-safe.
#pragma once

#include "ts_local/message.h"
#include "ts_local/table_store.h"

namespace ts_local {

// A signed request for the same path is S3's: bucket "ts-local", key "rows".
bool IsRowControl(const Request& request);

// The first line names the columns: `time` (nanoseconds since the epoch), `measure_name`, `NAME`
// for a dimension, `NAME:TYPE` (bigint, double, varchar, boolean, timestamp in nanoseconds) for an
// attribute of the multi-measure record that each line is. An empty field leaves dimension or
// attribute out. Quotes as in RFC 4180.
//
// The answer is JSON: {"ingested": N, "rejected": N, "rejections": [{"line", "reason"}, ...]} with
// the first few, status 400 where some were rejected (the others are written). {"error": "..."}
// with 400, 403, 404 or 405 where the request is wrong: lines before the one that it names are
// written, up to 10,000 before it may be missing.
Response LoadRows(const Request& request, TableStore& tables);

}  // namespace ts_local
