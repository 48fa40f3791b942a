#include "tsm/batchload/target_table.h"

#include <algorithm>
#include <utility>

#include "tsm/core/text.h"
#include "tsm/core/time_text.h"

namespace tsm::batchload {
namespace {

using timestream::PartitionKey;
using timestream::TableDescription;
using timestream::TableSettings;

constexpr UnixNanos kHour = 3'600'000'000'000;
constexpr UnixNanos kDay = 24 * kHour;

std::string Number(std::int64_t number) {
  return WithThousands(static_cast<std::uint64_t>(number));
}

// "2 days", "1 hour".
std::string Count(std::int64_t number, const std::string& unit) {
  return Number(number) + " " + unit + (number == 1 ? "" : "s");
}

// Whole days that a store must keep for the oldest row, and one for the time that the load takes.
std::int64_t DaysFor(UnixNanos oldest, UnixNanos now) {
  return std::max<UnixNanos>(0, now - oldest + kDay - 1) / kDay + 1;
}

bool Outlives(UnixNanos oldest, UnixNanos now, std::int64_t number, UnixNanos unit) {
  return (now - oldest) / unit >= number;
}

// The commands are those of the AWS CLI, ready to be pasted into a shell.
// https://docs.aws.amazon.com/cli/latest/reference/timestream-write/update-table.html
std::string UpdateTable(const DesiredTable& desired, const std::string& change) {
  return "aws timestream-write update-table" +
         (desired.region.empty() ? "" : " --region " + desired.region) + " --database-name " +
         desired.table.database + " --table-name " + desired.table.table + " " + change;
}

std::string RetentionChange(std::int64_t hours, std::int64_t days) {
  return "--retention-properties MemoryStoreRetentionPeriodInHours=" + std::to_string(hours) +
         ",MagneticStoreRetentionPeriodInDays=" + std::to_string(days);
}

std::string MagneticChange(const timestream::RejectedDataLocation& rejected) {
  const std::string enable = R"("EnableMagneticStoreWrites":true)";
  if (rejected.bucket.empty()) return "--magnetic-store-write-properties '{" + enable + "}'";
  return "--magnetic-store-write-properties '{" + enable +
         R"(,"MagneticStoreRejectedDataLocation":{"S3Configuration":{"BucketName":")" +
         rejected.bucket + R"(","ObjectKeyPrefix":")" + rejected.prefix +
         R"(","EncryptionOption":"SSE_S3"}}}')";
}

std::string OptionalKeyChange(const std::string& key) {
  // A dimension's name may hold what a shell or JSON reads otherwise; such a one is told by itself.
  if (key.find_first_of("'\"\\") != std::string::npos) return "--schema with it as OPTIONAL";
  return R"(--schema '{"CompositePartitionKey":[{"Type":"DIMENSION","Name":")" + key +
         R"(","EnforcementInRecord":"OPTIONAL"}]}')";
}

// What DescribeTable tells of a table without a key of its own is the key of type MEASURE.
// https://docs.aws.amazon.com/timestream/latest/developerguide/customer-defined-partition-keys.html
bool IsDimensionKey(const std::optional<PartitionKey>& key) { return key && !key->is_measure; }

class Comparison {
 public:
  Comparison(const DesiredTable& desired, const TableDescription& existing, const LoadedData& data,
             UnixNanos now)
      : desired_(desired), settings_(existing.settings), data_(data), now_(now) {
    notes_.push_back("the table " + existing.table.str() + " exists and is used as it is");
  }

  void CompareRetention() {
    const std::int64_t days = settings_.magnetic_store_days;
    if (data_.oldest && Outlives(*data_.oldest, now_, days, kDay)) {
      const std::int64_t needed = DaysFor(*data_.oldest, now_);
      problems_.push_back(
          "its magnetic store keeps " + Count(days, "day") + ", and the data reaches back to " +
          FormatTimestamp(*data_.oldest) + ": older rows would be refused. This keeps them: " +
          UpdateTable(desired_, RetentionChange(settings_.memory_store_hours, needed)));
    }
    NoteRetention(desired_.magnetic_store_days, days, "magnetic", "day");
    NoteRetention(desired_.memory_store_hours, settings_.memory_store_hours, "memory", "hour");
  }

  void CompareMagneticWrites() {
    if (settings_.magnetic_writes) {
      if (settings_.rejected_data) return;
      notes_.push_back(
          "the table has no location for rejected data: rows that conflict with newer "
          "ones in the magnetic store are lost in silence. This gives it one: " +
          UpdateTable(desired_, MagneticChange(desired_.rejected_data)));
      return;
    }
    const std::int64_t hours = settings_.memory_store_hours;
    if (data_.oldest && !Outlives(*data_.oldest, now_, hours, kHour)) return;
    problems_.push_back(
        "its magnetic-store writes are off, so that rows older than the memory "
        "store's " +
        Count(hours, "hour") + " would be refused, and " +
        (data_.oldest ? "the data reaches back to " + FormatTimestamp(*data_.oldest)
                      : "how old the data is is not known") +
        ". This turns them on: " + UpdateTable(desired_, MagneticChange(desired_.rejected_data)));
  }

  void CompareKey(const TableDescription& existing) {
    const std::optional<PartitionKey>& key = settings_.partition_key;
    if (!HasAskedKey(desired_, existing)) {
      problems_.push_back("its partition key is " + KeyText(key) + ", not " +
                          KeyText(desired_.partition_key) +
                          " as asked, and a table's key can't be changed: load into another table, "
                          "or leave out --partition_key");
    }
    if (!IsDimensionKey(key)) return;
    if (!data_.model.HasDimension(key->name)) {
      NoKeyInModel(*key);
      return;
    }
    NoteEnforcement(*key);
    const std::uint64_t without =
        model::RowsWithoutKey(data_.model, key->name, data_.source, data_.counts);
    if (!key->required || without == 0) return;
    problems_.push_back("its partition key \"" + key->name + "\" is REQUIRED, and " +
                        WithThousands(without) + " of " + WithThousands(data_.counts.rows) +
                        " rows do not have it. This takes them: " +
                        UpdateTable(desired_, OptionalKeyChange(key->name)));
  }

  Result<std::vector<std::string>> Outcome() && {
    if (problems_.empty()) return std::move(notes_);
    return MakeError(ErrorKind::kInvalidInput,
                     "the table " + desired_.table.str() +
                         " does not fit this load: " + Join(problems_, "; also: "));
  }

 private:
  void NoteRetention(std::optional<std::int64_t> asked, std::int64_t kept, const std::string& store,
                     const std::string& unit) {
    if (!asked || *asked == kept) return;
    notes_.push_back("its " + store + " store keeps " + Count(kept, unit) + ", not the " +
                     Number(*asked) + " that were asked for");
  }

  void NoKeyInModel(const PartitionKey& key) {
    const std::string what =
        "its partition key is " + KeyText(key) + ", which the data model does not write";
    if (key.required) {
      problems_.push_back(what + ": map a column to it in DimensionMappings");
    } else {
      notes_.push_back(what);
    }
  }

  void NoteEnforcement(const PartitionKey& key) {
    if (!IsDimensionKey(desired_.partition_key) || desired_.partition_key->name != key.name) return;
    if (desired_.partition_key->required == key.required) return;
    notes_.push_back("its partition key is " + KeyText(key) + ", not " +
                     (key.required ? "OPTIONAL" : "REQUIRED") + " as asked");
  }

  const DesiredTable& desired_;
  const TableSettings& settings_;
  const LoadedData& data_;
  UnixNanos now_;
  std::vector<std::string> notes_;
  std::vector<std::string> problems_;
};

}  // namespace

TableSettings DesiredTable::Settings() const {
  TableSettings settings;
  settings.memory_store_hours = memory_store_hours.value_or(kDefaultMemoryStoreHours);
  settings.magnetic_store_days = magnetic_store_days.value_or(kDefaultMagneticStoreDays);
  settings.magnetic_writes = true;
  if (!rejected_data.bucket.empty()) settings.rejected_data = rejected_data;
  settings.partition_key = partition_key;
  return settings;
}

timestream::RejectedDataLocation RejectedDataOf(const s3::BucketName& bucket,
                                                const timestream::TableRef& table) {
  return {bucket.str(), "rejected_data/" + table.database + "/" + table.table};
}

std::string KeyText(const std::optional<PartitionKey>& key) {
  if (!IsDimensionKey(key)) return "measure_name";
  return "\"" + key->name + "\" (" + (key->required ? "REQUIRED" : "OPTIONAL") + ")";
}

bool HasAskedKey(const DesiredTable& desired, const TableDescription& existing) {
  if (!desired.partition_key) return true;
  const std::optional<PartitionKey>& key = existing.settings.partition_key;
  if (!IsDimensionKey(key)) return desired.partition_key->is_measure;
  return !desired.partition_key->is_measure && desired.partition_key->name == key->name;
}

Result<std::vector<std::string>> CompareTarget(const DesiredTable& desired,
                                               const TableDescription& existing,
                                               const LoadedData& data, UnixNanos now) {
  if (existing.status == "DELETING" || existing.status == "RESTORING") {
    return MakeError(ErrorKind::kInTheWay, "the table " + existing.table.str() + " is " +
                                               existing.status + ", it takes no load");
  }
  Comparison comparison(desired, existing, data, now);
  comparison.CompareRetention();
  comparison.CompareMagneticWrites();
  comparison.CompareKey(existing);
  return std::move(comparison).Outcome();
}

Status CheckNewTarget(const DesiredTable& desired, const LoadedData& data, UnixNanos now) {
  const TableSettings settings = desired.Settings();
  if (data.oldest && Outlives(*data.oldest, now, settings.magnetic_store_days, kDay)) {
    return MakeError(ErrorKind::kInvalidInput,
                     "the data reaches back to " + FormatTimestamp(*data.oldest) +
                         ", and the new table " + desired.table.str() + " would keep " +
                         Count(settings.magnetic_store_days, "day") +
                         ", so that older rows would be refused: give "
                         "--magnetic_store_retention_in_days " +
                         std::to_string(DaysFor(*data.oldest, now)) + " or more");
  }
  if (!settings.partition_key) return Ok();
  Status fits =
      model::FitPartitionKey(data.model, *settings.partition_key, data.source, data.counts);
  if (!fits) return fits.error().With("the new table " + desired.table.str());
  return Ok();
}

}  // namespace tsm::batchload
