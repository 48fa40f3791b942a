#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "tsm/core/time_text.h"
#include "tsm/timestream/schema_json.h"
#include "tsm/unload/unload_plan.h"

namespace tsm::unload {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr int kPlanFormat = 1;

constexpr std::array kUnits = {PartitionUnit::kNone, PartitionUnit::kHour, PartitionUnit::kDay,
                               PartitionUnit::kMonth, PartitionUnit::kYear};
constexpr std::array kVerifies = {Verify::kNone, Verify::kCount, Verify::kContent};
constexpr std::array kStores = {StateStore::kLocal, StateStore::kS3};
constexpr std::array kFormats = {FileFormat::kCsv, FileFormat::kParquet};
constexpr std::array kCompressions = {Compression::kNone, Compression::kGzip};
constexpr std::array kEncryptions = {Encryption::kSseS3, Encryption::kSseKms};

std::string_view Name(StateStore store) { return store == StateStore::kS3 ? "s3" : "local"; }

Error Bad(const std::string& why) {
  return MakeError(ErrorKind::kBadReply, "this is no plan of an unload: " + why);
}

// Reads members of one object. The first member of all that is missing or of another type is told
// by its place in the whole, "tables[0].slices[2].from": readers of members share `missing`.
class Reader {
 public:
  Reader(const json& object, std::string path, std::string& missing)
      : object_(object), path_(std::move(path)), missing_(missing) {}

  std::string Text(const char* name) {
    const json* found = Find(name);
    if (found == nullptr || !found->is_string()) return Miss(name), "";
    return found->get<std::string>();
  }

  bool Flag(const char* name) {
    const json* found = Find(name);
    if (found == nullptr || !found->is_boolean()) return Miss(name), false;
    return found->get<bool>();
  }

  std::uint64_t Count(const char* name) {
    const json* found = Find(name);
    if (found == nullptr || !found->is_number_unsigned()) return Miss(name), 0;
    return found->get<std::uint64_t>();
  }

  std::optional<std::uint64_t> OptionalCount(const char* name) {
    if (IsNull(name)) return std::nullopt;
    return Count(name);
  }

  UnixNanos Time(const char* name) {
    const json* found = Find(name);
    const std::optional<UnixNanos> time = found == nullptr ? std::nullopt : TimeOf(*found);
    if (!time) Miss(name);
    return time.value_or(0);
  }

  static std::optional<UnixNanos> TimeOf(const json& value) {
    if (!value.is_number_integer()) return std::nullopt;
    if (value.is_number_unsigned() &&
        value.get<std::uint64_t>() >
            static_cast<std::uint64_t>(std::numeric_limits<UnixNanos>::max())) {
      return std::nullopt;
    }
    return value.get<UnixNanos>();
  }

  s3::S3Uri Uri(const char* name) {
    Result<s3::S3Uri> uri = s3::S3Uri::Parse(Text(name));
    if (!uri) return Miss(name), s3::S3Uri();
    return *std::move(uri);
  }

  // One ASCII character.
  char Character(const char* name) {
    const std::string text = Text(name);
    if (text.size() != 1) return Miss(name), '\0';
    return text.front();
  }

  template <typename Value, std::size_t kSize>
  Value OneOf(const std::array<Value, kSize>& values, const char* name) {
    const std::string text = Text(name);
    for (const Value value : values) {
      if (Name(value) == text) return value;
    }
    return Miss(name), values.front();
  }

  std::vector<std::string> Texts(const char* name) {
    std::vector<std::string> texts;
    for (const json& entry : Array(name)) {
      if (!entry.is_string()) return Miss(name), texts;
      texts.push_back(entry.get<std::string>());
    }
    return texts;
  }

  // Null and absent differ: what may be null must still be there.
  bool IsNull(const char* name) const {
    const json* found = Find(name);
    return found != nullptr && found->is_null();
  }

  const json& Array(const char* name) {
    static const json none = json::array();
    const json* found = Find(name);
    if (found == nullptr || !found->is_array()) return Miss(name), none;
    return *found;
  }

  Reader Object(const char* name) {
    static const json none = json::object();
    const json* found = Find(name);
    if (found == nullptr || !found->is_object()) Miss(name);
    return {found == nullptr ? none : *found, path_ + name + ".", missing_};
  }

  Reader Entry(const char* name, std::size_t index, const json& entry) const {
    return {entry, path_ + name + "[" + std::to_string(index) + "].", missing_};
  }

  void Miss(const char* name) {
    if (missing_.empty()) missing_ = path_ + name;
  }

 private:
  const json* Find(const char* name) const {
    if (!object_.is_object()) return nullptr;
    const auto found = object_.find(name);
    return found == object_.end() ? nullptr : &*found;
  }

  const json& object_;
  std::string path_;
  std::string& missing_;
};

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

UnloadFormat ReadFormat(Reader reader) {
  UnloadFormat format;
  format.format = reader.OneOf(kFormats, "format");
  format.compression = reader.OneOf(kCompressions, "compression");
  format.encryption = reader.OneOf(kEncryptions, "encryption");
  format.kms_key = reader.Text("kms_key");
  format.field_delimiter = reader.Character("field_delimiter");
  format.escaped_by = reader.Character("escaped_by");
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

std::vector<AliasedColumn> ReadAliases(Reader& reader, const char* name) {
  std::vector<AliasedColumn> columns;
  for (const json& entry : reader.Array(name)) {
    Reader column = reader.Entry(name, columns.size(), entry);
    std::string source = column.Text("column");
    columns.push_back({std::move(source), column.Text("alias")});
  }
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

TableSelect ReadSelect(Reader reader) {
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

std::optional<TimeRange> ReadRange(Reader& reader) {
  if (reader.IsNull("range")) return std::nullopt;
  Reader range = reader.Object("range");
  const UnixNanos from = range.Time("from");
  const UnixNanos end = range.Time("end");
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

std::vector<UnloadSlice> ReadSlices(Reader& reader) {
  std::vector<UnloadSlice> slices;
  std::set<std::string> ids;
  for (const json& entry : reader.Array("slices")) {
    Reader part = reader.Entry("slices", slices.size(), entry);
    UnloadSlice slice;
    slice.number = part.Count("number");
    slice.part = part.Text("part");
    slice.from = part.Time("from");
    slice.end = part.Time("end");
    slice.partitions = part.Count("partitions");
    slice.rows = part.OptionalCount("rows");
    slice.bytes = part.OptionalCount("bytes");
    if (slice.from >= slice.end) part.Miss("end");
    // A run keeps slices by their id: of two with the same one would never be unloaded.
    if (!ids.insert(slice.Id()).second) part.Miss("number");
    slices.push_back(std::move(slice));
  }
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

std::optional<Survey> ReadSurvey(Reader& reader) {
  if (reader.IsNull("survey")) return std::nullopt;
  Survey survey;
  for (const json& entry : reader.Array("survey")) {
    const bool pair = entry.is_array() && entry.size() == 2 && entry[1].is_number_unsigned();
    const std::optional<UnixNanos> start = pair ? Reader::TimeOf(entry[0]) : std::nullopt;
    if (!start) return reader.Miss("survey"), survey;
    survey.push_back({*start, entry[1].get<std::uint64_t>()});
  }
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

TablePlan ReadTable(Reader& reader) {
  TablePlan table;
  table.select = ReadSelect(reader.Object("select"));
  Result<timestream::TableRef> ref =
      timestream::TableRef::Make(reader.Text("database"), reader.Text("table"));
  if (!ref) reader.Miss("table");
  if (ref) table.select.table = *std::move(ref);
  table.destination = reader.Uri("destination");
  table.range = ReadRange(reader);
  table.range_asked = reader.Flag("range_asked");
  if (auto schema = timestream::ParseTableSchema(reader.Array("schema").dump())) {
    table.schema = *std::move(schema);
  } else {
    reader.Miss("schema");
  }
  if (auto measures = timestream::ParseMeasures(reader.Array("measures").dump())) {
    table.measures = *std::move(measures);
  } else {
    reader.Miss("measures");
  }
  table.slices = ReadSlices(reader);
  table.survey = ReadSurvey(reader);
  return table;
}

Status CheckFormat(const json& parsed) {
  if (!parsed.is_object()) return Bad("it holds no JSON object");
  const auto format = parsed.find("format");
  if (format == parsed.end() || !format->is_number_integer()) return Bad("format is missing");
  if (*format == kPlanFormat) return Ok();
  return MakeError(ErrorKind::kInvalidInput,
                   "the plan has format " + format->dump() + ", this program reads format " +
                       std::to_string(kPlanFormat) +
                       ": go on with the version of ts-unload that planned it");
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
  const json parsed = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (Status known = CheckFormat(parsed); !known) return known.error();
  std::string missing;
  Reader reader(parsed, "", missing);
  UnloadPlan plan;
  plan.run_id = reader.Text("run_id");
  plan.tool_version = reader.Text("tool_version");
  plan.account = reader.Text("account");
  plan.region = reader.Text("region");
  plan.created = reader.Time("created");
  plan.format = ReadFormat(reader.Object("files"));
  plan.partition = reader.OneOf(kUnits, "partition");
  plan.iam_role_arn = reader.Text("iam_role_arn");
  plan.verify = reader.OneOf(kVerifies, "verify");
  plan.state = reader.OneOf(kStores, "state");
  plan.data_model_out = reader.Text("data_model_out");
  plan.append = reader.Flag("append");
  plan.default_bucket = reader.Flag("default_bucket");
  plan.root = reader.Uri("root");
  for (const json& entry : reader.Array("tables")) {
    Reader table = reader.Entry("tables", plan.tables.size(), entry);
    plan.tables.push_back(ReadTable(table));
  }
  if (!missing.empty()) return Bad(missing + " is missing or malformed");
  return plan;
}

}  // namespace tsm::unload
