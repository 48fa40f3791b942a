#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "tsm/batchload/load_plan.h"
#include "tsm/core/time_text.h"

namespace tsm::batchload {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr int kPlanFormat = 1;
constexpr std::array kGroupBys = {GroupBy::kPartition, GroupBy::kPacked};
constexpr std::array kVerifies = {Verify::kNone, Verify::kCount, Verify::kContent};

Error Bad(const std::string& why) {
  return MakeError(ErrorKind::kBadReply, "this is no plan of a batch load: " + why);
}

// Reads members of one object. The first member of all that is missing or of another type is told
// by its place in the whole, "groups[2].prefix": readers of members share `missing`.
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

  std::uint64_t Count(const char* name,
                      std::uint64_t most = std::numeric_limits<std::uint64_t>::max()) {
    const json* found = Find(name);
    if (found == nullptr || !found->is_number_unsigned() || found->get<std::uint64_t>() > most) {
      return Miss(name), 0;
    }
    return found->get<std::uint64_t>();
  }

  std::optional<std::uint64_t> OptionalCount(const char* name) {
    if (IsNull(name)) return std::nullopt;
    return Count(name);
  }

  std::int64_t Number(const char* name) {
    constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    const json* found = Find(name);
    const bool fits = found != nullptr && found->is_number_integer() &&
                      !(found->is_number_unsigned() && found->get<std::uint64_t>() > kMost);
    if (!fits) return Miss(name), 0;
    return found->get<std::int64_t>();
  }

  std::optional<std::int64_t> OptionalNumber(const char* name) {
    if (IsNull(name)) return std::nullopt;
    return Number(name);
  }

  s3::BucketName Bucket(const char* name) {
    const std::string text = Text(name);
    if (text.empty()) return {};
    Result<s3::BucketName> bucket = s3::BucketName::Parse(text);
    if (!bucket) return Miss(name), s3::BucketName();
    return *std::move(bucket);
  }

  template <typename Value, std::size_t kSize>
  Value OneOf(const std::array<Value, kSize>& values, const char* name) {
    const std::string text = Text(name);
    for (const Value value : values) {
      if (Name(value) == text) return value;
    }
    return Miss(name), values.front();
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

template <typename Value>
ordered_json OrNull(const std::optional<Value>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

// The database "" stands for no table: of a run that only copies.
ordered_json TableJson(const timestream::TableRef& table) {
  return {{"database", table.database}, {"table", table.table}};
}

timestream::TableRef ReadTable(Reader reader) {
  const std::string database = reader.Text("database");
  const std::string name = reader.Text("table");
  if (database.empty() && name.empty()) return {};
  Result<timestream::TableRef> table = timestream::TableRef::Make(database, name);
  if (!table) return reader.Miss("table"), timestream::TableRef();
  return *std::move(table);
}

ordered_json CsvJson(const timestream::CsvConfiguration& csv) {
  return {{"column_separator", csv.column_separator},
          {"quote_char", csv.quote_char},
          {"escape_char", csv.escape_char},
          {"null_value", csv.null_value},
          {"trim_white_space", csv.trim_white_space}};
}

timestream::CsvConfiguration ReadCsv(Reader reader) {
  timestream::CsvConfiguration csv;
  csv.column_separator = reader.Text("column_separator");
  csv.quote_char = reader.Text("quote_char");
  csv.escape_char = reader.Text("escape_char");
  csv.null_value = reader.Text("null_value");
  csv.trim_white_space = reader.Flag("trim_white_space");
  return csv;
}

ordered_json PlacesJson(const std::vector<LoadPlace>& places) {
  ordered_json out = ordered_json::array();
  for (const LoadPlace& place : places) {
    out.push_back({{"label", place.label},
                   {"from", place.from},
                   {"end", place.end},
                   {"rows", place.rows},
                   {"groups", place.groups}});
  }
  return out;
}

std::vector<LoadPlace> ReadPlaces(Reader& reader) {
  std::vector<LoadPlace> places;
  for (const json& entry : reader.Array("places")) {
    Reader part = reader.Entry("places", places.size(), entry);
    LoadPlace place;
    place.label = part.Text("label");
    place.from = part.Number("from");
    place.end = part.Number("end");
    place.rows = part.Count("rows");
    for (const json& group : part.Array("groups")) {
      if (!group.is_number_unsigned()) return part.Miss("groups"), places;
      place.groups.push_back(group.get<std::size_t>());
    }
    if (place.from >= place.end) part.Miss("end");
    if (!places.empty() && place.from < places.back().end) part.Miss("from");
    places.push_back(std::move(place));
  }
  return places;
}

// The texts of the range are for people; the numbers are what is read.
ordered_json LoadJson(const TableLoad& table) {
  ordered_json out = {{"target", TableJson(table.target)},
                      {"source", table.source ? TableJson(*table.source) : ordered_json(nullptr)},
                      {"record_uri", table.record_uri},
                      {"listed", table.listed},
                      {"content_prefix", table.content_prefix},
                      {"data_model", table.data_model_json},
                      {"from", OrNull(table.from)},
                      {"end", OrNull(table.end)},
                      {"files", table.files},
                      {"bytes", table.bytes},
                      {"rows", OrNull(table.rows)},
                      {"gzip", table.gzip},
                      {"spool", table.spool},
                      {"target_prefix", table.target_prefix},
                      {"places", PlacesJson(table.places)}};
  if (table.from) out["from_text"] = FormatTimestamp(*table.from);
  if (table.end) out["end_text"] = FormatTimestamp(*table.end);
  return out;
}

TableLoad ReadLoad(Reader reader) {
  TableLoad table;
  table.target = ReadTable(reader.Object("target"));
  if (!reader.IsNull("source")) table.source = ReadTable(reader.Object("source"));
  table.record_uri = reader.Text("record_uri");
  table.listed = reader.Text("listed");
  table.content_prefix = reader.Text("content_prefix");
  table.data_model_json = reader.Text("data_model");
  table.from = reader.OptionalNumber("from");
  table.end = reader.OptionalNumber("end");
  table.files = reader.Count("files");
  table.bytes = reader.Count("bytes");
  table.rows = reader.OptionalCount("rows");
  table.gzip = reader.Flag("gzip");
  table.spool = reader.Text("spool");
  table.target_prefix = reader.Text("target_prefix");
  table.places = ReadPlaces(reader);
  return table;
}

ordered_json GroupJson(const LoadGroup& group) {
  return {{"id", group.id},
          {"table", group.table},
          {"prefix", group.prefix},
          {"label", group.label},
          {"files", group.files},
          {"bytes", group.bytes},
          {"rows", OrNull(group.rows)},
          {"offset", group.offset}};
}

LoadGroup ReadGroup(Reader& reader, std::size_t tables) {
  LoadGroup group;
  group.id = reader.Text("id");
  group.table = reader.Count("table");
  group.prefix = reader.Text("prefix");
  group.label = reader.Text("label");
  group.files =
      static_cast<std::uint32_t>(reader.Count("files", std::numeric_limits<std::uint32_t>::max()));
  group.bytes = reader.Count("bytes");
  group.rows = reader.OptionalCount("rows");
  group.offset = reader.Count("offset");
  if (group.table >= tables) reader.Miss("table");
  if (group.id.empty()) reader.Miss("id");
  return group;
}

void ReadGroups(Reader& reader, LoadPlan& plan) {
  std::set<std::string> ids;
  for (const json& entry : reader.Array("groups")) {
    Reader part = reader.Entry("groups", plan.groups.size(), entry);
    plan.groups.push_back(ReadGroup(part, plan.tables.size()));
    // A run keeps groups by their id: of two with the same one would never be loaded.
    if (!ids.insert(plan.groups.back().id).second) part.Miss("id");
  }
  for (const TableLoad& table : plan.tables) {
    for (const LoadPlace& place : table.places) {
      for (const std::size_t group : place.groups) {
        if (group >= plan.groups.size()) reader.Miss("tables.places.groups");
      }
    }
  }
}

Status CheckFormat(const json& parsed) {
  if (!parsed.is_object()) return Bad("it holds no JSON object");
  const auto format = parsed.find("format");
  if (format == parsed.end() || !format->is_number_integer()) return Bad("format is missing");
  if (*format == kPlanFormat) return Ok();
  return MakeError(ErrorKind::kInvalidInput,
                   "the plan has format " + format->dump() + ", this program reads format " +
                       std::to_string(kPlanFormat) +
                       ": go on with the version of ts-batchload that planned it");
}

}  // namespace

std::string ToJson(const LoadPlan& plan) {
  ordered_json out = {{"format", kPlanFormat},
                      {"run_id", plan.run_id},
                      {"tool_version", plan.tool_version},
                      {"region", plan.region},
                      {"created", plan.created},
                      {"copy", plan.copy},
                      {"load", plan.load},
                      {"source_bucket", plan.source_bucket.str()},
                      {"target_bucket", plan.target_bucket.str()},
                      {"destination_prefix", plan.destination_prefix},
                      {"report_bucket", plan.report_bucket.str()},
                      {"report_prefix", plan.report_prefix},
                      {"csv", CsvJson(plan.csv)},
                      {"record_version", OrNull(plan.record_version)},
                      {"group_by", Name(plan.group_by)},
                      {"verify", Name(plan.verify)},
                      {"canary", plan.canary},
                      {"allow_existing", plan.allow_existing},
                      {"state_in_s3", plan.state_in_s3},
                      {"encryption", plan.encryption},
                      {"kms_key_id", plan.kms_key_id},
                      {"bucket_owner_full_control", plan.bucket_owner_full_control},
                      {"tables", ordered_json::array()},
                      {"groups", ordered_json::array()}};
  for (const TableLoad& table : plan.tables) out["tables"].push_back(LoadJson(table));
  for (const LoadGroup& group : plan.groups) out["groups"].push_back(GroupJson(group));
  // Keys are UTF-8; a byte that is not can only come from a store that is no S3, and must not
  // throw here.
  return out.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

Result<LoadPlan> ParseLoadPlan(std::string_view text) {
  const json parsed = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (Status known = CheckFormat(parsed); !known) return known.error();
  std::string missing;
  Reader reader(parsed, "", missing);
  LoadPlan plan;
  plan.run_id = reader.Text("run_id");
  plan.tool_version = reader.Text("tool_version");
  plan.region = reader.Text("region");
  plan.created = reader.Number("created");
  plan.copy = reader.Flag("copy");
  plan.load = reader.Flag("load");
  plan.source_bucket = reader.Bucket("source_bucket");
  plan.target_bucket = reader.Bucket("target_bucket");
  plan.destination_prefix = reader.Text("destination_prefix");
  plan.report_bucket = reader.Bucket("report_bucket");
  plan.report_prefix = reader.Text("report_prefix");
  plan.csv = ReadCsv(reader.Object("csv"));
  plan.record_version = reader.OptionalNumber("record_version");
  plan.group_by = reader.OneOf(kGroupBys, "group_by");
  plan.verify = reader.OneOf(kVerifies, "verify");
  plan.canary = reader.Flag("canary");
  plan.allow_existing = reader.Flag("allow_existing");
  plan.state_in_s3 = reader.Flag("state_in_s3");
  plan.encryption = reader.Text("encryption");
  plan.kms_key_id = reader.Text("kms_key_id");
  plan.bucket_owner_full_control = reader.Flag("bucket_owner_full_control");
  for (const json& entry : reader.Array("tables")) {
    plan.tables.push_back(ReadLoad(reader.Entry("tables", plan.tables.size(), entry)));
  }
  ReadGroups(reader, plan);
  if (!missing.empty()) return Bad(missing + " is missing or malformed");
  return plan;
}

}  // namespace tsm::batchload
