// What ts-unload left in a bucket, made up for the tests of the plan: data files, manifests, run
// records, and a request to load them. For one thread.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "run/run_dir.h"
#include "support/fake_object_store.h"
#include "tsm/batchload/plan_source.h"
#include "tsm/core/time_text.h"
#include "tsm/run/file_spool.h"
#include "tsm/run/run_record.h"

namespace tsm::test {

struct WorldFile {
  std::string folder;  // below results/: "partition_date=2024-02-26/" or ""
  std::uint64_t size = 10;
  std::uint64_t rows = 1;
};

inline UnixNanos At(std::string_view text) { return *ParseTimestamp(text); }

class SourceWorld {
 public:
  SourceWorld() {
    request.bucket = *s3::BucketName::Parse("src");
    request.prefix = "unload/";
    request.run_id = "L1";
    request.run_directory = dir.path();
    request.target_database = "targetdb";
    request.target_table = "t";
    store.buckets["src"];
  }

  void Copy(const std::string& destination_prefix = "") {
    request.copy = true;
    request.destination_prefix = destination_prefix;
  }

  // The i-th file's key below `to`.
  static std::string DataKey(const std::string& to, const std::string& query,
                             const std::string& folder, std::size_t i,
                             const std::string& suffix = ".csv") {
    std::string number = std::to_string(i);
    number.insert(0, 16 - number.size(), '0');
    return to + "results/" + folder + query + "_12_" + number + suffix;
  }
  static std::string ManifestKey(const std::string& to, const std::string& query) {
    return to + query + "_12_abcdefghijklmnop_manifest.json";
  }

  // Files and manifest of an UNLOAD to `to` ("" or ends in '/').
  void PutUnload(const std::string& to, const std::string& query,
                 const std::vector<WorldFile>& files, const std::string& suffix = ".csv") {
    std::string list;
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < files.size(); ++i) {
      const std::string key = DataKey(to, query, files[i].folder, i, suffix);
      store.PutSize("src/" + key, files[i].size);
      list += (i == 0 ? "" : ",") + std::string(R"({"url":"s3://src/)") + key +
              R"(","file_metadata":{"content_length_in_bytes":)" + std::to_string(files[i].size) +
              R"(,"row_count":)" + std::to_string(files[i].rows) + "}}";
      rows += files[i].rows;
      bytes += files[i].size;
    }
    store.Put("src/" + ManifestKey(to, query),
              R"({"result_files":[)" + list +
                  R"(],"query_metadata":{"total_content_length_in_bytes":)" +
                  std::to_string(bytes) + R"(,"total_row_count":)" + std::to_string(rows) +
                  R"(,"result_format":"CSV"}})");
  }

  // The same with its slice in `record`; without an attempt it lies flat.
  run::RecordSlice& AddSlice(run::RunRecord& record, const std::string& base,
                             const std::string& attempt, const std::string& from,
                             const std::string& end, const std::vector<WorldFile>& files,
                             const std::string& suffix = ".csv") {
    run::RecordSlice slice;
    slice.id = std::to_string(10'001 + record.slices.size()).substr(1);
    slice.attempt = attempt.empty() ? "flat01" : attempt;
    slice.from = At(from);
    slice.end = At(end);
    const std::string to =
        attempt.empty() ? base : base + "results/" + slice.id + "-" + attempt + "/";
    slice.to = "s3://src/" + to.substr(0, to.size() - 1);
    slice.query_id = "QUERY" + slice.id;
    if (!files.empty()) {
      PutUnload(to, slice.query_id, files, suffix);
      slice.manifest_uri = "s3://src/" + ManifestKey(to, slice.query_id);
    }
    for (const WorldFile& file : files) {
      slice.rows += file.rows;
      slice.bytes += file.size;
    }
    slice.files = files.size();
    record.rows += slice.rows;
    record.slices.push_back(slice);
    return record.slices.back();
  }

  static run::RunRecord Record(const std::string& run_id, const std::string& table = "mine") {
    run::RunRecord record;
    record.run_id = run_id;
    record.source = *timestream::TableRef::Make("sourcedb", table);
    record.region = "eu-west-1";
    record.partition = "day";
    record.partition_alias = "partition_date";
    record.time_alias = "nanoseconds";
    record.state = run::RunState::kDone;
    record.started_at = "2024-03-01T00:00:00Z";
    record.finished_at = "2024-03-01T01:00:00Z";
    record.verify = "count";
    record.verified = "equal";
    return record;
  }

  // With the range of its slices.
  void PutRecord(const std::string& base, run::RunRecord record) {
    if (!record.slices.empty()) {
      record.from = record.slices.front().from;
      record.end = record.slices.back().end;
    }
    store.Put("src/" + base + "tsm-run-" + record.run_id + ".json", run::ToJson(record));
  }

  Result<batchload::PlannedSource> Plan() {
    return batchload::PlanSource(request, store.s3(), sink, {});
  }
  // The error's text, "" where there is none.
  std::string Refusal() {
    const auto planned = Plan();
    return planned ? "" : planned.error().Text();
  }
  ErrorKind RefusalKind() {
    const auto planned = Plan();
    return planned ? ErrorKind::kService : planned.error().kind;
  }

  std::vector<run::SpooledFile> Files(const batchload::PlannedSource& planned,
                                      std::size_t table = 0) const {
    std::vector<run::SpooledFile> files;
    auto reader = run::FileSpoolReader::Open(dir.path() / planned.tables[table].spool);
    EXPECT_TRUE(reader);
    for (;;) {
      auto file = (*reader)->Next();
      EXPECT_TRUE(file) << file.error().Text();
      if (!file || !*file) return files;
      files.push_back(**file);
    }
  }

  // "g0001 label prefix files rows" of each group.
  static std::vector<std::string> Lines(const batchload::PlannedSource& planned) {
    std::vector<std::string> lines;
    for (const batchload::LoadGroup& group : planned.groups) {
      lines.push_back(group.id + " " + group.label + " " + group.prefix + " " +
                      std::to_string(group.files) + " " +
                      (group.rows ? std::to_string(*group.rows) : "?"));
    }
    return lines;
  }

  RunDir dir;
  FakeObjectStore store;
  NoticeSink sink;
  batchload::SourceRequest request;
};

inline WorldFile Day(int day, std::uint64_t rows = 1, std::uint64_t size = 10) {
  return {"partition_date=2024-02-" + std::to_string(100 + day).substr(1) + "/", size, rows};
}

// Two slices of their own folders that share February 10th; a third one without rows.
inline run::RunRecord Nested(SourceWorld& world, const std::string& base,
                             const std::string& run_id = "R1", const std::string& table = "mine") {
  run::RunRecord record = SourceWorld::Record(run_id, table);
  world.AddSlice(record, base, "aaaaaa", "2024-02-09", "2024-02-10 12:00",
                 {Day(9, 5), Day(9, 6), Day(10, 7)});
  world.AddSlice(record, base, "bbbbbb", "2024-02-10 12:00", "2024-02-20",
                 {Day(10, 1), Day(11, 2)});
  world.AddSlice(record, base, "cccccc", "2024-02-20", "2024-02-21", {});
  world.PutRecord(base, record);
  return record;
}

}  // namespace tsm::test
