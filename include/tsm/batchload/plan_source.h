// From a source prefix to what a load does: which files there are and what they must hold (by the
// record that ts-unload left, else by the listing and the manifests), where they go, and in which
// groups they are loaded. Reads S3, writes the file spools of the run directory, changes nothing
// else. Memory grows with slices, folders and groups, not with files. Blocks.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tsm/batchload/load_plan.h"
#include "tsm/core/progress.h"
#include "tsm/core/result.h"
#include "tsm/run/run_record.h"
#include "tsm/s3/s3_client.h"

namespace tsm::batchload {

struct SourceRequest {
  s3::BucketName bucket;  // where the files lie: the target bucket where nothing is copied
  std::string prefix;     // below which they lie: "" or ends in '/'
  bool copy = false;
  bool copy_only = false;          // implies copy
  std::string destination_prefix;  // with copy: before each source key; "" or ends in '/'
  bool safe_prefixes = false;      // --safe_prefixes: folders without '=' and the like
  GroupBy group_by = GroupBy::kPartition;
  Verify verify = Verify::kCount;
  std::string unload_run;               // --unload_run: the run id of the record that counts, or ""
  std::string target_database;          // "": as the source's
  std::string target_table;             // "": as the source's
  timestream::TableRef unrecorded;      // the target of files that no record tells the source of
  std::string run_id;                   // of this load: names the folders of packed groups
  std::filesystem::path run_directory;  // exists
};

// What is known of a table's source beside its TableLoad.
struct SourceFacts {
  // As it was read, but for content_prefix, which is where the aggregates lie now.
  std::optional<run::RunRecord> record;
  // A data file whose header tells the columns; empty where the table has no file.
  s3::ObjectKey sample;
  std::uint64_t sample_bytes = 0;
  // Of the record's files; nothing where there is no record: CsvConfiguration's default.
  std::optional<std::string> column_separator;
  std::optional<std::string> escape_char;
};

struct PlannedSource {
  std::vector<TableLoad> tables;   // all but data_model_json
  std::vector<LoadGroup> groups;   // of all tables, one table's after the other's, in run order
  std::vector<SourceFacts> facts;  // by table
};

// 1. The run record `tsm-run-*.json` is looked for in the prefix and in the folder above it; the
//    index of a run of many tables stands for all of them. Several: --unload_run must choose.
// 2. With a record, each slice's manifest is held against a listing of the slice's results; without
//    one the prefix is listed and the manifests of its files are looked for. A file that is
//    missing, of another size, or that nothing vouches for, is a finding: kInTheWay, or with
//    --verify none a warning, and then no row is expected. A listing without manifests is a finding
//    too.
// 3. Files are grouped (load_groups.h) and spooled in the order of their targets.
//
// With copy_only no record is looked for and no file refused: every object below the prefix is
// copied as it is, manifests, records and gzip too, in groups of up to 1,000 files that no task
// reads; their prefixes are the folders that they lie in, and may be the same.
//
// kInvalidInput: the request contradicts itself, no file was found, a file or folder that batch
// load can't take, a record of another format, several records. kInTheWay: findings, an unload that
// is not finished, foreign objects below a group's prefix (in place). Others as S3's, kLocalIo.
Result<PlannedSource> PlanSource(const SourceRequest& request, s3::S3Client& source,
                                 ProgressSink& sink, std::stop_token stop);

// "files-3.spool": of the table in LoadPlan::tables.
std::string SpoolName(std::size_t table);

}  // namespace tsm::batchload
