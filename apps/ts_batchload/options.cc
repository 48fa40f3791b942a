#include "ts_batchload/options.h"

#include <CLI/CLI.hpp>

#include "tsm/core/version.h"

namespace tsm::apps {
namespace {

constexpr const char* kAbout =
    "Loads what ts-unload wrote to S3 into a Timestream table: copies the files to a bucket in the "
    "table's region where asked, runs one batch-load task per partition folder, and proves by the "
    "manifests' row counts that every row was loaded.";

constexpr const char* kFooter =
    "Exit codes: 0 done and proven, 1 some partitions failed (each listed), 2 flags, files or "
    "something in the way, 3 credentials, permission or this machine, 4 row counts differ, "
    "5 the service refused, 130 interrupted.";

void AddTableFlags(CLI::App& app, BatchLoadFlags& flags) {
  const std::string group = "The table";
  app.add_option("--database_name,--database-name,--database", flags.database,
                 "The target database.")
      ->group(group)
      ->capture_default_str()
      ->type_name("NAME");
  app.add_option("--table_name,--table-name,--table", flags.table, "The target table.")
      ->group(group)
      ->capture_default_str()
      ->type_name("NAME");
  app.add_flag(Flag("create_timestream_resource"), flags.create_timestream_resource,
               "Creates database and table where they do not exist; one that exists is used as it "
               "is. Needs --partition_key.")
      ->group(group);
  app.add_option(Flag("partition_key"), flags.partition_key,
                 "The dimension that becomes the new table's customer-defined partition key, with "
                 "enforcement REQUIRED. It must be a destination of the data model.")
      ->group(group)
      ->type_name("DIMENSION");
  app.add_option(
         "--memory_store_retenion_in_hours,--memory-store-retenion-in-hours,"
         "--memory_store_retention_in_hours,--memory-store-retention-in-hours",
         flags.memory_store_hours, "The new table's retention in the memory store.")
      ->group(group)
      ->capture_default_str()
      ->type_name("HOURS");
  app.add_option(
         Flag("magnetic_store_retention_in_days"), flags.magnetic_store_days,
         "The new table's retention in the magnetic store. Older rows are refused when they "
         "are loaded.")
      ->group(group)
      ->capture_default_str()
      ->type_name("DAYS");
  app.add_option(Flag("data_model_file"), flags.data_model_file,
                 "The JSON file that maps columns to time, dimensions and measures, as "
                 "CreateBatchLoadTask takes it; checked before any request. Samples: "
                 "data_model_samples/.")
      ->group(group)
      ->required()
      ->type_name("FILE");
}

void AddBucketFlags(CLI::App& app, BatchLoadFlags& flags) {
  const std::string group = "The files";
  app.add_flag(Flag("copy_s3_bucket"), flags.copy,
               "Copies the files from --s3_source_bucket_location to the target bucket first. "
               "Without it they are loaded from the target bucket where they are.")
      ->group(group);
  app.add_option(Flag("s3_source_bucket_location"), flags.source_bucket,
                 "The bucket to copy from, in any region.")
      ->group(group)
      ->type_name("BUCKET");
  app.add_option(
         Flag("source_region"), flags.session.source_region,
         "The region of the source bucket. Default: the table's; S3 names another one where "
         "that is wrong, at the price of a request.")
      ->group(group)
      ->type_name("REGION");
  app.add_option(Flag("source_s3_prefix"), flags.source_prefix,
                 "Where the files to copy lie in the source bucket; '/' is added where missing.")
      ->group(group)
      ->capture_default_str()
      ->type_name("PREFIX");
  app.add_option(Flag("s3_target_bucket"), flags.target_bucket,
                 "The bucket to load from, in the table's region. Default: "
                 "timestream-batchload-<database>-<table>-<account>-<region> in lower case.")
      ->group(group)
      ->type_name("BUCKET");
  app.add_option(Flag("destination_s3_prefix"), flags.destination_prefix,
                 "Where the files lie in the target bucket; with a copy, what goes before their "
                 "whole source keys. '/' is added where missing.")
      ->group(group)
      ->capture_default_str()
      ->type_name("PREFIX");
  app.add_flag(Flag("create_destination_bucket"), flags.create_target_bucket,
               "Creates the target bucket where it does not exist.")
      ->group(group);
  app.add_option(Flag("s3_target_error_bucket"), flags.error_bucket,
                 "The bucket for the tasks' error reports, in the table's region. Default: "
                 "timestream-batchload-error-<database>-<table>-<account>-<region> in lower case.")
      ->group(group)
      ->type_name("BUCKET");
  app.add_flag(Flag("create_error_logging_bucket"), flags.create_error_bucket,
               "Creates the error bucket where it does not exist.")
      ->group(group);
  app.add_option(Flag("copy_concurrency"), flags.copy_concurrency, "Copies at a time, 1 to 256.")
      ->group(group)
      ->capture_default_str()
      ->type_name("N");
  app.add_option(Flag("multi_part_upload_chunk"), flags.multi_part_upload_chunk,
                 "The original's part size for copies. This version copies each file in one "
                 "request, which S3 takes up to 5 GB: the value is checked (5 MiB to 5 GiB), a "
                 "notice says so, and no file is cut into parts.")
      ->group(group)
      ->capture_default_str()
      ->type_name("BYTES");
}

void AddLoadFlags(CLI::App& app, BatchLoadFlags& flags) {
  const std::string group = "The load";
  app.add_option(Flag("num_of_batchload_threads"), flags.threads,
                 "Batch-load tasks at a time, 1 to 5 (the service's limit for a table).")
      ->group(group)
      ->capture_default_str()
      ->type_name("N");
  app.add_option(Flag("sns_topic_arn"), flags.sns_topic_arn,
                 "An SNS topic in the table's region that is told of every partition that fails.")
      ->group(group)
      ->type_name("ARN");
  app.add_option("--verify", flags.verify,
                 "count: every file must be named by a complete UNLOAD manifest, and the records "
                 "that each task processed must be the manifests' rows. none: loads without "
                 "manifests and proves nothing.")
      ->group(group)
      ->capture_default_str()
      ->type_name("count|none");
  app.add_option(Flag("poll_interval"), flags.poll_interval,
                 "The seconds between two looks at a task; decimals are allowed.")
      ->group(group)
      ->capture_default_str()
      ->type_name("SECONDS");
  app.add_option(Flag("create_interval"), flags.create_interval,
                 "The seconds between two new tasks: the service takes one such call a second.")
      ->group(group)
      ->capture_default_str()
      ->type_name("SECONDS");
  app.add_option(Flag("quote_char"), flags.quote_char, "What encloses values in the CSV files.")
      ->group(group)
      ->capture_default_str()
      ->type_name("CHAR");
  app.add_option(
         Flag("escape_char"), flags.escape_char,
         "What stands before a quote or itself in the CSV files; UNLOAD writes a backslash.")
      ->group(group)
      ->capture_default_str()
      ->type_name("CHAR");
  app.add_option(Flag("null_value"), flags.null_value,
                 "Text that stands for null. Default: only the empty field is null.")
      ->group(group)
      ->type_name("TEXT");
}

void NoteGiven(const CLI::App& app, const std::string& name, BatchLoadFlags& flags) {
  if (app.get_option("--" + name)->count() > 0) flags.given.insert(name);
}

}  // namespace

std::optional<ExitCode> ParseBatchLoadFlags(int argc, const char* const* argv,
                                            BatchLoadFlags& flags) {
  CLI::App app(kAbout, "ts-batchload");
  app.footer(kFooter);
  app.set_version_flag("--version", "ts-batchload " + std::string(Version()));
  AddTableFlags(app, flags);
  AddBucketFlags(app, flags);
  AddLoadFlags(app, flags);
  AddSessionFlags(app, flags.session, false);
  const std::optional<ExitCode> code = ParseFlags(app, argc, argv);
  for (const char* name : kCreateOnlyFlags) NoteGiven(app, name, flags);
  for (const char* name : kCopyOnlyFlags) NoteGiven(app, name, flags);
  NoteGiven(app, kPartSizeFlag, flags);
  return code;
}

}  // namespace tsm::apps
