#include "ts_batchload/settings.h"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <fstream>
#include <sstream>

#include "tsm/core/text.h"
#include "tsm/timestream/limits.h"

namespace tsm::apps {
namespace {

// The original's range for the part size of a copy, which is S3's.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
constexpr std::int64_t kMinPartBytes = 5LL * 1024 * 1024;
constexpr std::int64_t kMaxPartBytes = 5LL * 1024 * 1024 * 1024;
constexpr std::int64_t kMaxCopies = 256;
constexpr double kMaxIntervalSeconds = 3600;
constexpr std::size_t kMaxNullValueBytes = 256;

Error Refuse(std::string message) {
  return MakeError(ErrorKind::kInvalidInput, std::move(message));
}

Status CheckRange(const char* flag, std::int64_t value, std::int64_t min, std::int64_t max) {
  if (value >= min && value <= max) return Ok();
  return Refuse(std::string(flag) + " is " + std::to_string(value) + ", must be from " +
                std::to_string(min) + " to " + std::to_string(max));
}

Result<std::chrono::nanoseconds> Interval(const char* flag, double seconds) {
  if (!std::isfinite(seconds) || seconds <= 0 || seconds > kMaxIntervalSeconds) {
    return Refuse(std::string(flag) + " must be more than 0 and at most 3600 seconds");
  }
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::chrono::duration<double>(seconds));
}

Status CheckOneCharacter(const char* flag, const std::string& text) {
  if (text.size() == 1 && static_cast<unsigned char>(text[0]) < 0x80) return Ok();
  return Refuse(std::string(flag) + " must be one ASCII character, is \"" + text + "\"");
}

// The original appends the '/' that is missing. "" stays "": the whole bucket.
std::string WithSlash(const std::string& prefix) {
  return prefix.empty() || prefix.ends_with('/') ? prefix : prefix + "/";
}

Result<model::DataModel> ReadDataModel(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    const std::string reason = errno != 0 ? std::strerror(errno) : "it is empty or can't be read";
    return Refuse("--data_model_file " + path + ": " + reason);
  }
  Result<model::DataModel> model = model::ParseDataModel(text.str());
  if (!model) return model.error().With("--data_model_file " + path);
  return model;
}

Result<s3::BucketName> Bucket(const char* flag, const std::string& text) {
  if (text.empty()) return s3::BucketName();
  Result<s3::BucketName> bucket = s3::BucketName::Parse(text);
  if (!bucket) return bucket.error().With(flag);
  return bucket;
}

Status FillTable(const BatchLoadFlags& flags, BatchLoadSettings& settings) {
  Result<timestream::TableRef> table = timestream::TableRef::Make(flags.database, flags.table);
  if (!table) return table.error();
  settings.table = std::move(*table);
  settings.create_table = flags.create_timestream_resource;
  if (settings.create_table && flags.partition_key.empty()) {
    return Refuse("--create_timestream_resource needs --partition_key");
  }
  if (!flags.partition_key.empty()) settings.partition_key = flags.partition_key;
  settings.memory_store_hours = flags.memory_store_hours;
  settings.magnetic_store_days = flags.magnetic_store_days;
  if (Status status =
          CheckRange("--memory_store_retention_in_hours", flags.memory_store_hours,
                     timestream::kMinMemoryStoreHours, timestream::kMaxMemoryStoreHours);
      !status) {
    return status;
  }
  return CheckRange("--magnetic_store_retention_in_days", flags.magnetic_store_days,
                    timestream::kMinMagneticStoreDays, timestream::kMaxMagneticStoreDays);
}

// A copy must not write into what it reads: a second run would take the copies for sources. The
// copies lie under the destination prefix and the source prefix after it ("a/" + "a/a/" too is in
// "a/a/").
Status CheckApart(const BatchLoadSettings& settings) {
  if (!settings.copy || settings.target_bucket != settings.source_bucket) return Ok();
  const std::string copies = settings.destination_prefix + settings.source_prefix;
  if (!copies.starts_with(settings.source_prefix)) return Ok();
  return Refuse("the copies (--destination_s3_prefix, then the source key: \"" + copies +
                "\") would lie in what is copied (--source_s3_prefix \"" + settings.source_prefix +
                "\" of the same bucket): give another prefix, or load in place without "
                "--copy_s3_bucket");
}

Status FillBuckets(const BatchLoadFlags& flags, BatchLoadSettings& settings) {
  settings.copy = flags.copy;
  if (flags.copy && flags.source_bucket.empty()) {
    return Refuse("--copy_s3_bucket needs --s3_source_bucket_location");
  }
  if (!flags.copy && !flags.source_bucket.empty()) {
    return Refuse(
        "--s3_source_bucket_location is given, but files are copied only with "
        "--copy_s3_bucket");
  }
  Result<s3::BucketName> source = Bucket("--s3_source_bucket_location", flags.source_bucket);
  if (!source) return source.error();
  Result<s3::BucketName> target = Bucket("--s3_target_bucket", flags.target_bucket);
  if (!target) return target.error();
  Result<s3::BucketName> error = Bucket("--s3_target_error_bucket", flags.error_bucket);
  if (!error) return error.error();
  settings.source_bucket = std::move(*source);
  settings.target_bucket = std::move(*target);
  settings.error_bucket = std::move(*error);
  settings.source_prefix = WithSlash(flags.source_prefix);
  settings.destination_prefix = WithSlash(flags.destination_prefix);
  settings.create_target_bucket = flags.create_target_bucket;
  settings.create_error_bucket = flags.create_error_bucket;
  settings.copy_concurrency = static_cast<std::size_t>(flags.copy_concurrency);
  if (Status status = CheckRange("--copy_concurrency", flags.copy_concurrency, 1, kMaxCopies);
      !status) {
    return status;
  }
  if (Status status = CheckRange("--multi_part_upload_chunk", flags.multi_part_upload_chunk,
                                 kMinPartBytes, kMaxPartBytes);
      !status) {
    return status;
  }
  return CheckApart(settings);
}

Status FillLoad(const BatchLoadFlags& flags, BatchLoadSettings& settings) {
  settings.slots = static_cast<int>(flags.threads);
  if (Status status = CheckRange("--num_of_batchload_threads", flags.threads, 1,
                                 timestream::kMaxActiveTasksPerTable);
      !status) {
    return status;
  }
  if (flags.verify != "count" && flags.verify != "none") {
    return Refuse("--verify is \"" + flags.verify + "\", must be count or none");
  }
  settings.verify = flags.verify == "count";
  Result<std::chrono::nanoseconds> poll = Interval("--poll_interval", flags.poll_interval);
  if (!poll) return poll.error();
  Result<std::chrono::nanoseconds> create = Interval("--create_interval", flags.create_interval);
  if (!create) return create.error();
  settings.poll_interval = *poll;
  settings.create_interval = *create;
  for (const auto& [flag, text] : {std::pair("--quote_char", &flags.quote_char),
                                   std::pair("--escape_char", &flags.escape_char)}) {
    if (Status status = CheckOneCharacter(flag, *text); !status) return status;
  }
  if (flags.null_value.size() > kMaxNullValueBytes) {
    return Refuse("--null_value has more than 256 bytes");
  }
  settings.csv.quote_char = flags.quote_char;
  settings.csv.escape_char = flags.escape_char;
  settings.csv.null_value = flags.null_value;
  if (!flags.sns_topic_arn.empty()) {
    Result<sns::TopicArn> topic = sns::TopicArn::Parse(flags.sns_topic_arn);
    if (!topic) return topic.error().With("--sns_topic_arn");
    settings.topic = std::move(*topic);
  }
  return Ok();
}

template <std::size_t N>
std::vector<std::string> GivenOf(const BatchLoadFlags& flags, const char* const (&names)[N]) {
  std::vector<std::string> given;
  for (const char* name : names) {
    if (flags.given.count(name) != 0) given.push_back("--" + std::string(name));
  }
  return given;
}

// Flags of the original's command lines are accepted where they change nothing, but not in silence.
std::string WithoutEffect(const BatchLoadFlags& flags) {
  std::vector<std::string> parts;
  const auto add = [&parts](const std::vector<std::string>& names, const std::string& why) {
    if (!names.empty()) parts.push_back(Join(names, ", ") + " (" + why + ")");
  };
  if (!flags.create_timestream_resource) {
    add(GivenOf(flags, kCreateOnlyFlags),
        "without --create_timestream_resource the table is used as it is");
  }
  if (!flags.copy) {
    add(GivenOf(flags, kCopyOnlyFlags), "without --copy_s3_bucket no file is copied");
  }
  add(GivenOf(flags, {kPartSizeFlag}), "a file is copied in one request, not in parts");
  return parts.empty() ? "" : "given without effect: " + Join(parts, "; ");
}

Result<s3::BucketName> DefaultBucket(const std::string& name, const char* flag) {
  Result<s3::BucketName> bucket = s3::BucketName::Parse(ToLowerAscii(name));
  if (bucket) return bucket;
  return Refuse("the default name of the bucket, " + ToLowerAscii(name) + ", can't be used (" +
                bucket.error().message + "): give " + flag);
}

}  // namespace

Result<BatchLoadSettings> CheckFlags(const BatchLoadFlags& flags) {
  BatchLoadSettings settings;
  for (const auto fill : {FillTable, FillBuckets, FillLoad}) {
    if (Status status = fill(flags, settings); !status) return status.error();
  }
  Result<model::DataModel> model = ReadDataModel(flags.data_model_file);
  if (!model) return model.error();
  settings.data_model = std::move(*model);
  if (settings.partition_key) {
    Status status = model::CheckPartitionKey(settings.data_model, *settings.partition_key);
    if (!status) return status.error().With("--partition_key");
  }
  settings.notice = WithoutEffect(flags);
  return settings;
}

Status CheckRegion(const BatchLoadSettings& settings, const std::string& region) {
  if (!settings.topic || settings.topic->region == region) return Ok();
  return Refuse("--sns_topic_arn names a topic in " + settings.topic->region +
                ", the table is in " + region);
}

bool NeedsAccount(const BatchLoadSettings& settings) {
  return settings.target_bucket.empty() || settings.error_bucket.empty();
}

Status NameBuckets(BatchLoadSettings& settings, const std::string& account,
                   const std::string& region) {
  const std::string suffix =
      settings.table.database + "-" + settings.table.table + "-" + account + "-" + region;
  if (settings.target_bucket.empty()) {
    Result<s3::BucketName> bucket =
        DefaultBucket("timestream-batchload-" + suffix, "--s3_target_bucket");
    if (!bucket) return bucket.error();
    settings.target_bucket = std::move(*bucket);
  }
  if (settings.error_bucket.empty()) {
    Result<s3::BucketName> bucket =
        DefaultBucket("timestream-batchload-error-" + suffix, "--s3_target_error_bucket");
    if (!bucket) return bucket.error();
    settings.error_bucket = std::move(*bucket);
  }
  return CheckApart(settings);
}

}  // namespace tsm::apps
