#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "tsm/batchload/load_plan.h"
#include "tsm/core/time_text.h"
#include "tsm/run/stored_object.h"

namespace tsm::batchload {

namespace {

using nlohmann::ordered_json;
using run::StoredObject;

constexpr int kPlanFormat = 1;
constexpr const char* kTool = "ts-batchload";
constexpr std::array kGroupBys = {GroupBy::kPartition, GroupBy::kPacked};

s3::BucketName ReadBucket(const StoredObject& object, const char* name) {
  const std::string text = object.Text(name);
  if (text.empty()) return {};
  Result<s3::BucketName> bucket = s3::BucketName::Parse(text);
  if (!bucket) return object.Miss(name), s3::BucketName();
  return *std::move(bucket);
}

template <typename Value>
ordered_json OrNull(const std::optional<Value>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

// The database "" stands for no table: of a run that only copies.
ordered_json TableJson(const timestream::TableRef& table) {
  return {{"database", table.database}, {"table", table.table}};
}

timestream::TableRef ReadTable(const StoredObject& reader) {
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

timestream::CsvConfiguration ReadCsv(const StoredObject& reader) {
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

std::vector<LoadPlace> ReadPlaces(const StoredObject& reader) {
  std::vector<LoadPlace> places;
  reader.ForEach("places", [&](const StoredObject& part) {
    LoadPlace place;
    place.label = part.Text("label");
    place.from = part.Number("from");
    place.end = part.Number("end");
    place.rows = part.Count("rows");
    place.groups = part.Counts("groups");
    if (place.from >= place.end) part.Miss("end");
    if (!places.empty() && place.from < places.back().end) part.Miss("from");
    places.push_back(std::move(place));
  });
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

TableLoad ReadLoad(const StoredObject& reader) {
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

LoadGroup ReadGroup(const StoredObject& reader, std::size_t tables) {
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

void ReadGroups(const StoredObject& reader, LoadPlan& plan) {
  std::set<std::string> ids;
  reader.ForEach("groups", [&](const StoredObject& part) {
    plan.groups.push_back(ReadGroup(part, plan.tables.size()));
    // A run keeps groups by their id: of two with the same one would never be loaded.
    if (!ids.insert(plan.groups.back().id).second) part.Miss("id");
  });
  for (const TableLoad& table : plan.tables) {
    for (const LoadPlace& place : table.places) {
      for (const std::size_t group : place.groups) {
        if (group >= plan.groups.size()) reader.Miss("tables.places.groups");
      }
    }
  }
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
  const Result<StoredObject> opened = run::OpenPlan(text, kPlanFormat, kTool);
  if (!opened) return opened.error();
  const StoredObject& reader = *opened;
  LoadPlan plan;
  plan.run_id = reader.Text("run_id");
  plan.tool_version = reader.Text("tool_version");
  plan.region = reader.Text("region");
  plan.created = reader.Number("created");
  plan.copy = reader.Flag("copy");
  plan.load = reader.Flag("load");
  plan.source_bucket = ReadBucket(reader, "source_bucket");
  plan.target_bucket = ReadBucket(reader, "target_bucket");
  plan.destination_prefix = reader.Text("destination_prefix");
  plan.report_bucket = ReadBucket(reader, "report_bucket");
  plan.report_prefix = reader.Text("report_prefix");
  plan.csv = ReadCsv(reader.Object("csv"));
  plan.record_version = reader.OptionalNumber("record_version");
  plan.group_by = reader.OneOf(kGroupBys, "group_by");
  plan.verify = reader.OneOf(run::kVerifies, "verify");
  plan.canary = reader.Flag("canary");
  plan.allow_existing = reader.Flag("allow_existing");
  plan.state_in_s3 = reader.Flag("state_in_s3");
  plan.encryption = reader.Text("encryption");
  plan.kms_key_id = reader.Text("kms_key_id");
  plan.bucket_owner_full_control = reader.Flag("bucket_owner_full_control");
  reader.ForEach("tables",
                 [&](const StoredObject& table) { plan.tables.push_back(ReadLoad(table)); });
  ReadGroups(reader, plan);
  if (Status whole = run::CheckPlan(reader, kTool); !whole) return whole.error();
  return plan;
}

}  // namespace tsm::batchload
