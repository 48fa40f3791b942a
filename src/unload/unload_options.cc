#include "tsm/unload/unload_options.h"

#include <algorithm>
#include <cctype>

#include "tsm/core/text.h"
#include "tsm/core/time_text.h"
#include "tsm/s3/s3_client.h"

namespace tsm::unload {

namespace {

// What UNLOAD puts behind the prefix at most: "/results/partition_date=YYYY-MM-DD-HH/", a QueryId
// of 64 characters, "_", 10 digits, "_", 16 characters, ".csv", with some room for a longer alias.
constexpr std::size_t kLongestSuffix = 160;

Error Invalid(std::string_view flag, const std::string& message) {
  return MakeError(ErrorKind::kInvalidInput, "--" + std::string(flag) + ": " + message);
}

Result<std::optional<UnixNanos>> CheckTime(std::string_view flag, const std::string& text) {
  if (text.empty()) return std::optional<UnixNanos>();
  Result<UnixNanos> time = ParseTimestamp(text);
  if (!time) return Invalid(flag, time.error().message);
  return std::optional<UnixNanos>(*time);
}

Result<PartitionUnit> CheckPartition(const std::string& text) {
  for (const PartitionUnit unit : {PartitionUnit::kNone, PartitionUnit::kHour, PartitionUnit::kDay,
                                   PartitionUnit::kMonth, PartitionUnit::kYear}) {
    if (text == Name(unit)) return unit;
  }
  return Invalid("partition", "'" + OneLine(text, 60) + "' is not one of hour, day, month, year");
}

// arn:<partition>:iam::<12 digits>:role/<path and name>
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
bool IsRoleArn(const std::string& text) {
  const std::vector<std::string_view> parts = Split(text, ':');
  if (parts.size() != 6) return false;
  const std::string_view account = parts[4];
  const std::string_view resource = parts[5];
  const bool digits =
      account.size() == 12 &&
      std::all_of(account.begin(), account.end(), [](char c) { return c >= '0' && c <= '9'; });
  const bool partition = parts[1] == "aws" || parts[1].starts_with("aws-");
  const bool printable = std::all_of(resource.begin(), resource.end(),
                                     [](unsigned char c) { return c > 0x20 && c < 0x7f; });
  return parts[0] == "arn" && partition && parts[2] == "iam" && parts[3].empty() && digits &&
         printable && resource.starts_with("role/") && resource.size() > 5 &&
         resource.back() != '/';
}

Result<std::optional<s3::S3Uri>> CheckDestination(const std::string& text) {
  if (text.empty()) return std::optional<s3::S3Uri>();
  Result<s3::S3Uri> uri = s3::S3Uri::Parse(text);
  if (!uri) return Invalid("s3_uri", uri.error().message);
  std::string prefix = uri->key.str();
  while (!prefix.empty() && prefix.back() == '/') prefix.pop_back();
  if (prefix.size() + kLongestSuffix > s3::kMaxKeyBytes) {
    return Invalid("s3_uri", "the prefix has " + std::to_string(prefix.size()) +
                                 " bytes; with the names that UNLOAD adds, keys would pass S3's " +
                                 std::to_string(s3::kMaxKeyBytes) + " bytes");
  }
  uri->key = s3::ObjectKey(prefix);
  return std::optional<s3::S3Uri>(*uri);
}

}  // namespace

std::string_view Name(PartitionUnit unit) {
  switch (unit) {
    case PartitionUnit::kNone:
      return "";
    case PartitionUnit::kHour:
      return "hour";
    case PartitionUnit::kDay:
      return "day";
    case PartitionUnit::kMonth:
      return "month";
    case PartitionUnit::kYear:
      return "year";
  }
  return "";
}

Result<UnloadOptions> UnloadOptions::Check(const UnloadInput& input) {
  UnloadOptions options;
  if (input.database.empty()) return Invalid("database", "is required");
  if (input.table.empty()) return Invalid("table", "is required");
  Result<timestream::TableRef> table = timestream::TableRef::Make(input.database, input.table);
  if (!table) return table.error();
  options.table = *table;

  Result<std::optional<s3::S3Uri>> destination = CheckDestination(input.s3_uri);
  if (!destination) return destination.error();
  options.destination = *destination;

  Result<std::optional<UnixNanos>> from = CheckTime("from_time", input.from_time);
  if (!from) return from.error();
  Result<std::optional<UnixNanos>> end = CheckTime("end_time", input.end_time);
  if (!end) return end.error();
  options.from = *from;
  options.end = *end;
  if (options.from && options.end && *options.from >= *options.end) {
    return Invalid("end_time", FormatTimestamp(*options.end) + " is not after --from_time, " +
                                   FormatTimestamp(*options.from) +
                                   "; the end is not included in the range");
  }

  Result<PartitionUnit> partition = CheckPartition(input.partition);
  if (!partition) return partition.error();
  options.partition = *partition;

  if (!input.iam_role_arn.empty() && !IsRoleArn(input.iam_role_arn)) {
    return Invalid("iam_role_arn", "'" + OneLine(input.iam_role_arn, 200) +
                                       "' is not of the form arn:aws:iam::<12 digits>:role/<name>");
  }
  options.iam_role_arn = input.iam_role_arn;

  if (!input.order_by.empty() && input.order_by != "time") {
    return Invalid("order_by", "'" + OneLine(input.order_by, 60) + "' is not 'time'");
  }
  options.order_by_time = !input.order_by.empty();
  return options;
}

Result<s3::BucketName> DefaultBucket(const timestream::TableRef& table,
                                     const std::string& account) {
  const std::string name =
      ToLowerAscii("timestream-unload-" + table.database + "-" + table.table + "-" + account);
  Result<s3::BucketName> bucket = s3::BucketName::Parse(name);
  if (bucket) return bucket;
  return MakeError(ErrorKind::kInvalidInput, "the default bucket name '" + OneLine(name, 300) +
                                                 "' is not possible (" + bucket.error().message +
                                                 "); name a bucket with --s3_uri");
}

}  // namespace tsm::unload
