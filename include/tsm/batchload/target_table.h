// The table that is loaded into: what is asked of it, and whether an existing one takes the data
// without losing rows. Differences that lose rows are errors with the fix, for an existing table is
// never changed by a load; harmless ones are notes. Pure; plain values.
// https://docs.aws.amazon.com/timestream/latest/developerguide/storage.html
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tsm/core/clock.h"
#include "tsm/core/result.h"
#include "tsm/model/data_model_fit.h"
#include "tsm/s3/names.h"
#include "tsm/timestream/table_ref.h"
#include "tsm/timestream/write_client.h"

namespace tsm::batchload {

// Of a new table where nothing is asked, as the original tool has it.
inline constexpr std::int64_t kDefaultMemoryStoreHours = 24;
inline constexpr std::int64_t kDefaultMagneticStoreDays = 3655;

struct DesiredTable {
  timestream::TableRef table;
  std::string region;                               // for the commands that messages give
  std::optional<std::int64_t> memory_store_hours;   // nothing: not asked
  std::optional<std::int64_t> magnetic_store_days;  // nothing: not asked
  std::optional<timestream::PartitionKey> partition_key;
  // Where the service writes rows that it rejects after it took them. Without it a conflict of
  // versions in the magnetic store is lost in silence.
  // https://docs.aws.amazon.com/timestream/latest/developerguide/API_MagneticStoreRejectedDataLocation.html
  timestream::RejectedDataLocation rejected_data;

  timestream::TableSettings Settings() const;  // of a new table
};

// "rejected_data/<database>/<table>" in the bucket.
timestream::RejectedDataLocation RejectedDataOf(const s3::BucketName& bucket,
                                                const timestream::TableRef& table);

// What is to be loaded, as far as it is known.
struct LoadedData {
  model::DataModel model;
  model::ModelSource source;  // empty without a record
  model::RowCounts counts;
  std::optional<UnixNanos> oldest;  // no row is older; nothing: not known
};

// The notes on an existing table. Errors: kInTheWay where it is being deleted or restored;
// kInvalidInput, with every reason, where rows would be refused: older than the magnetic store
// keeps, older than the memory store while magnetic writes are off (also where the age is not
// known), without a key that is REQUIRED; or where its partition key is another than asked.
Result<std::vector<std::string>> CompareTarget(const DesiredTable& desired,
                                               const timestream::TableDescription& existing,
                                               const LoadedData& data, UnixNanos now);

// A table that is to be made: its retention holds the data, every row has its key. kInvalidInput
// with the number to give.
Status CheckNewTarget(const DesiredTable& desired, const LoadedData& data, UnixNanos now);

// The existing table's key is the asked one, enforcement apart; true where none was asked.
bool HasAskedKey(const DesiredTable& desired, const timestream::TableDescription& existing);

// "measure_name", "\"city\" (REQUIRED)".
std::string KeyText(const std::optional<timestream::PartitionKey>& key);

}  // namespace tsm::batchload
