// What an unload is asked to do: the flags' texts, and the same checked once, before any request.
// Plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tsm/core/clock.h"
#include "tsm/core/result.h"
#include "tsm/run/verify_level.h"
#include "tsm/s3/names.h"
#include "tsm/timestream/table_ref.h"
#include "tsm/unload/partition_unit.h"
#include "tsm/unload/table_scope.h"
#include "tsm/unload/unload_format.h"

namespace tsm::unload {

using run::Verify;

// Where the memory of a run lies beside the run directory: nowhere, or beside the data in S3.
enum class StateStore { kLocal, kS3 };

// As typed; "" is "not given" everywhere, as the original has it. Lists are comma-separated.
struct UnloadInput {
  std::string database;
  std::string table;  // one or several
  bool all_tables = false;
  bool all_databases = false;
  std::vector<std::string> include;
  std::vector<std::string> exclude;

  std::string from_time;
  std::string end_time;
  std::string partition;
  std::string partitioned_by;
  std::string columns;
  std::string where;
  std::string order_by;

  std::string s3_uri;
  std::string iam_role_arn;
  FormatInput format;

  std::string max_partitions;  // 1 to 100
  bool survey = false;
  std::string target_size;  // "60GB"; up to the 80 GB that AWS's own tool goes to without --survey
  bool recent_first = false;
  std::string parallel;
  std::string start_interval;  // seconds
  std::string give_up_after;   // "24h", "90m", "30s"
  std::string verify;
  bool append = false;
  bool keep_partial = false;
  bool redo_changed = false;  // resume only
  std::string state;          // local | s3
  std::string state_dir;
  std::string data_model_out;
  bool dry_run = false;
  // USD; assumptions of --dry-run's estimate, not facts about an account.
  std::string price_query_gb;
  std::string price_put_1000;
  std::string price_storage_gb_month;
};

// How slices are cut.
struct SliceSettings {
  std::uint64_t max_partitions = kMaxPartitionsPerUnload;
  bool survey = false;
  std::uint64_t target_bytes = 60'000'000'000;  // per UNLOAD; needs the survey
  bool recent_first = false;
};

// How a run goes about its slices.
struct RunSettings {
  std::size_t parallel = 4;  // UNLOADs at once
  // Between two starts, all tables together: the service's limit is 1 a second.
  // https://docs.aws.amazon.com/timestream/latest/developerguide/export-unload-limits.html
  std::chrono::nanoseconds start_interval{std::chrono::seconds(1)};
  // A slice that only met throttling and passing failures fails once nothing moved for so long.
  std::chrono::nanoseconds give_up_after{std::chrono::hours(24)};
  Verify verify = Verify::kCount;
  bool append = false;        // start beside data files that no record vouches for
  bool keep_partial = false;  // leave the files of failed attempts
  StateStore state = StateStore::kLocal;
};

// The flags of `input` that are about the run alone, checked: what `resume` takes as well, where
// the rest stands in the plan. One that is not given has its default. kInvalidInput as below.
Result<RunSettings> CheckRunSettings(const UnloadInput& input);

// Assumed prices in USD: us-east-1's list in 2026, to be set by flags elsewhere.
struct PriceAssumptions {
  double query_gb = 0.01;           // per GB scanned, pay-per-scan accounts
  double put_1000 = 0.005;          // per 1,000 PUT, COPY, POST, LIST requests
  double storage_gb_month = 0.023;  // S3 Standard
};

struct UnloadOptions {
  TableScope scope;
  // Key without a trailing '/'. Empty: a bucket of the default name (one named table only).
  std::optional<s3::S3Uri> destination;
  std::optional<UnixNanos> from;  // inclusive; empty: from the first row
  std::optional<UnixNanos> end;   // exclusive; empty: to the last row
  PartitionUnit partition = PartitionUnit::kNone;
  std::vector<std::string> partitioned_by;  // columns beside the time's partition
  std::vector<std::string> columns;         // chosen ones; empty: all
  std::string where;
  std::vector<std::string> order_by;
  std::string iam_role_arn;  // "": the bucket's policy is left alone
  UnloadFormat format;
  SliceSettings slices;
  RunSettings run;
  PriceAssumptions prices;
  std::string state_dir;       // "": the default (see run/state_dir.h)
  std::string data_model_out;  // "": none written
  bool dry_run = false;

  // kInvalidInput names the flag, its value and the rule.
  static Result<UnloadOptions> Check(const UnloadInput& input);
};

// `timestream-unload-<database>-<table>-<account>` in lower case, as the original names it;
// kInvalidInput where S3 does not allow that as a bucket's name.
Result<s3::BucketName> DefaultBucket(const timestream::TableRef& table, const std::string& account);

}  // namespace tsm::unload
