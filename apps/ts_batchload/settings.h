// What the flags mean, checked: names, ranges, combinations and the data model. Made before any
// request; everything after it works on typed values.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "ts_batchload/options.h"
#include "tsm/core/result.h"
#include "tsm/model/data_model.h"
#include "tsm/s3/names.h"
#include "tsm/sns/sns_client.h"
#include "tsm/timestream/batch_load_types.h"
#include "tsm/timestream/table_ref.h"

namespace tsm::apps {

struct BatchLoadSettings {
  timestream::TableRef table;
  std::optional<std::string> partition_key;
  bool create_table = false;  // and its database
  std::int64_t memory_store_hours = 0;
  std::int64_t magnetic_store_days = 0;

  bool copy = false;
  s3::BucketName source_bucket;    // with copy
  std::string source_prefix;       // with copy; "" or ends in '/'
  s3::BucketName target_bucket;    // empty until NameBuckets where the flag was not given
  s3::BucketName error_bucket;     // likewise
  std::string destination_prefix;  // "" or ends in '/'
  bool create_target_bucket = false;
  bool create_error_bucket = false;
  std::size_t copy_concurrency = 0;

  model::DataModel data_model;
  timestream::CsvConfiguration csv;
  std::optional<sns::TopicArn> topic;
  int slots = 0;
  bool verify = true;
  std::string notice;  // names the flags that were given and have no effect here; "" for none
  std::chrono::nanoseconds poll_interval{0};
  std::chrono::nanoseconds create_interval{0};

  // Where the data files are listed: the source with a copy, else the target.
  const s3::BucketName& listed_bucket() const { return copy ? source_bucket : target_bucket; }
  const std::string& listed_prefix() const { return copy ? source_prefix : destination_prefix; }
};

// Reads the data model file and checks every flag that needs no region. kInvalidInput names the
// flag.
Result<BatchLoadSettings> CheckFlags(const BatchLoadFlags& flags);

// The rule that needs the run's region: the topic must be in it.
Status CheckRegion(const BatchLoadSettings& settings, const std::string& region);

// True where a bucket name has to be made from the account's id.
bool NeedsAccount(const BatchLoadSettings& settings);
// Fills in the default bucket names, in lower case. `account` may be "" where NeedsAccount is
// false.
Status NameBuckets(BatchLoadSettings& settings, const std::string& account,
                   const std::string& region);

}  // namespace tsm::apps
