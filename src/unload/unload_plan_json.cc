#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "tsm/core/time_text.h"
#include "tsm/run/stored_object.h"
#include "tsm/timestream/schema_json.h"
#include "tsm/unload/unload_plan.h"

namespace tsm::unload {

// Beside its type, where OneOf finds it.
static std::string_view Name(StateStore store) { return store == StateStore::kS3 ? "s3" : "local"; }

namespace {

using nlohmann::ordered_json;
using run::StoredObject;

constexpr int kPlanFormat = 1;
constexpr const char* kTool = "ts-unload";

constexpr std::array kUnits = {PartitionUnit::kNone, PartitionUnit::kHour, PartitionUnit::kDay,
                               PartitionUnit::kMonth, PartitionUnit::kYear};
constexpr std::array kStores = {StateStore::kLocal, StateStore::kS3};
constexpr std::array kFormats = {FileFormat::kCsv, FileFormat::kParquet};
constexpr std::array kCompressions = {Compression::kNone, Compression::kGzip};
constexpr std::array kEncryptions = {Encryption::kSseS3, Encryption::kSseKms};

s3::S3Uri ReadUri(const StoredObject& object, const char* name) {
  Result<s3::S3Uri> uri = s3::S3Uri::Parse(object.Text(name));
  if (!uri) return object.Miss(name), s3::S3Uri();
  return *std::move(uri);
}

// One ASCII character.
char ReadCharacter(const StoredObject& object, const char* name) {
  const std::string text = object.Text(name);
  if (text.size() != 1) return object.Miss(name), '\0';
  return text.front();
}

ordered_json OrNull(const std::optional<std::uint64_t>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json FormatJson(const UnloadFormat& format) {
  return {{"format", Name(format.format)},
          {"compression", Name(format.compression)},
          {"encryption", Name(format.encryption)},
          {"kms_key", format.kms_key},
          {"field_delimiter", std::string(1, format.field_delimiter)},
          {"escaped_by", std::string(1, format.escaped_by)},
          {"include_header", format.include_header},
          {"max_file_size", format.max_file_size}};
}

UnloadFormat ReadFormat(const StoredObject& reader) {
  UnloadFormat format;
  format.format = reader.OneOf(kFormats, "format");
  format.compression = reader.OneOf(kCompressions, "compression");
  format.encryption = reader.OneOf(kEncryptions, "encryption");
  format.kms_key = reader.Text("kms_key");
  format.field_delimiter = ReadCharacter(reader, "field_delimiter");
  format.escaped_by = ReadCharacter(reader, "escaped_by");
  format.include_header = reader.Flag("include_header");
  format.max_file_size = reader.Text("max_file_size");
  return format;
}

ordered_json AliasesJson(const std::vector<AliasedColumn>& columns) {
  ordered_json out = ordered_json::array();
  for (const AliasedColumn& column : columns) {
    out.push_back({{"column", column.column}, {"alias", column.alias}});
  }
  return out;
}

std::vector<AliasedColumn> ReadAliases(const StoredObject& reader, const char* name) {
  std::vector<AliasedColumn> columns;
  reader.ForEach(name, [&](const StoredObject& column) {
    columns.push_back({column.Text("column"), column.Text("alias")});
  });
  return columns;
}

ordered_json SelectJson(const TableSelect& select) {
  return {{"columns", select.columns},
          {"time_alias", select.time_alias},
          {"timestamps", AliasesJson(select.timestamps)},
          {"partition", Name(select.partition)},
          {"partition_alias", select.partition_alias},
          {"partitioned_by", AliasesJson(select.partitioned_by)},
          {"where", select.where},
          {"order_by", select.order_by}};
}

TableSelect ReadSelect(const StoredObject& reader) {
  TableSelect select;
  select.columns = reader.Texts("columns");
  select.time_alias = reader.Text("time_alias");
  select.timestamps = ReadAliases(reader, "timestamps");
  select.partition = reader.OneOf(kUnits, "partition");
  select.partition_alias = reader.Text("partition_alias");
  select.partitioned_by = ReadAliases(reader, "partitioned_by");
  select.where = reader.Text("where");
  select.order_by = reader.Texts("order_by");
  return select;
}

// The texts are for people; the numbers are what is read.
ordered_json RangeJson(const std::optional<TimeRange>& range) {
  if (!range) return nullptr;
  return {{"from", range->from},
          {"end", range->end},
          {"from_text", FormatTimestamp(range->from)},
          {"end_text", FormatTimestamp(range->end)}};
}

std::optional<TimeRange> ReadRange(const StoredObject& reader) {
  if (reader.IsNull("range")) return std::nullopt;
  const StoredObject range = reader.Object("range");
  const UnixNanos from = range.Number("from");
  const UnixNanos end = range.Number("end");
  if (from >= end) range.Miss("end");
  return TimeRange{from, end};
}

ordered_json SlicesJson(const std::vector<UnloadSlice>& slices) {
  ordered_json out = ordered_json::array();
  for (const UnloadSlice& slice : slices) {
    out.push_back({{"number", slice.number},
                   {"part", slice.part},
                   {"from", slice.from},
                   {"end", slice.end},
                   {"partitions", slice.partitions},
                   {"rows", OrNull(slice.rows)},
                   {"bytes", OrNull(slice.bytes)}});
  }
  return out;
}

std::vector<UnloadSlice> ReadSlices(const StoredObject& reader) {
  std::vector<UnloadSlice> slices;
  std::set<std::string> ids;
  reader.ForEach("slices", [&](const StoredObject& part) {
    UnloadSlice slice;
    slice.number = part.Count("number");
    slice.part = part.Text("part");
    slice.from = part.Number("from");
    slice.end = part.Number("end");
    slice.partitions = part.Count("partitions");
    slice.rows = part.OptionalCount("rows");
    slice.bytes = part.OptionalCount("bytes");
    if (slice.from >= slice.end) part.Miss("end");
    // A run keeps slices by their id: of two with the same one would never be unloaded.
    if (!ids.insert(slice.Id()).second) part.Miss("number");
    slices.push_back(std::move(slice));
  });
  return slices;
}

// A pair of numbers per partition: there may be as many as hours in years.
ordered_json SurveyJson(const std::optional<Survey>& survey) {
  if (!survey) return nullptr;
  ordered_json out = ordered_json::array();
  for (const SurveyedPartition& partition : *survey) {
    out.push_back(ordered_json::array({partition.start, partition.rows}));
  }
  return out;
}

std::optional<Survey> ReadSurvey(const StoredObject& reader) {
  if (reader.IsNull("survey")) return std::nullopt;
  Survey survey;
  for (const auto& [start, rows] : reader.CountedNumbers("survey")) survey.push_back({start, rows});
  return survey;
}

ordered_json TableJson(const TablePlan& table) {
  return {{"database", table.table().database},
          {"table", table.table().table},
          {"destination", table.destination.str()},
          {"range", RangeJson(table.range)},
          {"range_asked", table.range_asked},
          {"select", SelectJson(table.select)},
          {"schema", ordered_json::parse(timestream::ToJson(table.schema))},
          {"measures", ordered_json::parse(timestream::ToJson(table.measures))},
          {"slices", SlicesJson(table.slices)},
          {"survey", SurveyJson(table.survey)}};
}

TablePlan ReadTable(const StoredObject& reader) {
  TablePlan table;
  table.select = ReadSelect(reader.Object("select"));
  Result<timestream::TableRef> ref =
      timestream::TableRef::Make(reader.Text("database"), reader.Text("table"));
  if (!ref) reader.Miss("table");
  if (ref) table.select.table = *std::move(ref);
  table.destination = ReadUri(reader, "destination");
  table.range = ReadRange(reader);
  table.range_asked = reader.Flag("range_asked");
  if (auto schema = timestream::ParseTableSchema(reader.ArrayText("schema"))) {
    table.schema = *std::move(schema);
  } else {
    reader.Miss("schema");
  }
  if (auto measures = timestream::ParseMeasures(reader.ArrayText("measures"))) {
    table.measures = *std::move(measures);
  } else {
    reader.Miss("measures");
  }
  table.slices = ReadSlices(reader);
  table.survey = ReadSurvey(reader);
  return table;
}

}  // namespace

std::string ToJson(const UnloadPlan& plan) {
  ordered_json out = {{"format", kPlanFormat},
                      {"run_id", plan.run_id},
                      {"tool_version", plan.tool_version},
                      {"account", plan.account},
                      {"region", plan.region},
                      {"created", plan.created},
                      {"files", FormatJson(plan.format)},
                      {"partition", Name(plan.partition)},
                      {"iam_role_arn", plan.iam_role_arn},
                      {"verify", Name(plan.verify)},
                      {"state", Name(plan.state)},
                      {"data_model_out", plan.data_model_out},
                      {"append", plan.append},
                      {"default_bucket", plan.default_bucket},
                      {"root", plan.root.str()},
                      {"tables", ordered_json::array()}};
  for (const TablePlan& table : plan.tables) out["tables"].push_back(TableJson(table));
  // A byte that is not UTF-8 can only come from a flag that no service accepts; it must not throw
  // here.
  return out.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

Result<UnloadPlan> ParseUnloadPlan(std::string_view text) {
  const Result<StoredObject> opened = run::OpenPlan(text, kPlanFormat, kTool);
  if (!opened) return opened.error();
  const StoredObject& reader = *opened;
  UnloadPlan plan;
  plan.run_id = reader.Text("run_id");
  plan.tool_version = reader.Text("tool_version");
  plan.account = reader.Text("account");
  plan.region = reader.Text("region");
  plan.created = reader.Number("created");
  plan.format = ReadFormat(reader.Object("files"));
  plan.partition = reader.OneOf(kUnits, "partition");
  plan.iam_role_arn = reader.Text("iam_role_arn");
  plan.verify = reader.OneOf(run::kVerifies, "verify");
  plan.state = reader.OneOf(kStores, "state");
  plan.data_model_out = reader.Text("data_model_out");
  plan.append = reader.Flag("append");
  plan.default_bucket = reader.Flag("default_bucket");
  plan.root = ReadUri(reader, "root");
  reader.ForEach("tables",
                 [&](const StoredObject& table) { plan.tables.push_back(ReadTable(table)); });
  if (Status whole = run::CheckPlan(reader, kTool); !whole) return whole.error();
  return plan;
}

}  // namespace tsm::unload
