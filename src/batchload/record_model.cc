#include "tsm/batchload/record_model.h"

#include <algorithm>

namespace tsm::batchload {

model::ModelSource SourceOf(const run::RunRecord& record) {
  model::ModelSource source;
  source.schema = record.schema;
  source.measures = record.measures;
  source.time_column = record.time_alias;
  source.timestamp_aliases.insert(record.timestamps.begin(), record.timestamps.end());
  if (record.columns.empty()) return source;
  // Columns that the files are partitioned by stay in them: UNLOAD is given copies.
  for (const timestream::SchemaColumn& column : record.schema.columns) {
    const bool chosen = std::find(record.columns.begin(), record.columns.end(), column.name) !=
                        record.columns.end();
    if (!chosen) source.left_out.push_back(column.name);
  }
  return source;
}

model::RowCounts CountsOf(const run::RunRecord& record) {
  if (record.state != run::RunState::kDone || record.non_null.empty()) return {};
  model::RowCounts counts{.rows = record.rows, .non_null = record.non_null};
  if (record.verified == "equal") return counts;
  // Rows expired between unload and count: the counts are of fewer rows, each of which has a name.
  const auto named = record.non_null.find("measure_name");
  if (named == record.non_null.end()) return {};
  counts.rows = named->second;
  return counts;
}

DataRange RangeOf(const run::RunRecord& record) {
  DataRange range;
  for (const run::RecordSlice& slice : record.slices) {
    if (slice.rows == 0) continue;
    if (!range.oldest || slice.from < *range.oldest) range.oldest = slice.from;
    if (!range.end || slice.end > *range.end) range.end = slice.end;
  }
  return range;
}

Result<model::GeneratedModel> GenerateFromRecord(const run::RunRecord& record) {
  const std::string where = "the data model of " + record.source.str() + " by the run record";
  if (record.format.format != "CSV") {
    return MakeError(ErrorKind::kInvalidInput,
                     "the files are " + record.format.format + ", and batch load reads CSV only")
        .With(where);
  }
  if (!record.format.include_header) {
    return MakeError(ErrorKind::kInvalidInput,
                     "the files have no header, by which batch load finds columns: unload again "
                     "with --include_header true")
        .With(where);
  }
  Result<model::GeneratedModel> generated = model::GenerateDataModel(SourceOf(record));
  if (!generated) return generated.error().With(where);
  return generated;
}

}  // namespace tsm::batchload
