// What a run of ts-batchload will do, decided before anything is done: per table where its files
// lie, where they go and how they are read, and the groups of files that one batch-load task each
// loads. Plain values; plan.json of the run directory holds them, so that a resume does what was
// planned. Nothing here grows with the number of files: those stand in the tables' file spools.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tsm/core/clock.h"
#include "tsm/core/result.h"
#include "tsm/run/file_spool.h"
#include "tsm/run/verify_level.h"
#include "tsm/s3/names.h"
#include "tsm/timestream/batch_load_types.h"
#include "tsm/timestream/table_ref.h"

namespace tsm::batchload {

// What the original tool and this one call the reports' folder in the error bucket.
inline constexpr const char* kReportPrefix = "batch_load_errors";

enum class GroupBy {
  kPartition,  // a folder of the source is a group; its keys stay
  kPacked,     // as few groups as the limits allow, in folders of this run's own
};
using run::Verify;

// "partition", "packed"
std::string_view Name(GroupBy group_by);

// One batch-load task's files: everything below `prefix`, and nothing else may lie there.
struct LoadGroup {
  std::string id;         // "g0001": unique in the run, in the order in which groups run
  std::size_t table = 0;  // index in LoadPlan::tables
  std::string prefix;     // key prefix in the target bucket; a prefix of no other group's key
  std::string label;      // of the source folders, for people: "partition_date=2024-02-26"
  std::uint32_t files = 0;
  std::uint64_t bytes = 0;            // as they lie in the source: of gzip the compressed ones
  std::optional<std::uint64_t> rows;  // what RecordsProcessed must be; nothing: not known
  std::uint64_t offset = 0;  // of its first line in the table's spool; its lines follow each other
};

// Rows that must be found in the target between two moments, for the proof by counts.
struct LoadPlace {
  std::string label;   // "2024-02-26"
  UnixNanos from = 0;  // inclusive
  UnixNanos end = 0;   // exclusive
  std::uint64_t rows = 0;
  std::vector<std::size_t> groups;  // that hold its rows: indexes in LoadPlan::groups
};

struct TableLoad {
  timestream::TableRef target;
  std::optional<timestream::TableRef> source;  // by the run record
  std::string record_uri;                      // "" where the files were listed without one
  std::string listed;                          // "s3://bucket/prefix", for messages
  std::string content_prefix;                  // of the record: where the source's aggregates lie
  std::string data_model_json;                 // the DataModel object of CreateBatchLoadTask
  std::optional<UnixNanos> from;               // of the rows, by the record; inclusive
  std::optional<UnixNanos> end;                // exclusive
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::optional<std::uint64_t> rows;  // nothing: loaded without proof
  bool gzip = false;                  // inflated on the way
  std::string spool;                  // file name in the run directory
  // What the targets of all its files begin with, at a folder's end: the listing that tells what
  // lies there. "" where they have nothing in common.
  std::string target_prefix;
  // In the order of time; empty where the files do not tell times. Then the table is counted as a
  // whole, within from and end where those are known.
  std::vector<LoadPlace> places;
};

struct LoadPlan {
  std::string run_id;
  std::string tool_version;
  std::string region;  // of the tables
  UnixNanos created = 0;
  bool copy = false;  // files go from source to target bucket first
  bool load = true;   // false: --copy_only
  s3::BucketName source_bucket;
  s3::BucketName target_bucket;    // where copies go and tasks read
  std::string destination_prefix;  // with copy: what copies' keys begin with; "" or ends in '/'
  s3::BucketName report_bucket;    // empty with --copy_only
  std::string report_prefix = kReportPrefix;
  // How copies are written, as S3's headers have it: "" or "AES256" or "aws:kms" with its key.
  std::string encryption;
  std::string kms_key_id;
  bool bucket_owner_full_control = false;
  timestream::CsvConfiguration csv;
  std::optional<std::int64_t> record_version;  // nothing: the service's default, 1
  GroupBy group_by = GroupBy::kPartition;
  Verify verify = Verify::kCount;
  bool canary = true;
  bool state_in_s3 = false;  // the run's memory is kept in StateBucket too
  bool allow_existing = false;
  std::vector<TableLoad> tables;
  std::vector<LoadGroup> groups;

  std::uint64_t files() const;
  std::uint64_t bytes() const;
  std::optional<std::uint64_t> rows() const;  // nothing where one table does not tell
  const s3::BucketName& StateBucket() const { return load ? report_bucket : target_bucket; }
  std::string StatePrefix() const { return "tsm-state-" + run_id + "/"; }
  std::string Title() const;  // "s3://a/unload to targetdb.t by s3://b/dest", one line
};

// plan.json, format 1, and back. kBadReply where it is no plan, kInvalidInput where it is of
// another format.
std::string ToJson(const LoadPlan& plan);
Result<LoadPlan> ParseLoadPlan(std::string_view json);

// "a, b, c and 7 more": at most `limit` of the items.
std::string NameSome(const std::vector<std::string>& items, std::size_t limit = 5);

}  // namespace tsm::batchload
