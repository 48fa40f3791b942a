// A table's MagneticStoreRejectedDataLocation: where the service names, without telling the caller,
// the records that the magnetic store did not take because other data stands at their key with the
// same or a higher version.
// https://docs.aws.amazon.com/timestream/latest/developerguide/troubleshoot-rejectedrecords.html
// The key and the shape of these objects are documented nowhere that we found: both are ours
// (unverified). No state; thread-safe as the storage is.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "ts_local/storage.h"
#include "ts_local/table_store.h"

namespace ts_local {

// Whether the caller is not told of this rejection.
bool IsSilent(const RowRejection& rejection);

// The rejection as WriteRecords and these objects show it.
nlohmann::json RejectionJson(const RowRejection& rejection);

// Writes one object for these rejections; nothing where there are none, or the table has no
// location: they are then lost in silence. What S3 refuses goes to stderr: the records' fate is
// decided, and an object that can't be written changes nothing of it.
void ReportSilentRejections(const TableInfo& table, const std::vector<RowRejection>& rejections,
                            Storage& storage, std::int64_t now_ns);

}  // namespace ts_local
