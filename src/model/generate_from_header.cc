// The data model of files without a record: each column by its name in the target.
#include <algorithm>
#include <set>
#include <utility>

#include "model_columns.h"
#include "tsm/core/text.h"
#include "tsm/model/data_model_generate.h"

namespace tsm::model {
namespace {

using timestream::ColumnRole;
using timestream::SchemaColumn;

// As ts-unload names the columns that it adds.
constexpr const char* kTimeAlias = "nanoseconds";
constexpr const char* kTimestampSuffix = "_nanoseconds";
constexpr int kMaxAliases = 9;
constexpr const char* kMultiType = "multi";

bool Holds(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// The first of "nanoseconds", "nanoseconds_2", ... that is no column of the table, if the files
// have it.
std::string TimeAlias(const HeaderSource& source) {
  std::string alias = kTimeAlias;
  for (int i = 2; source.schema.Has(alias) && i <= kMaxAliases; ++i) {
    alias = std::string(kTimeAlias) + "_" + std::to_string(i);
  }
  return Holds(source.header, alias) && !source.schema.Has(alias) ? alias : "";
}

Result<std::string> TimeColumn(const HeaderSource& source) {
  if (!source.time_column.empty()) {
    if (Holds(source.header, source.time_column)) return source.time_column;
    return Misfit(source.file + " has no column " + Quoted(source.time_column) +
                  " to take the time from");
  }
  const std::string alias = TimeAlias(source);
  if (!alias.empty()) return alias;
  return Misfit(source.file + " has no column " + Quoted(kTimeAlias) +
                ", in which ts-unload writes the time as a whole number: write a data model that "
                "names the TimeColumn and its TimeUnit, and give it with --data_model_file");
}

class ByHeader {
 public:
  explicit ByHeader(const HeaderSource& source) : source_(source) {}

  Result<GeneratedModel> Run() {
    if (source_.schema.columns.empty()) {
      return Misfit("no data model can be made: no run record tells the columns of " +
                    source_.file + ", and the table " + source_.table +
                    " has none yet. Give --data_model_file, or the run record with --unload_run");
    }
    Result<std::string> time = TimeColumn(source_);
    if (!time) return time.error();
    model_.time_column = *time;
    model_.schema = source_.schema;
    MatchColumns();
    if (Status status = CheckUnknown(); !status) return status.error();
    if (Status status = TakeMeasures(); !status) return status.error();
    Result<GeneratedModel> generated = GenerateDataModel(model_);
    if (!generated) return generated.error().With(source_.file + " and " + source_.table);
    generated->model.time_unit = source_.time_unit;
    if (!generated->model.mixed.empty()) {
      generated->notes.push_back("only the measure names that " + source_.table +
                                 " has already are mapped: rows of others are refused");
    }
    return generated;
  }

 private:
  void MatchColumns() {
    const std::set<std::string> header(source_.header.begin(), source_.header.end());
    for (const SchemaColumn& column : source_.schema.columns) {
      if (!header.contains(column.name)) model_.left_out.push_back(column.name);
      if (!IsMeasureColumn(column) || column.type != "timestamp") continue;
      // The TimeUnit is thought to hold for TIMESTAMP measures too.
      if (source_.time_unit != TimeUnit::kNanoseconds) continue;
      const std::string alias = column.name + kTimestampSuffix;
      if (header.contains(alias) && !source_.schema.Has(alias)) {
        model_.timestamp_aliases.emplace(column.name, alias);
      }
    }
    // The model reads it as time; the table's own column of that name gets nothing.
    if (source_.schema.Has(model_.time_column)) model_.left_out.push_back(model_.time_column);
  }

  Status CheckUnknown() const {
    std::vector<std::string> unknown;
    for (const std::string& name : source_.header) {
      const bool alias =
          std::any_of(model_.timestamp_aliases.begin(), model_.timestamp_aliases.end(),
                      [&name](const auto& entry) { return entry.second == name; });
      if (source_.schema.Has(name) || alias || name == model_.time_column) continue;
      unknown.push_back(OneLine(name, 80));
    }
    if (unknown.empty()) return Ok();
    return Misfit("no data model can be made: " + source_.file + " has columns that " +
                  source_.table + " does not know: " + QuotedList(unknown) +
                  ". Whether they are dimensions, without which rows fold together, can't be told: "
                  "give --data_model_file, or the run record with --unload_run");
  }

  // Multi-measure rows carry their names, so that none need be known.
  Status TakeMeasures() {
    model_.measures = source_.measures;
    if (!model_.measures.empty()) return Ok();
    for (const SchemaColumn& column : source_.schema.columns) {
      const bool carried = !Holds(model_.left_out, column.name);
      if (column.role == ColumnRole::kMeasureValue && carried) {
        return Misfit("no data model can be made: the measure names of " + source_.table +
                      " are not known, and its column " + Quoted(column.name) +
                      " needs a mapping for each: give --data_model_file");
      }
      if (column.role == ColumnRole::kMeasureName && !carried) {
        return Misfit("no data model can be made: " + source_.file + " has no column " +
                      Quoted(column.name) + ": give --data_model_file");
      }
    }
    model_.measures.push_back({.name = "", .data_type = kMultiType, .dimensions = {}});
    return Ok();
  }

  const HeaderSource& source_;
  ModelSource model_;
};

}  // namespace

Result<GeneratedModel> GenerateFromHeader(const HeaderSource& source) {
  return ByHeader(source).Run();
}

}  // namespace tsm::model
