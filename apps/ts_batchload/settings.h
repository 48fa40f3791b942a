// What the flags mean, checked: names, ranges, combinations and the data model file. Made before
// any request; everything after it works on typed values.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "ts_batchload/options.h"
#include "tsm/batchload/load_plan.h"
#include "tsm/core/result.h"
#include "tsm/model/data_model.h"
#include "tsm/s3/names.h"
#include "tsm/sns/sns_client.h"
#include "tsm/timestream/batch_load_types.h"
#include "tsm/timestream/table_ref.h"

namespace tsm::apps {

// What one process of a run may have otherwise than the process before it.
struct LoadPace {
  int table_slots = 0;
  int account_slots = 0;
  std::chrono::nanoseconds poll_interval{0};
  std::chrono::nanoseconds start_interval{0};
  std::chrono::nanoseconds give_up_after{0};
  std::chrono::nanoseconds verify_wait{0};
  std::size_t copy_concurrency = 0;       // at first
  std::size_t most_copy_concurrency = 0;  // while S3 does not ask to slow down
  std::uint64_t part_bytes = 0;
  std::size_t stream_workers = 0;
  int max_resumes = 0;
  std::optional<sns::TopicArn> topic;
};

struct BatchLoadSettings {
  timestream::TableRef table;
  bool database_given = false;  // of several tables: the database of all
  bool table_given = false;
  bool create_table = false;  // and its database
  std::string partition_key;  // "": the service's own; "measure_name": type MEASURE
  bool key_required = true;
  std::int64_t memory_store_hours = 0;
  std::int64_t magnetic_store_days = 0;

  bool copy = false;
  bool load = true;                // false: --copy_only
  s3::BucketName source_bucket;    // with copy
  std::string source_prefix;       // with copy; "" or ends in '/'
  s3::BucketName target_bucket;    // empty until NameBuckets where the flag was not given
  s3::BucketName error_bucket;     // likewise; empty with --copy_only
  std::string destination_prefix;  // "" or ends in '/'
  bool create_target_bucket = false;
  bool create_error_bucket = false;
  std::string unload_run;
  bool safe_prefixes = false;
  bool allow_existing = false;
  std::string encryption;  // as S3's header has it: "", "AES256", "aws:kms"
  std::string kms_key;
  bool bucket_owner_full_control = false;

  std::optional<model::DataModel> data_model;  // nothing: generated
  std::string data_model_file;
  bool allow_key_change = false;
  timestream::CsvConfiguration csv;
  bool escape_given = false;  // else the record's counts
  std::optional<std::int64_t> record_version;
  batchload::GroupBy group_by = batchload::GroupBy::kPartition;
  batchload::Verify verify = batchload::Verify::kCount;
  bool canary = true;
  bool state_in_s3 = false;
  LoadPace pace;
  std::string notice;  // names the flags that were given and have no effect here; "" for none

  // Where the data files are found: the source with a copy, else the target.
  const s3::BucketName& listed_bucket() const { return copy ? source_bucket : target_bucket; }
  const std::string& listed_prefix() const { return copy ? source_prefix : destination_prefix; }
};

// Reads the data model file and checks every flag that needs no region. kInvalidInput names the
// flag.
Result<BatchLoadSettings> CheckFlags(const BatchLoadFlags& flags);
Result<LoadPace> CheckPace(const PaceFlags& flags);
// "0s" is none.
Result<std::chrono::nanoseconds> CheckVerifyWait(const std::string& text);
Result<batchload::Verify> CheckVerify(const std::string& text);

// The rule that needs the run's region: the topic must be in it.
Status CheckRegion(const LoadPace& pace, const std::string& region);

// True where a bucket name has to be made from the account's id.
bool NeedsAccount(const BatchLoadSettings& settings);
// Fills in the default bucket names, in lower case. `account` may be "" where NeedsAccount is
// false.
Status NameBuckets(BatchLoadSettings& settings, const std::string& account,
                   const std::string& region);

}  // namespace tsm::apps
