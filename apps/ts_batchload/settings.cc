#include "ts_batchload/settings.h"

#include <cmath>
#include <utility>
#include <vector>

#include "tsm/core/flag_values.h"
#include "tsm/core/text.h"
#include "tsm/run/state_dir.h"
#include "tsm/timestream/limits.h"

namespace tsm::apps {
namespace {

// The original's range for the part size of a copy, which is S3's.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
constexpr std::int64_t kMinPartBytes = 5LL * 1024 * 1024;
constexpr std::int64_t kMaxPartBytes = 5LL * 1024 * 1024 * 1024;
constexpr std::int64_t kMaxCopies = 256;  // that --copy_concurrency may ask for
// Without it: at first, and raised to while S3 takes them (each costs about 16 kB).
constexpr std::int64_t kUnaskedFirst = 64;
constexpr std::int64_t kUnaskedMost = 192;
constexpr std::int64_t kMaxStreamWorkers = 32;
constexpr std::int64_t kMaxResumes = 1'000;
constexpr double kMaxIntervalSeconds = 3600;
constexpr std::chrono::seconds kMaxPatience = std::chrono::hours(24 * 30);
constexpr std::size_t kMaxNullValueBytes = 256;
constexpr std::size_t kMaxModelBytes = std::size_t{16} << 20U;

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

Status CheckChoice(const char* flag, const std::string& text, const std::string& one,
                   const std::string& other) {
  if (text == one || text == other) return Ok();
  return Refuse(std::string(flag) + " is \"" + OneLine(text, 60) + "\", must be " + one + " or " +
                other);
}

// The original appends the '/' that is missing. "" stays "": the whole bucket.
std::string WithSlash(const std::string& prefix) {
  return prefix.empty() || prefix.ends_with('/') ? prefix : prefix + "/";
}

Result<model::DataModel> ReadDataModel(const std::string& path) {
  const auto where = "--data_model_file " + path;
  Result<std::string> text = run::ReadWholeFile(path, kMaxModelBytes);
  if (!text) {
    // A file that the operator names is input, whatever the disk says of it.
    Error error = text.error();
    error.kind = ErrorKind::kInvalidInput;
    return error.With(where);
  }
  Result<model::DataModel> model = model::ParseDataModel(*text);
  if (!model) return model.error().With(where);
  return model;
}

Result<s3::BucketName> Bucket(const char* flag, const std::string& text) {
  if (text.empty()) return s3::BucketName();
  Result<s3::BucketName> bucket = s3::BucketName::Parse(text);
  if (!bucket) return bucket.error().With(flag);
  return bucket;
}

Status FillTable(const BatchLoadFlags& flags, BatchLoadSettings& settings) {
  const TargetFlags& target = flags.target;
  Result<timestream::TableRef> table = timestream::TableRef::Make(target.database, target.table);
  if (!table) return table.error();
  settings.table = std::move(*table);
  settings.database_given = flags.given.count("database_name") != 0;
  settings.table_given = flags.given.count("table_name") != 0;
  settings.create_table = target.create;
  settings.partition_key = target.partition_key;
  Status status = CheckChoice("--partition_key_enforcement", target.partition_key_enforcement,
                              "required", "optional");
  if (!status) return status;
  settings.key_required = target.partition_key_enforcement == "required";
  settings.memory_store_hours = target.memory_store_hours;
  settings.magnetic_store_days = target.magnetic_store_days;
  status = CheckRange("--memory_store_retention_in_hours", target.memory_store_hours,
                      timestream::kMinMemoryStoreHours, timestream::kMaxMemoryStoreHours);
  if (!status) return status;
  return CheckRange("--magnetic_store_retention_in_days", target.magnetic_store_days,
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

Status CheckCopyFlags(const FileFlags& files) {
  if (files.no_copy && (files.copy || files.copy_only)) {
    return Refuse(std::string("--no_copy contradicts ") +
                  (files.copy ? "--copy_s3_bucket" : "--copy_only"));
  }
  const bool copy = files.copy || files.copy_only;
  if (copy && files.source_bucket.empty()) {
    return Refuse(std::string(files.copy ? "--copy_s3_bucket" : "--copy_only") +
                  " needs --s3_source_bucket_location");
  }
  if (!copy && !files.source_bucket.empty()) {
    return Refuse(
        "--s3_source_bucket_location is given, but files are copied only with --copy_s3_bucket or "
        "--copy_only");
  }
  if (!copy && files.safe_prefixes) {
    return Refuse("--safe_prefixes names copies: it needs --copy_s3_bucket or --copy_only");
  }
  return Ok();
}

Status FillEncryption(const FileFlags& files, BatchLoadSettings& settings) {
  if (!files.encryption.empty()) {
    Status status = CheckChoice("--encryption", files.encryption, "sse_s3", "sse_kms");
    if (!status) return status;
    settings.encryption = files.encryption == "sse_s3" ? "AES256" : "aws:kms";
  }
  if (!files.kms_key.empty() && settings.encryption != "aws:kms") {
    return Refuse("--kms_key needs --encryption sse_kms");
  }
  settings.kms_key = files.kms_key;
  settings.bucket_owner_full_control = files.bucket_owner_full_control;
  return Ok();
}

Status FillFiles(const BatchLoadFlags& flags, BatchLoadSettings& settings) {
  const FileFlags& files = flags.files;
  if (Status status = CheckCopyFlags(files); !status) return status;
  settings.copy = files.copy || files.copy_only;
  settings.load = !files.copy_only;
  Result<s3::BucketName> source = Bucket("--s3_source_bucket_location", files.source_bucket);
  if (!source) return source.error();
  Result<s3::BucketName> target = Bucket("--s3_target_bucket", files.target_bucket);
  if (!target) return target.error();
  Result<s3::BucketName> error = Bucket("--s3_target_error_bucket", files.error_bucket);
  if (!error) return error.error();
  settings.source_bucket = std::move(*source);
  settings.target_bucket = std::move(*target);
  if (settings.load) settings.error_bucket = std::move(*error);
  settings.source_prefix = WithSlash(files.source_prefix);
  settings.destination_prefix = WithSlash(files.destination_prefix);
  settings.create_target_bucket = files.create_target_bucket;
  settings.create_error_bucket = files.create_error_bucket && settings.load;
  settings.unload_run = files.unload_run;
  settings.safe_prefixes = files.safe_prefixes;
  settings.allow_existing = files.allow_existing;
  if (Status status = FillEncryption(files, settings); !status) return status;
  return CheckApart(settings);
}

Status FillModel(const BatchLoadFlags& flags, BatchLoadSettings& settings) {
  const ModelFlags& model = flags.model;
  for (const auto& [flag, text] : {std::pair("--quote_char", &model.quote_char),
                                   std::pair("--escape_char", &model.escape_char)}) {
    if (Status status = CheckOneCharacter(flag, *text); !status) return status;
  }
  if (model.null_value.size() > kMaxNullValueBytes) {
    return Refuse("--null_value has more than 256 bytes");
  }
  if (model.record_version < 0) return Refuse("--record_version must be 1 or more");
  if (model.record_version > 0) settings.record_version = model.record_version;
  settings.csv.quote_char = model.quote_char;
  settings.csv.escape_char = model.escape_char;
  settings.csv.null_value = model.null_value;
  settings.csv.trim_white_space = model.trim_white_space;
  settings.escape_given = flags.given.count("escape_char") != 0;
  settings.allow_key_change = model.allow_key_change;
  settings.data_model_file = model.file;
  if (model.file.empty() || !settings.load) return Ok();
  Result<model::DataModel> parsed = ReadDataModel(model.file);
  if (!parsed) return parsed.error();
  settings.data_model = std::move(*parsed);
  return Ok();
}

Status FillLoad(const BatchLoadFlags& flags, BatchLoadSettings& settings) {
  if (Status status = CheckChoice("--group_by", flags.group_by, "partition", "packed"); !status) {
    return status;
  }
  settings.group_by =
      flags.group_by == "packed" ? batchload::GroupBy::kPacked : batchload::GroupBy::kPartition;
  if (settings.group_by == batchload::GroupBy::kPacked && !settings.copy) {
    return Refuse(
        "--group_by packed puts files into folders of their own, so it needs --copy_s3_bucket");
  }
  if (Status status = CheckChoice("--canary", flags.canary, "on", "off"); !status) return status;
  settings.canary = flags.canary == "on";
  if (Status status = CheckChoice("--state", flags.state, "local", "s3"); !status) return status;
  settings.state_in_s3 = flags.state == "s3";
  Result<batchload::Verify> verify = CheckVerify(flags.verify);
  if (!verify) return verify.error();
  settings.verify = *verify;
  Result<LoadPace> pace = CheckPace(flags.pace);
  if (!pace) return pace.error();
  settings.pace = std::move(*pace);
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
std::string WithoutEffect(const BatchLoadFlags& flags, const BatchLoadSettings& settings) {
  std::vector<std::string> parts;
  const auto add = [&parts](const std::vector<std::string>& names, const std::string& why) {
    if (!names.empty()) parts.push_back(Join(names, ", ") + " (" + why + ")");
  };
  if (!flags.target.create) {
    add(GivenOf(flags, kCreateOnlyFlags),
        "without --create_timestream_resource the table is used as it is");
  }
  if (!settings.copy) {
    add(GivenOf(flags, kCopyOnlyFlags), "without --copy_s3_bucket no file is copied");
  }
  if (!settings.load && flags.target.create) {
    add({"--create_timestream_resource"}, "--copy_only needs no table");
  }
  if (!settings.load && !flags.model.file.empty()) {
    add({"--data_model_file"}, "--copy_only loads nothing");
  }
  return parts.empty() ? "" : "given without effect: " + Join(parts, "; ");
}

Result<s3::BucketName> DefaultBucket(const std::string& name, const char* flag) {
  Result<s3::BucketName> bucket = s3::BucketName::Parse(ToLowerAscii(name));
  if (bucket) return bucket;
  return Refuse("the default name of the bucket, " + ToLowerAscii(name) + ", can't be used (" +
                bucket.error().message + "): give " + flag);
}

Status CheckCounts(const PaceFlags& flags) {
  const struct {
    const char* flag;
    std::int64_t value;
    std::int64_t min;
    std::int64_t max;
  } ranges[] = {
      {"--num_of_batchload_threads", flags.threads, 1, timestream::kMaxActiveTasksPerTable},
      {"--account_tasks", flags.account_tasks, 1, timestream::kMaxActiveTasksPerAccount},
      {"--copy_concurrency", flags.copy_concurrency.value_or(1), 1, kMaxCopies},
      {"--multi_part_upload_chunk", flags.part_bytes, kMinPartBytes, kMaxPartBytes},
      {"--stream_workers", flags.stream_workers, 1, kMaxStreamWorkers},
      {"--max_resumes", flags.max_resumes, 1, kMaxResumes},
  };
  for (const auto& range : ranges) {
    Status status = CheckRange(range.flag, range.value, range.min, range.max);
    if (!status) return status;
  }
  return Ok();
}

}  // namespace

Result<BatchLoadSettings> CheckFlags(const BatchLoadFlags& flags) {
  BatchLoadSettings settings;
  for (const auto fill : {FillTable, FillFiles, FillModel, FillLoad}) {
    if (Status status = fill(flags, settings); !status) return status.error();
  }
  if (settings.data_model && settings.create_table && !settings.partition_key.empty()) {
    Status status = model::CheckPartitionKey(*settings.data_model, settings.partition_key);
    if (!status) return status.error().With("--partition_key");
  }
  settings.notice = WithoutEffect(flags, settings);
  return settings;
}

Result<LoadPace> CheckPace(const PaceFlags& flags) {
  if (Status status = CheckCounts(flags); !status) return status.error();
  LoadPace pace;
  pace.table_slots = static_cast<int>(flags.threads);
  pace.account_slots = static_cast<int>(flags.account_tasks);
  pace.copy_concurrency = static_cast<std::size_t>(flags.copy_concurrency.value_or(kUnaskedFirst));
  pace.most_copy_concurrency =
      static_cast<std::size_t>(flags.copy_concurrency.value_or(kUnaskedMost));
  pace.part_bytes = static_cast<std::uint64_t>(flags.part_bytes);
  pace.stream_workers = static_cast<std::size_t>(flags.stream_workers);
  pace.max_resumes = static_cast<int>(flags.max_resumes);
  Result<std::chrono::nanoseconds> poll = Interval("--poll_interval", flags.poll_interval);
  if (!poll) return poll.error();
  Result<std::chrono::nanoseconds> start = Interval("--start_interval", flags.start_interval);
  if (!start) return start.error();
  Result<std::chrono::nanoseconds> patience =
      ParseDuration("give_up_after", flags.give_up_after, kMaxPatience);
  if (!patience) return patience.error();
  Result<std::chrono::nanoseconds> wait = CheckVerifyWait(flags.verify_wait);
  if (!wait) return wait.error();
  pace.poll_interval = *poll;
  pace.start_interval = *start;
  pace.give_up_after = *patience;
  pace.verify_wait = *wait;
  if (!flags.sns_topic_arn.empty()) {
    Result<sns::TopicArn> topic = sns::TopicArn::Parse(flags.sns_topic_arn);
    if (!topic) return topic.error().With("--sns_topic_arn");
    pace.topic = std::move(*topic);
  }
  return pace;
}

Result<std::chrono::nanoseconds> CheckVerifyWait(const std::string& text) {
  if (text == "0" || text == "0s") return std::chrono::nanoseconds(0);
  return ParseDuration("verify_wait", text, kMaxPatience);
}

Result<batchload::Verify> CheckVerify(const std::string& text) {
  for (const batchload::Verify verify : run::kVerifies) {
    if (text == Name(verify)) return verify;
  }
  return Refuse("--verify is \"" + OneLine(text, 60) + "\", must be none, count or content");
}

Status CheckRegion(const LoadPace& pace, const std::string& region) {
  if (!pace.topic || pace.topic->region == region) return Ok();
  return Refuse("--sns_topic_arn names a topic in " + pace.topic->region + ", the table is in " +
                region);
}

bool NeedsAccount(const BatchLoadSettings& settings) {
  return settings.target_bucket.empty() || (settings.load && settings.error_bucket.empty());
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
  if (settings.load && settings.error_bucket.empty()) {
    Result<s3::BucketName> bucket =
        DefaultBucket("timestream-batchload-error-" + suffix, "--s3_target_error_bucket");
    if (!bucket) return bucket.error();
    settings.error_bucket = std::move(*bucket);
  }
  return CheckApart(settings);
}

}  // namespace tsm::apps
