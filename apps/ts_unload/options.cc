#include "ts_unload/options.h"

#include <CLI/CLI.hpp>
#include <string>

#include "tsm/core/version.h"

namespace tsm::apps {

namespace {

constexpr const char* kDescription =
    "ts-unload writes a table of Amazon Timestream for LiveAnalytics, or a time range of it, to S3 "
    "as CSV files by one UNLOAD, and proves the result: rows against the manifest, the manifest "
    "against the objects. ts-batchload loads what it wrote into another table.";

constexpr const char* kFooter =
    "Exit codes: 0 done and proven; 2 a flag is wrong, the table or bucket does not exist, or the "
    "destination holds another unload; 3 credentials, configuration, permission or this machine; "
    "4 the proof failed, each difference named; 5 the service refused or is not reachable; "
    "130 interrupted.\n"
    "Example: ts-unload --region eu-west-1 --database sourcedb --table myTable --partition day "
    "--s3_uri s3://my-bucket/unload";

void AddSourceFlags(CLI::App& app, unload::UnloadInput& input) {
  const std::string group = "What is unloaded";
  app.add_option(Flag("database", "d"), input.database, "The database of the table.")
      ->group(group)
      ->required()
      ->type_name("NAME");
  app.add_option(Flag("table", "t"), input.table, "The table.")
      ->group(group)
      ->required()
      ->type_name("NAME");
  app.add_option(Flag("from_time", "f"), input.from_time,
                 "Unloads rows from this time on, in UTC: \"2024-02-26 17:24:38.270000000\", or "
                 "any shorter form down to the day. Default: from the first row.")
      ->group(group)
      ->type_name("TIME");
  app.add_option(Flag("end_time", "e"), input.end_time,
                 "Unloads rows before this time; the time itself is not included. Default: to the "
                 "last row.")
      ->group(group)
      ->type_name("TIME");
}

void AddDestinationFlags(CLI::App& app, unload::UnloadInput& input) {
  const std::string group = "Where it goes";
  app.add_option(Flag("s3_uri", "s"), input.s3_uri,
                 "The destination, s3://BUCKET/PREFIX; the bucket must exist, in the table's "
                 "region. Default: the bucket timestream-unload-<database>-<table>-<account>, in "
                 "lower case, created where it is missing.")
      ->group(group)
      ->type_name("URI");
  app.add_option(Flag("partition", "p"), input.partition,
                 "Puts the rows of each hour, day, month or year (UTC) into a folder "
                 "partition_date=... of their own. UNLOAD takes at most 100 partitions. Default: "
                 "one folder for all.")
      ->group(group)
      ->type_name("hour|day|month|year");
  app.add_option(Flag("order_by"), input.order_by,
                 "With \"time\" each file's rows are in the order of time; this costs the service "
                 "memory and time. Default: in no order.")
      ->group(group)
      ->type_name("time");
  app.add_option(Flag("iam_role_arn", "i"), input.iam_role_arn,
                 "Adds two statements to the bucket's policy that let this role get the objects "
                 "and list the bucket; what the policy says already is kept. Default: the policy "
                 "is left alone.")
      ->group(group)
      ->type_name("ARN");
}

}  // namespace

std::optional<ExitCode> ParseUnloadFlags(int argc, const char* const* argv, UnloadFlags& flags) {
  CLI::App app(kDescription, "ts-unload");
  app.footer(kFooter);
  app.set_version_flag("--version", "ts-unload " + std::string(Version()));
  AddSourceFlags(app, flags.input);
  AddDestinationFlags(app, flags.input);
  AddSessionFlags(app, flags.session, /*short_region=*/true);
  return ParseFlags(app, argc, argv);
}

}  // namespace tsm::apps
