// What an unload is asked to do: the flags' texts, and the same checked once, before any request.
// Plain values.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tsm/core/clock.h"
#include "tsm/core/result.h"
#include "tsm/s3/names.h"
#include "tsm/timestream/table_ref.h"

namespace tsm::unload {

// By what the result is split into folders `partition_date=…/`; boundaries are UTC.
enum class PartitionUnit { kNone, kHour, kDay, kMonth, kYear };

// "hour", "day", "month", "year", "" for none.
std::string_view Name(PartitionUnit unit);

// As typed; "" is "not given" everywhere, as the original has it.
struct UnloadInput {
  std::string database;
  std::string table;
  std::string s3_uri;
  std::string from_time;
  std::string end_time;
  std::string partition;
  std::string iam_role_arn;
  std::string order_by;
};

struct UnloadOptions {
  timestream::TableRef table;
  // Key without a trailing '/'. Empty: a bucket of the default name.
  std::optional<s3::S3Uri> destination;
  std::optional<UnixNanos> from;  // inclusive; empty: from the first row
  std::optional<UnixNanos> end;   // exclusive; empty: to the last row
  PartitionUnit partition = PartitionUnit::kNone;
  std::string iam_role_arn;  // "": the bucket's policy is left alone
  bool order_by_time = false;

  // kInvalidInput names the flag, its value and the rule.
  static Result<UnloadOptions> Check(const UnloadInput& input);
};

// `timestream-unload-<database>-<table>-<account>` in lower case, as the original names it;
// kInvalidInput where S3 does not allow that as a bucket's name.
Result<s3::BucketName> DefaultBucket(const timestream::TableRef& table, const std::string& account);

}  // namespace tsm::unload
