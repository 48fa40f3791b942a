#include "ts_batchload/options.h"

#include <CLI/CLI.hpp>

#include "common/flag_section.h"
#include "ts_batchload/help_texts.h"
#include "tsm/core/version.h"

namespace tsm::apps {
namespace {

using Command = BatchLoadFlags::Command;

const CommandWords<Command>& Commands() {
  static const CommandWords<Command> commands(Command::kRun, {{"check", Command::kCheck},
                                                              {"resume", Command::kResume},
                                                              {"verify", Command::kVerify},
                                                              {"status", Command::kStatus},
                                                              {"list", Command::kList}});
  return commands;
}

void AddTargetFlags(CLI::App& app, TargetFlags& target) {
  Section section(app, "The table");
  section
      .Text(Flag("database_name") + ",--database", target.database, "NAME",
            "The target database. Of a run of several tables: the database of all, where given, "
            "else each keeps its own.")
      ->capture_default_str();
  section
      .Text(Flag("table_name") + ",--table", target.table, "NAME",
            "The target table. Tables of a run of several keep their names.")
      ->capture_default_str();
  section.Switch(Flag("create_timestream_resource"), target.create,
                 "Creates database and table where they do not exist: magnetic-store writes on, "
                 "what they reject goes to the error bucket. One that exists is compared with what "
                 "is asked; a difference that would lose data stops the run.");
  section.Text(Flag("partition_key"), target.partition_key, "DIMENSION",
               "The dimension that becomes the new table's customer-defined partition key; it must "
               "be a destination of the data model. measure_name makes a key of type MEASURE. "
               "Default: the service's own partitioning.");
  section
      .Text(Flag("partition_key_enforcement"), target.partition_key_enforcement,
            "required|optional",
            "required: each row must have the key, and a source in which some have none stops the "
            "run.")
      ->capture_default_str();
  section
      .Text(
          "--memory_store_retenion_in_hours,--memory-store-retenion-in-hours,"
          "--memory_store_retention_in_hours,--memory-store-retention-in-hours",
          target.memory_store_hours, "HOURS", "The new table's retention in the memory store.")
      ->capture_default_str();
  section
      .Text(Flag("magnetic_store_retention_in_days"), target.magnetic_store_days, "DAYS",
            "The new table's retention in the magnetic store. Rows that are older would be refused "
            "when they are loaded, so older data stops the run.")
      ->capture_default_str();
}

void AddSourceFlags(CLI::App& app, BatchLoadFlags& flags) {
  FileFlags& files = flags.files;
  Section section(app, "The files");
  section.Switch(Flag("copy_s3_bucket"), files.copy,
                 "Copies the files from --s3_source_bucket_location to the target bucket first. "
                 "Without it they are loaded from the target bucket where they are.");
  section.Switch(Flag("copy_only"), files.copy_only,
                 "Copies and loads nothing: no table, no data model, no error bucket is needed.");
  section.Switch(Flag("no_copy"), files.no_copy, "Spells out the default: nothing is copied.");
  section.Text(Flag("s3_source_bucket_location"), files.source_bucket, "BUCKET",
               "The bucket to copy from, in any region.");
  section.Text(Flag("source_region"), flags.session.source_region, "REGION",
               "The region of the source bucket. Default: the table's; S3 names another one where "
               "that is wrong, at the price of a request.");
  section.Text(Flag("source_profile"), flags.session.source_profile, "NAME",
               "The profile whose credentials read the source, where those that write the target "
               "can't. Each file then goes through this machine. Default: the same credentials.");
  section.Text(Flag("source_role_arn"), flags.session.source_role_arn, "ARN",
               "A role that is assumed to read the source, by --source_profile or by the target's "
               "credentials. Each file then goes through this machine. Default: none.");
  section
      .Text(Flag("source_s3_prefix"), files.source_prefix, "PREFIX",
            "Where the files to copy lie in the source bucket; '/' is added where missing. The "
            "record that ts-unload left there, or one folder up, tells what they are; without one "
            "they are listed.")
      ->capture_default_str();
  section.Text(Flag("unload_run"), files.unload_run, "ID",
               "Which unload's files, where several lie there. Default: the only one.");
  section.Text(Flag("s3_target_bucket"), files.target_bucket, "BUCKET",
               "The bucket to load from, in the table's region. Default: "
               "timestream-batchload-<database>-<table>-<account>-<region> in lower case.");
  section
      .Text(Flag("destination_s3_prefix"), files.destination_prefix, "PREFIX",
            "Where the files lie in the target bucket; with a copy, what goes before their whole "
            "source keys. '/' is added where missing.")
      ->capture_default_str();
  section.Switch(Flag("create_destination_bucket"), files.create_target_bucket,
                 "Creates the target bucket where it does not exist.");
  section.Text(Flag("s3_target_error_bucket"), files.error_bucket, "BUCKET",
               "The bucket for the tasks' error reports, in the table's region. Default: "
               "timestream-batchload-error-<database>-<table>-<account>-<region> in lower case.");
  section.Switch(Flag("create_error_logging_bucket"), files.create_error_bucket,
                 "Creates the error bucket where it does not exist.");
}

void AddCopyFlags(CLI::App& app, BatchLoadFlags& flags) {
  FileFlags& files = flags.files;
  Section section(app, "How files are copied");
  section.Switch(
      Flag("safe_prefixes"), files.safe_prefixes,
      "Writes folders without '=' (partition_date-2024-02-26/): the published pattern of "
      "a task's prefix excludes it, though AWS's own tool uses it. Needs a copy.");
  section.Switch(Flag("allow_existing"), files.allow_existing,
                 "Copies beside files of others at the destination. Default: they stop the run. "
                 "What lies in a group's own folder still keeps that group from being loaded.");
  section.Text(Flag("encryption"), files.encryption, "sse_s3|sse_kms",
               "How S3 encrypts the copies. Default: as the target bucket does by itself.");
  section.Text(Flag("kms_key"), files.kms_key, "KEY",
               "With sse_kms, the key: its id or ARN. Default: the account's own key for S3.");
  section.Switch(
      Flag("bucket_owner_full_control"), files.bucket_owner_full_control,
      "Gives the copies to the owner of the target bucket, where that is another account "
      "and its bucket still heeds ACLs.");
}

void AddCopyPace(Section& section, PaceFlags& pace) {
  section.Text(
      Flag("copy_concurrency"), pace.copy_concurrency, "N",
      "Requests of copies at a time at most, 1 to 256, and fewer while S3 asks to slow down; "
      "without it 64 at first, and up to 192 if S3 does not.");
  section
      .Text(Flag("multi_part_upload_chunk"), pace.part_bytes, "BYTES",
            "Files that are larger are copied in parts of this size, 5 MiB to 5 GiB, in parallel.")
      ->capture_default_str();
  section
      .Text(Flag("stream_workers"), pace.stream_workers, "N",
            "Files at a time that go through this machine (gzip, two principals), 1 to 32; each "
            "takes up to about 40 MB of memory.")
      ->capture_default_str();
}

void AddModelFlags(CLI::App& app, BatchLoadFlags& flags) {
  ModelFlags& model = flags.model;
  Section section(app, "What columns become");
  section.Text(Flag("data_model_file"), model.file, "FILE",
               "The JSON file that maps columns to time, dimensions and measures, as "
               "CreateBatchLoadTask takes it. Default: made from the unload's record, or from the "
               "files' header and the existing target. ts-unload --data_model_out writes one to be "
               "edited; samples: data_model_samples/.");
  section.Switch(Flag("allow_key_change"), model.allow_key_change,
                 "Loads with a data model that drops a dimension or merges measure names, so that "
                 "rows may fall together. Default: that stops the run.");
  section
      .Text(Flag("quote_char"), model.quote_char, "CHAR", "What encloses values in the CSV files.")
      ->capture_default_str();
  section
      .Text(Flag("escape_char"), model.escape_char, "CHAR",
            "What stands before a quote or itself in the CSV files; UNLOAD writes a backslash.")
      ->capture_default_str();
  section.Text(Flag("null_value"), model.null_value, "TEXT",
               "Text that stands for null. Default: only the empty field is null.");
  section.Switch(Flag("trim_white_space"), model.trim_white_space,
                 "Takes blanks off the ends of values.");
}

void AddRecordVersion(Section& section, ModelFlags& model) {
  section.Text(Flag("record_version"), model.record_version, "N",
               "The version of every row, 1 or more: a row that is there with other values is "
               "replaced by one of a higher version, and refuses one of an equal. Default: the "
               "service's, 1.");
}

void AddTaskPace(Section& section, PaceFlags& pace) {
  section
      .Text(Flag("num_of_batchload_threads"), pace.threads, "N",
            "Batch-load tasks of a table at a time, 1 to 5. With other people's they are never "
            "more than "
            "the service's 5.")
      ->capture_default_str();
  section
      .Text(Flag("account_tasks"), pace.account_tasks, "N",
            "Batch-load tasks of this run at a time, 1 to 10: less leaves room for others in the "
            "account. With other people's they are never more than the service's 10.")
      ->capture_default_str();
  section.Text(Flag("sns_topic_arn"), pace.sns_topic_arn, "ARN",
               "An SNS topic in the table's region that is told of every group that fails and of "
               "the end.");
  section
      .Text(Flag("poll_interval"), pace.poll_interval, "SECONDS",
            "The longest time between two looks at a task; decimals are allowed.")
      ->capture_default_str();
  section
      .Text(Flag("start_interval") + "," + Flag("create_interval"), pace.start_interval, "SECONDS",
            "The time between two new tasks: the service takes one such call a second.")
      ->capture_default_str();
  section
      .Text(Flag("give_up_after"), pace.give_up_after, "DURATION",
            "What meets nothing but throttling and passing failures fails once nothing has moved "
            "for this long: 30s, 90m, 24h or 7d, up to 30d.")
      ->capture_default_str();
  section
      .Text(Flag("verify_wait"), pace.verify_wait, "DURATION",
            "How long the proof waits for rows that are loaded and not seen yet: what goes to the "
            "magnetic store may take six hours.")
      ->capture_default_str();
  section
      .Text(Flag("max_resumes"), pace.max_resumes, "N",
            "How often a task that the service stops is resumed without progress in between.")
      ->capture_default_str();
}

void AddRunFlags(CLI::App& app, BatchLoadFlags& flags) {
  Section section(app, "How it runs");
  section
      .Text(Flag("group_by"), flags.group_by, "partition|packed",
            "What one task loads: a folder of the source with its keys kept, or as many files in "
            "order as a task takes (100, 100 GB), which needs a copy.")
      ->capture_default_str();
  section
      .Text("--canary", flags.canary, "on|off",
            "on: the smallest of the first groups loads alone, and only when its counters agree "
            "does any other start: every submitted byte is charged, right or wrong.")
      ->capture_default_str();
  section
      .Text("--verify", flags.verify, "none|count|content",
            "How the tables are proven when all is loaded: count, the rows of each partition "
            "against the unload's; content also each column's aggregates, which needs an unload "
            "with --verify content; none loads also what no manifest vouches for.")
      ->capture_default_str();
  AddTaskPace(section, flags.pace);
  AddRecordVersion(section, flags.model);
  AddCopyPace(section, flags.pace);
  section
      .Text("--state", flags.state, "local|s3",
            "Where the run's memory lies: in --state_dir alone, or also in the error bucket (with "
            "--copy_only in the target bucket), so that another machine can go on with it.")
      ->capture_default_str();
  AddStateDir(section, flags.state_dir);
  section.Switch(Flag("dry_run"), flags.dry_run,
                 "Prints the plan: tables, groups, data model, what would be created. Changes "
                 "nothing.");
}

void NoteGiven(const CLI::App& app, const std::string& name, BatchLoadFlags& flags) {
  if (app.get_option("--" + name)->count() > 0) flags.given.insert(name);
}

// ts-batchload itself, and `check`, which takes the same flags.
std::optional<ExitCode> ParseRun(int argc, const char* const* argv, BatchLoadFlags& flags) {
  const bool check = flags.command == Command::kCheck;
  CLI::App app(check ? kCheckAbout : kAbout, check ? "ts-batchload check" : "ts-batchload");
  app.footer(check ? "Exit codes: those of ts-batchload." : kFooter);
  app.set_version_flag("--version", "ts-batchload " + std::string(Version()));
  AddTargetFlags(app, flags.target);
  AddSourceFlags(app, flags);
  AddCopyFlags(app, flags);
  AddModelFlags(app, flags);
  AddRunFlags(app, flags);
  AddJsonFlag(app, flags.json, "events and the summary");
  AddSessionFlags(app, flags.session, false);
  const std::optional<ExitCode> code =
      ParseFlags(app, argc, argv, check ? std::vector<std::string>{} : Commands().words());
  for (const char* name : kCreateOnlyFlags) NoteGiven(app, name, flags);
  for (const char* name : kCopyOnlyFlags) NoteGiven(app, name, flags);
  for (const char* name : {"database_name", "table_name", "quote_char", "escape_char"}) {
    NoteGiven(app, name, flags);
  }
  return code;
}

std::optional<ExitCode> ParseResume(int argc, const char* const* argv, BatchLoadFlags& flags) {
  CLI::App app(kResumeAbout, "ts-batchload resume");
  app.footer("Exit codes: those of ts-batchload.\nExample: ts-batchload resume last");
  AddRun(app, flags.run);
  Section section(app, "How it runs");
  section.Switch(Flag("retry_failed"), flags.retry_failed,
                 "Loads groups again whose task had failed. Rows that are there with the same "
                 "values stay as they are; the service charges for the submitted data again.");
  AddRecordVersion(section, flags.model);
  AddTaskPace(section, flags.pace);
  AddCopyPace(section, flags.pace);
  section
      .Text("--state", flags.state, "local|s3",
            "Where the run's memory is taken from: --state_dir, or with s3 from --s3_uri, where "
            "the run was begun with --state s3 too.")
      ->capture_default_str();
  section.Text(Flag("s3_uri"), flags.s3_uri, "URI",
               "With --state s3, where its memory lies: s3://BUCKET/tsm-state-ID.");
  AddStateDir(section, flags.state_dir);
  section.Text(Flag("source_region"), flags.session.source_region, "REGION",
               "As the run was begun with.");
  section.Text(Flag("source_profile"), flags.session.source_profile, "NAME",
               "As the run was begun with.");
  section.Text(Flag("source_role_arn"), flags.session.source_role_arn, "ARN",
               "As the run was begun with.");
  AddJsonFlag(app, flags.json, "events and the summary");
  AddSessionFlags(app, flags.session, false);
  app.final_callback([&flags] {
    if (flags.model.record_version != 0 && !flags.retry_failed) {
      throw CLI::ValidationError("--record_version", "has no effect without --retry_failed");
    }
    if (flags.state == "s3" && flags.s3_uri.empty()) {
      throw CLI::ValidationError("--state s3", "needs --s3_uri, where the run's memory lies");
    }
    if (flags.state != "s3" && !flags.s3_uri.empty()) {
      throw CLI::ValidationError("--s3_uri", "has no effect without --state s3");
    }
  });
  return ParseFlags(app, argc, argv);
}

std::optional<ExitCode> ParseVerify(int argc, const char* const* argv, BatchLoadFlags& flags) {
  CLI::App app(kVerifyAbout, "ts-batchload verify");
  app.footer("Exit codes: those of ts-batchload.\nExample: ts-batchload verify last");
  AddRun(app, flags.run);
  Section section(app, "How it proves");
  section.Text("--verify", flags.verify, "count|content", "Rows alone, or columns too.")
      ->capture_default_str();
  section
      .Text(Flag("verify_wait"), flags.pace.verify_wait, "DURATION",
            "How long it waits while rows are missing: 0s, 30m, 6h.")
      ->capture_default_str();
  AddStateDir(section, flags.state_dir);
  AddJsonFlag(app, flags.json, "events and the summary");
  AddSessionFlags(app, flags.session, false);
  return ParseFlags(app, argc, argv);
}

std::optional<ExitCode> ParseLook(int argc, const char* const* argv, BatchLoadFlags& flags) {
  const bool status = flags.command == Command::kStatus;
  CLI::App app(status ? kStatusAbout : kListAbout,
               status ? "ts-batchload status" : "ts-batchload list");
  app.footer(std::string("Exit codes: those of ts-batchload.\nExample: ts-batchload ") +
             (status ? "status last --json" : "list"));
  if (status) AddRun(app, flags.run);
  Section section(app, "Where runs are remembered");
  AddStateDir(section, flags.state_dir);
  AddJsonFlag(app, flags.json, status ? "the run" : "each run");
  return ParseFlags(app, argc, argv);
}

}  // namespace

std::optional<ExitCode> ParseBatchLoadFlags(int argc, const char* const* argv,
                                            BatchLoadFlags& flags) {
  flags.command = Commands().Of(argc, argv);
  switch (flags.command) {
    case Command::kRun:
      return ParseRun(argc, argv, flags);
    case Command::kCheck:
      return ParseRun(argc - 1, argv + 1, flags);
    case Command::kResume:
      return ParseResume(argc - 1, argv + 1, flags);
    case Command::kVerify:
      return ParseVerify(argc - 1, argv + 1, flags);
    case Command::kStatus:
    case Command::kList:
      return ParseLook(argc - 1, argv + 1, flags);
  }
  return ExitCode::kUsage;
}

}  // namespace tsm::apps
