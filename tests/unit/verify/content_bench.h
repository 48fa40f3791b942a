// An unloaded table with the aggregates that its unload left, and the table it was loaded into.
#pragma once

#include <array>
#include <utility>

#include "tsm/core/text.h"
#include "tsm/core/time_text.h"
#include "tsm/run/content_queries.h"
#include "tsm/timestream/query_sql.h"
#include "verify/verify_bench.h"

namespace tsm::test {

// db.source was unloaded in two slices of two days each, and db.t holds its rows.
struct ContentBench : VerifyBench {
  ContentBench() {
    using timestream::ColumnRole;
    FakeRows& from = Source();
    from.columns = {{"city", "varchar", ColumnRole::kDimension},
                    {"measure_name", "varchar", ColumnRole::kMeasureName},
                    {"time", "timestamp", ColumnRole::kTimestamp},
                    {"temperature", "double", ColumnRole::kMulti},
                    {"visits", "bigint", ColumnRole::kMulti},
                    {"open", "boolean", ColumnRole::kMulti},
                    {"seen", "timestamp", ColumnRole::kMulti}};
    for (int i = 0; i < 40; ++i) {
      FakeRow row;
      row.time = kFebruary26 + i * (kDay / 10) + 123;
      row.values = {{"city", i % 2 == 0 ? "Oslo" : "Bergen"}, {"measure_name", "weather"}};
      if (i % 4 != 3) row.values["temperature"] = std::to_string(i) + ".25";
      if (i % 5 != 4) row.values["visits"] = std::to_string((i - 20) * 9'000'000'000);
      row.values["open"] = i % 3 == 0 ? "true" : "false";
      row.values["seen"] = FormatTimestamp(row.time + 7);
      from.rows.push_back(row);
    }
    Rows() = from;

    request.table = table;
    request.bucket = s3::BucketName::Parse("bkt").value();
    run::RunRecord& record = request.record;
    record.source = {"db", "source"};
    record.partition = "day";
    record.time_alias = "nanoseconds";
    record.timestamps = {{"seen", "seen_ns"}};
    record.schema.columns = from.columns;
    record.measures = {{"weather", "multi", {}}};
    record.content_prefix = "unload/tsm-content-r1/";
    AddSlice("0001", kFebruary26, kFebruary26 + 2 * kDay);
    AddSlice("0002", kFebruary26 + 2 * kDay, kFebruary26 + 4 * kDay);

    model::DataModel& model = request.model;
    model.time_column = "nanoseconds";
    model.time_unit = model::TimeUnit::kNanoseconds;
    model.measure_name_column = "measure_name";
    model.dimensions = {{"city", "city"}};
    model.multi =
        model::MultiMeasureMappings{"",
                                    {{"temperature", "temperature", model::MeasureType::kDouble},
                                     {"visits", "visits", model::MeasureType::kBigint},
                                     {"open", "open", model::MeasureType::kBoolean},
                                     {"seen_ns", "seen", model::MeasureType::kTimestamp}}};
  }

  verify::ContentRequest request;

  FakeRows& Source() { return service.tables[{"db", "source"}]; }
  void AddSlice(const std::string& id, UnixNanos from, UnixNanos end) {
    run::RecordSlice slice;
    slice.id = id;
    slice.from = from;
    slice.end = end;
    request.record.slices.push_back(slice);
  }

  // As ts-unload does it, a slice at a time.
  void WriteSlice(const std::string& id, UnixNanos from, UnixNanos end) {
    const run::ContentScope scope{{"db", "source"},
                                  timestream::ParsePartitionUnit(request.record.partition)
                                      .value_or(timestream::PartitionUnit::kNone),
                                  " WHERE " + timestream::TimeSql(from, end)};
    std::vector<run::ContentColumn> columns;
    for (const auto& column : Source().columns) columns.push_back({column.name, column.type});
    std::string lines;
    for (const auto& chunk : run::ContentChunks(scope, columns)) {
      const auto page =
          clients.Services().query.Collect(run::ContentSql(scope, chunk), stop.get_token());
      for (const timestream::Row& row : page->rows) {
        lines += run::ContentLine(run::ParseContentRow(chunk, *page, row).value());
      }
    }
    service.behind.Put("bkt", request.record.content_prefix + id + ".jsonl", lines);
  }
  void WriteContent() {
    WriteSlice("0001", kFebruary26, kFebruary26 + 2 * kDay);
    WriteSlice("0002", kFebruary26 + 2 * kDay, kFebruary26 + 4 * kDay);
  }

  // A column of the loaded table under another name or of another type.
  void Rename(const std::string& column, const std::string& name) {
    for (auto& found : Rows().columns) {
      if (found.name == column) found.name = name;
    }
    for (FakeRow& row : Rows().rows) {
      auto node = row.values.extract(column);
      if (node.empty()) continue;
      node.key() = name;
      row.values.insert(std::move(node));
    }
  }
  void Retype(const std::string& column, const std::string& type) {
    for (auto& found : Rows().columns) {
      if (found.name == column) found.type = type;
    }
  }
  void Drop(const std::string& column) {
    Rename(column, "dropped");
    std::erase_if(Rows().columns, [](const auto& found) { return found.name == "dropped"; });
  }

  Result<verify::ContentVerdict> Verify() {
    s3::S3Client& s3 = clients.Services().s3;
    return verify::VerifyContent(request, s3, Services(), stop.get_token());
  }
};

}  // namespace tsm::test
