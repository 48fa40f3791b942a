#include "tsm/model/data_model_generate.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "model_columns.h"
#include "tsm/timestream/limits.h"

namespace tsm::model {
namespace {

using timestream::ColumnRole;
using timestream::Measure;
using timestream::SchemaColumn;

constexpr std::string_view kMultiType = "multi";

class Generator {
 public:
  explicit Generator(const ModelSource& source)
      : source_(source), left_out_(source.left_out.begin(), source.left_out.end()) {}

  Result<GeneratedModel> Run() {
    for (const auto step : {&Generator::CheckHeader, &Generator::SortColumns,
                            &Generator::MapMeasureName, &Generator::MapMeasures}) {
      if (Status status = (this->*step)(); !status) return status.error();
    }
    AddNotes();
    if (Status status = CheckDataModel(out_.model); !status) {
      return status.error().With("the data model of the table");
    }
    return std::move(out_);
  }

 private:
  bool Carried(const std::string& column) const { return !left_out_.contains(column); }

  // A batch load finds columns by name: each name may stand in the header once.
  Status CheckHeader() {
    if (source_.time_column.empty()) {
      return Misfit("nothing to map: the files have no column with the time as a number");
    }
    std::vector<std::string> added{source_.time_column};
    for (const auto& [column, alias] : source_.timestamp_aliases) added.push_back(alias);
    std::set<std::string> header;
    for (const SchemaColumn& column : source_.schema.columns) {
      if (Carried(column.name)) header.insert(column.name);
    }
    for (const std::string& alias : added) {
      if (!header.insert(alias).second) {
        return Misfit("the files have two columns named " + Quoted(alias));
      }
    }
    out_.model.time_column = source_.time_column;
    out_.model.time_unit = TimeUnit::kNanoseconds;
    return Ok();
  }

  Status SortColumns() {
    for (const SchemaColumn& column : source_.schema.columns) {
      if (column.role == ColumnRole::kDimension) {
        if (Carried(column.name)) {
          out_.model.dimensions.push_back({column.name, column.name});
        } else {
          lost_dimensions_.push_back(column.name);
        }
      }
      if (!IsMeasureColumn(column)) continue;
      if (Status status = AddMeasureColumn(column); !status) return status;
    }
    if (source_.measures.empty()) {
      return Misfit("nothing to map: the table has no measures; it may never have been written");
    }
    if (out_.model.dimensions.empty()) {
      return Misfit("nothing to map: the files have no dimension, and a batch load needs one");
    }
    if (attributes_.empty() && values_.empty()) {
      return Misfit("nothing to map: the files have no column with measure values");
    }
    return Ok();
  }

  Status AddMeasureColumn(const SchemaColumn& column) {
    const auto alias = source_.timestamp_aliases.find(column.name);
    const bool has_alias = column.type == "timestamp" && alias != source_.timestamp_aliases.end();
    if (!Carried(column.name) && !has_alias) {
      lost_measures_.push_back(column.name);
      return Ok();
    }
    const std::optional<MeasureType> type = ParseColumnType(column.type);
    if (!type) {
      return Misfit("the column " + Quoted(column.name) + " has the type " + Quoted(column.type) +
                    ", which no data model can name");
    }
    std::string source = column.name;
    if (type == MeasureType::kTimestamp) {
      if (!has_alias) {
        textual_timestamps_.push_back(column.name);
        return Ok();
      }
      source = alias->second;
      timestamps_.push_back(column.name);
    }
    if (column.role == ColumnRole::kMulti) {
      attributes_.push_back({source, column.name, *type});
    } else {
      values_.emplace(column.type, source);
    }
    return Ok();
  }

  Status MapMeasureName() {
    for (const SchemaColumn& column : source_.schema.columns) {
      if (column.role == ColumnRole::kMeasureName && Carried(column.name)) {
        out_.model.measure_name_column = column.name;
        return Ok();
      }
    }
    // Without the column every row gets the one name that the model gives.
    std::set<std::string> names;
    for (const Measure& measure : source_.measures) names.insert(measure.name);
    if (names.size() == 1) return Ok();
    return Misfit("the files do not have the column measure_name, and the table has " +
                  std::to_string(names.size()) +
                  " measure names: which row is of which can't be told");
  }

  Status MapMeasures() {
    bool single = false;
    bool multi = false;
    for (const Measure& measure : source_.measures) {
      const bool is_multi = measure.data_type == kMultiType;
      if (is_multi ? attributes_.empty() : !values_.contains(measure.data_type)) {
        valueless_.push_back(measure.name);
        continue;
      }
      (is_multi ? multi : single) = true;
      mapped_.push_back(&measure);
    }
    if (mapped_.empty()) {
      return Misfit("nothing to map: the files have values of none of the table's measures");
    }
    if (multi) {
      if (Status status = CheckAttributeCount(); !status) return status;
    }
    if (!single) {
      MapMulti();
      return Ok();
    }
    for (const Measure* measure : mapped_) MapMixed(*measure);
    return Ok();
  }

  Status CheckAttributeCount() {
    if (attributes_.size() <= timestream::kMaxMeasuresPerMultiMeasureRecord) return Ok();
    return Misfit("the table has " + std::to_string(attributes_.size()) +
                  " multi-measure columns; a multi-measure record takes " +
                  std::to_string(timestream::kMaxMeasuresPerMultiMeasureRecord) +
                  ", and Timestream does not tell which measure name has which columns: unload "
                  "fewer columns, or write a data model with a mapping of type MULTI for each "
                  "measure name");
  }

  void MapMulti() {
    MultiMeasureMappings multi;
    multi.attributes = attributes_;
    if (out_.model.measure_name_column.empty()) multi.target_name = mapped_.front()->name;
    out_.model.multi = std::move(multi);
  }

  void MapMixed(const Measure& measure) {
    // A line of SHOW MEASURES that only differs in its dimensions needs no mapping of its own.
    if (!pairs_.emplace(measure.name, measure.data_type).second) return;
    // AWS IoT's documentation has writes of a second type refused, so that no table should list
    // one: https://docs.aws.amazon.com/iot/latest/developerguide/timestream-rule-action.html
    if (++types_of_[measure.name] == 2) several_types_.push_back(measure.name);
    MixedMeasureMapping mapping;
    mapping.measure_name = measure.name;
    mapping.target_name = measure.name;
    if (measure.data_type == kMultiType) {
      mapping.type = MeasureType::kMulti;
      mapping.attributes = attributes_;
      multi_names_.push_back(measure.name);
    } else {
      mapping.type =
          *ParseColumnType(measure.data_type);  // values_ has it: its column's type parsed
      mapping.source_column = values_.at(measure.data_type);
    }
    out_.model.mixed.push_back(std::move(mapping));
  }

  void Note(const std::string& before, const std::vector<std::string>& names,
            const std::string& after = "") {
    if (!names.empty()) out_.notes.push_back(before + ": " + QuotedList(names) + after);
  }

  void AddNotes() {
    Note("dimensions not in the files", lost_dimensions_,
         ". Rows that differ in nothing else become one row");
    Note("measures not in the files, so not in the target", lost_measures_);
    Note("TIMESTAMP measures not mapped, as the files have them as text only", textual_timestamps_);
    Note("measures whose values are not in the files", valueless_,
         ". A batch load can't take their rows");
    Note("columns not mapped, as the table lists no measure of theirs", UnusedColumns());
    Note("TIMESTAMP measures, loaded from nanoseconds since 1970", timestamps_,
         ". AWS documents no form for them in CSV files: look at the first rows that are loaded");
    Note("measure names with values of several types, with a mapping for each", several_types_,
         ". AWS does not document whether a batch load takes two mappings of one MeasureName: load "
         "a small part first");
    if (multi_names_.size() < 2) return;
    Note(
        "multi-measure names that each map every multi-measure column, as Timestream does not "
        "tell which are theirs (empty fields are skipped)",
        multi_names_);
  }

  std::vector<std::string> UnusedColumns() const {
    std::vector<std::string> columns;
    const auto used = [this](const std::string& type) {
      return std::any_of(mapped_.begin(), mapped_.end(),
                         [&type](const Measure* measure) { return measure->data_type == type; });
    };
    if (!used(std::string(kMultiType))) {
      for (const AttributeMapping& mapping : attributes_) columns.push_back(mapping.target_name);
    }
    for (const auto& [type, column] : values_) {
      if (!used(type)) columns.push_back(column);
    }
    return columns;
  }

  const ModelSource& source_;
  std::set<std::string> left_out_;
  GeneratedModel out_;

  std::vector<AttributeMapping> attributes_;   // of every MULTI column
  std::map<std::string, std::string> values_;  // "double" -> "measure_value::double"
  std::vector<const Measure*> mapped_;
  std::set<std::pair<std::string, std::string>> pairs_;  // name and type of each mixed mapping
  std::map<std::string, int> types_of_;                  // measure name -> its mixed mappings

  std::vector<std::string> lost_dimensions_;
  std::vector<std::string> lost_measures_;
  std::vector<std::string> textual_timestamps_;
  std::vector<std::string> timestamps_;
  std::vector<std::string> valueless_;
  std::vector<std::string> several_types_;
  std::vector<std::string> multi_names_;
};

}  // namespace

Result<GeneratedModel> GenerateDataModel(const ModelSource& source) {
  return Generator(source).Run();
}

}  // namespace tsm::model
