#include "ts_unload/options.h"

#include <CLI/CLI.hpp>
#include <string_view>

#include "common/flag_section.h"
#include "tsm/core/version.h"

namespace tsm::apps {

namespace {

constexpr const char* kDescription =
    "ts-unload writes tables of Amazon Timestream for LiveAnalytics, or a time range of them, to "
    "S3: it cuts each into slices that one UNLOAD can take, runs them, and proves the result, rows "
    "against the manifests, the manifests against the objects, and both against the table. "
    "ts-batchload loads what it wrote into another table.\n"
    "Three commands look at runs and go on with them: ts-unload resume, ts-unload status, "
    "ts-unload list; each has its own --help.";

constexpr const char* kFooter =
    "Exit codes: 0 done and proven; 1 some slices failed, each listed, and the run can be resumed; "
    "2 a flag is wrong, the table or bucket does not exist, or something is in the way; "
    "3 credentials, configuration, permission or this machine; 4 the proof failed, each difference "
    "named; 5 the service refused or is not reachable; 130 interrupted, and the run can be "
    "resumed.\n"
    "Examples:\n"
    "ts-unload --region eu-west-1 --database sourcedb --table myTable --partition day --s3_uri "
    "s3://my-bucket/unload\n"
    "ts-unload --database sourcedb --all_tables --exclude '*_test' --s3_uri s3://my-bucket/all "
    "--dry_run\n"
    "ts-unload list\n"
    "ts-unload status last\n"
    "ts-unload resume last";

using Command = UnloadFlags::Command;

const CommandWords<Command>& Commands() {
  static const CommandWords<Command> commands(
      Command::kRun,
      {{"resume", Command::kResume}, {"status", Command::kStatus}, {"list", Command::kList}});
  return commands;
}

constexpr const char* kResumeAbout =
    "Goes on with a run that was interrupted, or some slices of which failed: what is done stays, "
    "UNLOADs that still run are waited for, the others are made again. The tables, the range and "
    "the files' format are those of the run.";

constexpr const char* kStatusAbout =
    "Tells from the run's own memory where it stands: each table, how many slices are done, "
    "running, failed, with rows and bytes. Makes no request.";

constexpr const char* kListAbout =
    "Lists the runs that this machine remembers, the latest last, each with its state. Makes no "
    "request.";

void AddTableFlags(CLI::App& app, unload::UnloadInput& input) {
  Section section(app, "Which tables");
  section.Text(Flag("database", "d") + "," + Flag("database_name"), input.database, "NAME",
               "The database of the table or tables.");
  section.Text(Flag("table", "t") + "," + Flag("table_name"), input.table, "NAME[,NAME...]",
               "The table, or several separated by commas. More than one table needs --s3_uri, and "
               "each gets a folder <database>/<table> there.");
  section.Switch(Flag("all_tables"), input.all_tables, "Unloads every table of --database.");
  section.Switch(Flag("all_databases"), input.all_databases,
                 "Unloads every table of every database of the region.");
  section.List(Flag("include"), input.include, "PATTERN",
               "With --all_tables or --all_databases, only tables that the pattern matches: * is "
               "any text, ? any one character, case counts. A pattern with a '.' is held against "
               "database.table, else against the table's name. May be repeated.");
  section.List(Flag("exclude"), input.exclude, "PATTERN",
               "The same, for tables that are left out; it goes before --include. May be "
               "repeated.");
}

void AddRowFlags(CLI::App& app, unload::UnloadInput& input) {
  Section section(app, "Which rows and columns");
  section.Text(Flag("from_time", "f"), input.from_time, "TIME",
               "Unloads rows from this time on, in UTC: \"2024-02-26 17:24:38.270000000\", or any "
               "shorter form down to the day. Default: from the first row.");
  section.Text(Flag("end_time", "e"), input.end_time, "TIME",
               "Unloads rows before this time; the time itself is not included. Default: to the "
               "last row.");
  section.Text(Flag("where"), input.where, "PREDICATE",
               "Unloads only rows for which this SQL predicate is true, such as \"city = 'Oslo'\"; "
               "it is put in parentheses behind the time range. Default: all rows.");
  section.Text(Flag("columns"), input.columns, "NAME[,NAME...]",
               "Unloads only these columns, and always the time as the number nanoseconds. "
               "Default: all columns.");
  section.Text(Flag("order_by"), input.order_by, "NAME [asc|desc][,...]",
               "Orders each file's rows by these columns, such as time; this costs the service "
               "memory and time. Default: in no order.");
}

void AddDestinationFlags(CLI::App& app, unload::UnloadInput& input) {
  Section section(app, "Where it goes");
  section.Text(Flag("s3_uri", "s"), input.s3_uri, "URI",
               "The destination, s3://BUCKET/PREFIX or s3://ACCESS-POINT-ALIAS/FOLDER; it must "
               "exist, in the table's region. Default, for one table: the bucket "
               "timestream-unload-<database>-<table>-<account>, in lower case, created where it is "
               "missing.");
  section.Text(Flag("partition", "p"), input.partition, "hour|day|month|year",
               "Puts the rows of each hour, day, month or year (UTC) into a folder "
               "partition_date=... of their own. Default: one folder for all.");
  section.Text(Flag("partitioned_by"), input.partitioned_by, "NAME[,NAME...]",
               "Puts the rows of each value of these columns into folders partition_<column>=... "
               "of their own, below --partition's. The columns stay in the files. Values must be "
               "ASCII and never null. Default: none.");
  section.Text(Flag("iam_role_arn", "i"), input.iam_role_arn, "ARN",
               "Adds two statements to the bucket's policy that let this role get the objects and "
               "list the bucket; what the policy says already is kept. Default: the policy is left "
               "alone.");
  section.Switch(Flag("append"), input.append,
                 "Unloads beside data files that no run's record vouches for. Default: such a "
                 "place is refused.");
  section.Text(Flag("data_model_out"), input.data_model_out, "FILE",
               "Writes a data model for ts-batchload, made from the table's schema, to this file. "
               "Default: none is written.");
}

void AddFormatFlags(CLI::App& app, unload::FormatInput& format) {
  Section section(app, "The files");
  section.Text(Flag("format"), format.format, "csv|parquet",
               "The files' format. Batch load reads CSV only. Default: csv.");
  section.Text(
      Flag("compression"), format.compression, "none|gzip",
      "gzip takes about a fifth of the storage and traffic. Batch load reads none: ts-batchload "
      "inflates it on the way where it copies. "
      "Default: none.");
  section.Text(Flag("max_file_size"), format.max_file_size, "X[MB|GB]",
               "About how large a file may become, 16MB to 78GB. Batch load takes 5 GB at most and "
               "is best with 100 MB to 1 GB. Default: 1GB.");
  section.Text(Flag("include_header"), format.include_header, "true|false",
               "Begins each CSV file with the columns' names, which batch load needs. Default: "
               "true.");
  section.Text(Flag("field_delimiter"), format.field_delimiter, "CHAR",
               "What separates two values in CSV, one ASCII character; \\t is a tab. Default: a "
               "comma.");
  section.Text(Flag("escaped_by"), format.escaped_by, "CHAR",
               "What stands before a quote, or itself, in a CSV value. Default: \\ (a backslash).");
  section.Text(Flag("encryption"), format.encryption, "sse_s3|sse_kms",
               "How S3 encrypts data, manifest and metadata files. Default: sse_s3.");
  section.Text(Flag("kms_key"), format.kms_key, "KEY",
               "With sse_kms, the key: its id, ARN or alias. Default: the account's own key for "
               "S3.");
}

void AddSliceFlags(CLI::App& app, unload::UnloadInput& input) {
  Section section(app, "How it is cut into slices");
  section.Text(Flag("max_partitions"), input.max_partitions, "N",
               "How many folders one UNLOAD may write, 1 to 100, the service's limit. Needs "
               "--partition or --partitioned_by. Default: 100.");
  section.Switch(Flag("survey"), input.survey,
                 "Counts the rows of each partition first, by a query over the whole range, which "
                 "costs what it scans: slices then are even and skip what is empty, and --dry_run "
                 "can tell sizes. Default: slices are cut by the calendar.");
  section.Text(Flag("target_size"), input.target_size, "X[MB|GB]",
               "With --survey, about how much one UNLOAD shall write, 16MB to 80GB; AWS recommends "
               "no more than 60 GB per query. Default: 60GB.");
  section.Switch(Flag("recent_first"), input.recent_first,
                 "Runs the latest slice first. Default: the oldest first.");
}

// What a resumed run may have otherwise than the process before it: nothing is remembered of these,
// the command to go on with carries them.
void AddPaceFlags(Section& section, unload::UnloadInput& input) {
  section.Text(Flag("parallel"), input.parallel, "N",
               "How many UNLOADs run at once, 1 to 32: the service starts one a second, and those "
               "that run share what one account may use. Default: 4.");
  section.Text(Flag("start_interval"), input.start_interval, "SECONDS",
               "The time between two starts of UNLOADs, above 0 and up to 3600; decimals are "
               "allowed. The service's limit is one start per second: less is for tests and for "
               "accounts whose quota was raised. Default: 1.");
  section.Text(Flag("give_up_after"), input.give_up_after, "DURATION",
               "A slice that meets nothing but throttling and passing failures fails once nothing "
               "has moved for this long: 30s, 90m, 24h or 7d, up to 30d. Default: 24h.");
  section.Switch(Flag("keep_partial"), input.keep_partial,
                 "Leaves the files of failed tries where they are. Default: files that a failed "
                 "or replaced try of this run wrote are deleted.");
}

void AddRunFlags(CLI::App& app, unload::UnloadInput& input) {
  Section section(app, "How it runs");
  AddPaceFlags(section, input);
  section.Text(Flag("verify"), input.verify, "none|count|content",
               "How the result is proven against the table, beside rows against manifests and "
               "manifests against objects: count asks for the rows of each partition after the "
               "last slice; content also for sums, least and greatest values of each column, by "
               "which the loaded table can be compared. Both query the whole range, which costs "
               "what they scan. Default: count.");
  section.Text(Flag("state"), input.state, "local|s3",
               "Where the run's memory lies: in --state_dir alone, or also beside the data in S3, "
               "so that another machine can go on with it. Default: local.");
  AddStateDir(section, input.state_dir);
  section.Switch(Flag("dry_run"), input.dry_run,
                 "Prints the plan, each statement and an estimate of the cost, and unloads "
                 "nothing. The questions that make the plan are asked, and charged.");
}

void AddPriceFlags(CLI::App& app, unload::UnloadInput& input) {
  Section section(app, "Prices that --dry_run assumes");
  section.Text(Flag("price_query_gb"), input.price_query_gb, "USD",
               "Of a GB scanned by queries, in accounts that pay by scan. Default: 0.01.");
  section.Text(Flag("price_put_1000"), input.price_put_1000, "USD",
               "Of 1,000 requests to S3 that write or list. Default: 0.005.");
  section.Text(Flag("price_storage_gb_month"), input.price_storage_gb_month, "USD",
               "Of a GB in S3 for a month. Default: 0.023.");
}

std::optional<ExitCode> ParseRun(int argc, const char* const* argv, UnloadFlags& flags) {
  CLI::App app(kDescription, "ts-unload");
  app.footer(kFooter);
  app.set_version_flag("--version", "ts-unload " + std::string(Version()));
  AddTableFlags(app, flags.input);
  AddRowFlags(app, flags.input);
  AddDestinationFlags(app, flags.input);
  AddFormatFlags(app, flags.input.format);
  AddSliceFlags(app, flags.input);
  AddRunFlags(app, flags.input);
  AddPriceFlags(app, flags.input);
  AddJsonFlag(app, flags.json, "events and the summary");
  AddSessionFlags(app, flags.session, /*short_region=*/true);
  return ParseFlags(app, argc, argv, Commands().words());
}

std::optional<ExitCode> ParseResume(int argc, const char* const* argv, UnloadFlags& flags) {
  CLI::App app(kResumeAbout, "ts-unload resume");
  app.footer("Exit codes: those of ts-unload.\nExample: ts-unload resume last --parallel 2");
  AddRun(app, flags.run);
  unload::UnloadInput& input = flags.input;
  Section section(app, "How it runs");
  section.Switch(Flag("redo_changed"), input.redo_changed,
                 "Unloads again, under a new prefix, the slices of partitions that the proof found "
                 "to have changed in the table since.");
  AddPaceFlags(section, input);
  section.Text(Flag("state"), input.state, "local|s3",
               "Where the run's memory is taken from: --state_dir, or with s3 from beside the data "
               "in --s3_uri, where the run was begun with --state s3 too. Default: local.");
  AddStateDir(section, input.state_dir);
  section.Text(Flag("s3_uri", "s"), input.s3_uri, "URI",
               "With --state s3, the run's destination, where its memory lies.");
  AddJsonFlag(app, flags.json, "events and the summary");
  AddSessionFlags(app, flags.session, /*short_region=*/true);
  app.final_callback([&input] {
    if (input.state == "s3" && input.s3_uri.empty()) {
      throw CLI::ValidationError("--state s3", "needs --s3_uri, the run's destination");
    }
    if (input.state != "s3" && !input.s3_uri.empty()) {
      throw CLI::ValidationError("--s3_uri", "has no effect without --state s3");
    }
  });
  return ParseFlags(app, argc, argv);
}

std::optional<ExitCode> ParseLook(int argc, const char* const* argv, UnloadFlags& flags) {
  const bool status = flags.command == Command::kStatus;
  CLI::App app(status ? kStatusAbout : kListAbout, status ? "ts-unload status" : "ts-unload list");
  app.footer(std::string("Exit codes: those of ts-unload.\nExample: ts-unload ") +
             (status ? "status last --json" : "list"));
  if (status) AddRun(app, flags.run);
  Section section(app, "Where runs are remembered");
  AddStateDir(section, flags.input.state_dir);
  AddJsonFlag(app, flags.json, status ? "the run" : "each run");
  return ParseFlags(app, argc, argv);
}

}  // namespace

std::optional<ExitCode> ParseUnloadFlags(int argc, const char* const* argv, UnloadFlags& flags) {
  flags.command = Commands().Of(argc, argv);
  switch (flags.command) {
    case Command::kRun:
      return ParseRun(argc, argv, flags);
    case Command::kResume:
      return ParseResume(argc - 1, argv + 1, flags);
    case Command::kStatus:
    case Command::kList:
      return ParseLook(argc - 1, argv + 1, flags);
  }
  return ExitCode::kUsage;
}

}  // namespace tsm::apps
