// ts-batchload's flags as given, before any check of their meaning. The original tool's names and
// defaults, each also with dashes.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "common/exit_code.h"
#include "common/session_options.h"

namespace tsm::apps {

struct BatchLoadFlags {
  SessionOptions session;
  std::string database = "batch_load_test";
  std::string table = "batch_load_test";
  std::string partition_key;
  bool create_timestream_resource = false;
  std::int64_t memory_store_hours = 24;
  std::int64_t magnetic_store_days = 3655;
  bool create_error_bucket = false;
  bool create_target_bucket = false;
  bool copy = false;
  std::string source_bucket;
  std::string data_model_file;
  std::string target_bucket;  // "": timestream-batchload-<database>-<table>-<account>-<region>
  std::string error_bucket;   // "": timestream-batchload-error-<the same>
  std::string source_prefix = "results/";
  std::string destination_prefix = "dest/";
  std::string sns_topic_arn;
  std::int64_t threads = 5;
  std::int64_t multi_part_upload_chunk = 524'288'000;
  std::string verify = "count";
  double poll_interval = 10;   // seconds
  double create_interval = 1;  // seconds
  std::int64_t copy_concurrency = 64;
  std::string quote_char = "\"";
  std::string escape_char = "\\";
  std::string null_value;
  // Of the flags that only some runs heed, those that argv gave: "source_s3_prefix".
  std::set<std::string> given;
};

// Flags that need another one to have an effect, by what they need.
inline constexpr const char* kCreateOnlyFlags[] = {
    "partition_key", "memory_store_retention_in_hours", "magnetic_store_retention_in_days"};
inline constexpr const char* kCopyOnlyFlags[] = {"source_region", "source_s3_prefix",
                                                 "create_destination_bucket", "copy_concurrency"};
inline constexpr const char* kPartSizeFlag = "multi_part_upload_chunk";

// Fills `flags` from argv. A code where the program is to end at once: after --help or --version,
// or with a flag that can't be read.
std::optional<ExitCode> ParseBatchLoadFlags(int argc, const char* const* argv,
                                            BatchLoadFlags& flags);

}  // namespace tsm::apps
