// What --help of ts-batchload and of each of its commands says above and below the flags.
#pragma once

namespace tsm::apps {

inline constexpr const char* kAbout =
    "ts-batchload loads what ts-unload wrote to S3 into tables of Amazon Timestream for "
    "LiveAnalytics: it copies the files to a bucket in the table's region where asked, runs "
    "batch-load tasks as many at a time as the account allows, and proves that every row arrived.\n"
    "Five commands beside it: ts-batchload check, ts-batchload resume, ts-batchload verify, "
    "ts-batchload status, ts-batchload list; each has its own --help.";

inline constexpr const char* kFooter =
    "Exit codes: 0 done and proven; 1 some groups failed, each listed, and the run can be resumed; "
    "2 a flag, a file or the data model is wrong, or something is in the way; 3 credentials, "
    "configuration, permission or this machine; 4 the proof failed, each difference named; "
    "5 the service refused or is not reachable; 130 interrupted, and the run can be resumed.\n"
    "Examples:\n"
    "ts-batchload --database targetdb --table myTable --create_timestream_resource "
    "--partition_key city --s3_target_bucket my-bucket --destination_s3_prefix unload/results/ "
    "--s3_target_error_bucket my-errors\n"
    "ts-batchload --region us-west-2 --copy_s3_bucket --s3_source_bucket_location source-bucket "
    "--source_s3_prefix unload/ --s3_target_bucket my-bucket --database targetdb --table myTable\n"
    "ts-batchload status last\n"
    "ts-batchload resume last";

inline constexpr const char* kCheckAbout =
    "Looks at everything that a run would look at before its first change (source, data model "
    "against a real file's header and the target, keys, buckets, retention), tells what it found, "
    "and changes nothing.";

inline constexpr const char* kResumeAbout =
    "Goes on with a run that was interrupted, or some groups of which failed: what is copied and "
    "loaded stays, tasks that still run are followed. Sources, tables and data model are those of "
    "the run.";

inline constexpr const char* kStatusAbout =
    "Tells from the run's own memory where it stands: copies, groups, tasks, rows. Makes no "
    "request.";

inline constexpr const char* kListAbout =
    "Lists the loads that this machine remembers, the latest last, each with its state. Makes no "
    "request.";

inline constexpr const char* kVerifyAbout =
    "Proves a run's tables again: rows by partition against what was unloaded, or with --verify "
    "content each column's aggregates against those that ts-unload --verify content kept.";

}  // namespace tsm::apps
