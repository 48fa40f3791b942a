// The command line of ts-batchload: a run, and its commands `check`, `resume`, `status`, `list`,
// `verify`. The original tool's names and defaults, each also with dashes. With options.cc the only
// files of the program that know of CLI11; no meaning is checked here.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "common/exit_code.h"
#include "common/session_options.h"

namespace tsm::apps {

inline constexpr const char* kBatchLoadTool = "ts-batchload";

// Which table, and how it is made where it is missing.
struct TargetFlags {
  std::string database = "batch_load_test";
  std::string table = "batch_load_test";
  bool create = false;  // --create_timestream_resource
  std::string partition_key;
  std::string partition_key_enforcement = "required";
  std::int64_t memory_store_hours = 24;
  std::int64_t magnetic_store_days = 3655;
};

// Where the files lie and where they go.
struct FileFlags {
  bool copy = false;  // --copy_s3_bucket
  bool copy_only = false;
  bool no_copy = false;
  std::string source_bucket;
  std::string source_prefix = "results/";
  std::string unload_run;
  std::string target_bucket;  // "": timestream-batchload-<database>-<table>-<account>-<region>
  std::string destination_prefix = "dest/";
  bool create_target_bucket = false;
  std::string error_bucket;  // "": timestream-batchload-error-<the same>
  bool create_error_bucket = false;
  bool safe_prefixes = false;
  bool allow_existing = false;
  std::string encryption;
  std::string kms_key;
  bool bucket_owner_full_control = false;
};

// How columns become a table's.
struct ModelFlags {
  std::string file;  // "": generated
  bool allow_key_change = false;
  std::string quote_char = "\"";
  std::string escape_char = "\\";
  std::string null_value;
  bool trim_white_space = false;
  std::int64_t record_version = 0;  // 0: the service's default
};

// What a resumed run may have otherwise than the process before it.
struct PaceFlags {
  std::int64_t threads = 5;
  std::int64_t account_tasks = 10;
  double poll_interval = 10;                     // seconds
  double start_interval = 1;                     // seconds
  std::optional<std::int64_t> copy_concurrency;  // without it as S3 takes it
  std::int64_t part_bytes = 524'288'000;
  std::int64_t stream_workers = 4;
  std::string give_up_after = "24h";
  std::string verify_wait = "6h";
  std::int64_t max_resumes = 20;
  std::string sns_topic_arn;
};

struct BatchLoadFlags {
  enum class Command { kRun, kCheck, kResume, kStatus, kList, kVerify };

  Command command = Command::kRun;
  SessionOptions session;  // not filled by kStatus and kList, which make no request
  TargetFlags target;
  FileFlags files;
  ModelFlags model;
  PaceFlags pace;
  std::string group_by = "partition";
  std::string canary = "on";
  std::string verify = "count";
  std::string state_dir;
  std::string state = "local";
  std::string s3_uri;  // of kResume with --state s3: where the run's memory lies
  bool dry_run = false;
  bool retry_failed = false;  // of kResume
  std::string run;            // of kResume, kStatus, kVerify: a run id, its beginning, or "last"
  bool json = false;
  // Of the flags that only some runs heed, those that argv gave: "source_s3_prefix".
  std::set<std::string> given;
};

// Flags that need another one to have an effect, by what they need.
inline constexpr const char* kCreateOnlyFlags[] = {"partition_key", "partition_key_enforcement",
                                                   "memory_store_retention_in_hours",
                                                   "magnetic_store_retention_in_days"};
inline constexpr const char* kCopyOnlyFlags[] = {"source_region",
                                                 "source_profile",
                                                 "source_role_arn",
                                                 "source_s3_prefix",
                                                 "create_destination_bucket",
                                                 "copy_concurrency",
                                                 "multi_part_upload_chunk",
                                                 "stream_workers",
                                                 "encryption",
                                                 "kms_key",
                                                 "bucket_owner_full_control",
                                                 "allow_existing"};

// Fills `flags` from argv. A code where the program is to end at once: after --help or --version,
// or with a flag that can't be read.
std::optional<ExitCode> ParseBatchLoadFlags(int argc, const char* const* argv,
                                            BatchLoadFlags& flags);

}  // namespace tsm::apps
