#include "tsm/run/run_record.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "tsm/core/text.h"
#include "tsm/core/time_text.h"
#include "tsm/run/stored_object.h"
#include "tsm/timestream/schema_json.h"

namespace tsm::run {
namespace {

using nlohmann::ordered_json;

constexpr std::string_view kSuffix = ".json";
constexpr std::string_view kFirstVersion = "1";

Error Bad(const std::string& why) {
  return MakeError(ErrorKind::kBadReply, "this is no run record: " + why);
}

// Null stands for an open end of the range.
std::optional<UnixNanos> ReadTime(const StoredObject& object, const char* name) {
  if (object.IsNull(name)) return std::nullopt;
  const Result<UnixNanos> time = ParseTimestamp(object.Text(name));
  if (!time) return object.Miss(name), std::nullopt;
  return *time;
}

std::vector<RecordAlias> ReadAliases(const StoredObject& object, const char* name) {
  std::vector<RecordAlias> aliases;
  object.ForEach(name, [&](const StoredObject& entry) {
    aliases.emplace_back(entry.Text("column"), entry.Text("alias"));
  });
  return aliases;
}

ordered_json TimeOrNull(const std::optional<UnixNanos>& time) {
  return time ? ordered_json(FormatTimestamp(*time)) : ordered_json(nullptr);
}

ordered_json AliasesJson(const std::vector<RecordAlias>& aliases) {
  ordered_json out = ordered_json::array();
  for (const auto& [column, alias] : aliases) {
    out.push_back({{"column", column}, {"alias", alias}});
  }
  return out;
}

ordered_json SliceJson(const RecordSlice& slice) {
  return {{"id", slice.id},
          {"attempt", slice.attempt},
          {"from", FormatTimestamp(slice.from)},
          {"end", FormatTimestamp(slice.end)},
          {"to", slice.to},
          {"query_id", slice.query_id},
          {"manifest_uri", slice.manifest_uri},
          {"rows", slice.rows},
          {"bytes", slice.bytes},
          {"files", slice.files}};
}

void AddOutcome(const RunRecord& record, ordered_json& out) {
  out["finished_at"] = record.finished_at;
  out["rows"] = record.rows;
  out["bytes"] = record.bytes;
  out["files"] = record.files;
  out["verify"] = record.verify;
  out["verified"] = record.verified;
  out["content_prefix"] = record.content_prefix;
  out["non_null"] = record.non_null;
  ordered_json slices = ordered_json::array();
  for (const RecordSlice& slice : record.slices) slices.push_back(SliceJson(slice));
  out["slices"] = std::move(slices);
}

// A byte that is not UTF-8 can only come from a flag that no service accepts; it must not throw
// here.
std::string Dump(const ordered_json& out) {
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

RecordSlice ReadSlice(const StoredObject& reader) {
  RecordSlice slice;
  slice.id = reader.Text("id");
  slice.attempt = reader.Text("attempt");
  const auto from = ReadTime(reader, "from");
  const auto end = ReadTime(reader, "end");
  if (!from || !end || *from >= *end) reader.Miss("end");
  slice.from = from.value_or(0);
  slice.end = end.value_or(0);
  slice.to = reader.Text("to");
  slice.query_id = reader.Text("query_id");
  slice.manifest_uri = reader.Text("manifest_uri");
  slice.rows = reader.Count("rows");
  slice.bytes = reader.Count("bytes");
  slice.files = reader.Count("files");
  return slice;
}

void ReadOutcome(const StoredObject& reader, RunRecord& record) {
  record.finished_at = reader.Text("finished_at");
  record.rows = reader.Count("rows");
  record.bytes = reader.Count("bytes");
  record.files = reader.Count("files");
  record.verify = reader.Text("verify");
  record.verified = reader.Text("verified");
  record.content_prefix = reader.Text("content_prefix");
  record.non_null = reader.NamedCounts("non_null");
  reader.ForEach("slices",
                 [&](const StoredObject& slice) { record.slices.push_back(ReadSlice(slice)); });
}

void ReadFormat(const StoredObject& reader, RunRecord& record) {
  const StoredObject format = reader.Object("format");
  record.format.format = format.Text("format");
  record.format.compression = format.Text("compression");
  record.format.field_delimiter = format.Text("field_delimiter");
  record.format.escaped_by = format.Text("escaped_by");
  record.format.include_header = format.Flag("include_header");
}

void ReadTable(const StoredObject& reader, RunRecord& record) {
  record.partition_alias = reader.Text("partition_alias");
  record.partitioned_by = ReadAliases(reader, "partitioned_by");
  record.columns = reader.Texts("columns");
  record.where = reader.Text("where");
  record.time_alias = reader.Text("time_alias");
  record.timestamps = ReadAliases(reader, "timestamps");
  ReadFormat(reader, record);
  if (auto schema = timestream::ParseTableSchema(reader.ArrayText("schema"))) {
    record.schema = *std::move(schema);
  } else {
    reader.Miss("schema");
  }
  if (auto measures = timestream::ParseMeasures(reader.ArrayText("measures"))) {
    record.measures = *std::move(measures);
  } else {
    reader.Miss("measures");
  }
}

// Version 1 knew one UNLOAD, written as the original does.
void ReadVersion1(const StoredObject& reader, RunRecord& record) {
  record.time_alias = "nanoseconds";
  record.partition_alias = "partition_date";
  if (record.state != RunState::kDone) return;
  record.finished_at = reader.Text("finished_at");
  record.rows = reader.Count("rows");
  record.bytes = reader.Count("bytes");
  record.files = reader.Count("files");
  RecordSlice slice;
  slice.id = "0001";
  slice.from = record.from.value_or(0);
  slice.end = record.end.value_or(std::numeric_limits<UnixNanos>::max());
  slice.query_id = reader.Text("query_id");
  slice.manifest_uri = reader.Text("manifest_uri");
  const std::size_t slash = slice.manifest_uri.rfind('/');
  slice.to = slice.manifest_uri.substr(0, slash == std::string::npos ? 0 : slash);
  slice.rows = record.rows;
  slice.bytes = record.bytes;
  slice.files = record.files;
  record.slices.push_back(std::move(slice));
}

std::string_view StateName(RunState state) { return state == RunState::kDone ? "done" : "started"; }

Result<RunState> ReadState(const StoredObject& reader) {
  const std::string state = reader.Text("state");
  if (state == "done") return RunState::kDone;
  if (state == "started") return RunState::kStarted;
  return Bad("unknown state \"" + state + "\"");
}

// The object, of a version that this program reads.
Result<StoredObject> Open(std::string_view text) {
  const std::optional<StoredObject> object = StoredObject::Parse(text);
  if (!object) return Bad("no JSON object, " + std::to_string(text.size()) + " bytes");
  const std::string version = object->Digits("version");
  const std::string newest = std::to_string(kRunRecordVersion);
  if (version.empty()) return Bad("version is missing");
  if (version == kFirstVersion || version == newest) return *object;
  return MakeError(ErrorKind::kInvalidInput, "the run record has version " + version +
                                                 ", this program reads versions " +
                                                 std::string(kFirstVersion) + " and " + newest);
}

}  // namespace

std::string ToJson(const RunRecord& record) {
  ordered_json out = {{"version", kRunRecordVersion},
                      {"kind", "table"},
                      {"run_id", record.run_id},
                      {"tool_version", record.tool_version},
                      {"state", StateName(record.state)},
                      {"account", record.account},
                      {"region", record.region},
                      {"database", record.source.database},
                      {"table", record.source.table},
                      {"from", TimeOrNull(record.from)},
                      {"end", TimeOrNull(record.end)},
                      {"partition", record.partition},
                      {"partition_alias", record.partition_alias},
                      {"partitioned_by", AliasesJson(record.partitioned_by)},
                      {"columns", record.columns},
                      {"where", record.where},
                      {"time_alias", record.time_alias},
                      {"timestamps", AliasesJson(record.timestamps)},
                      {"format",
                       {{"format", record.format.format},
                        {"compression", record.format.compression},
                        {"field_delimiter", record.format.field_delimiter},
                        {"escaped_by", record.format.escaped_by},
                        {"include_header", record.format.include_header}}},
                      {"schema", ordered_json::parse(timestream::ToJson(record.schema))},
                      {"measures", ordered_json::parse(timestream::ToJson(record.measures))},
                      {"started_at", record.started_at}};
  if (record.state == RunState::kDone) AddOutcome(record, out);
  return Dump(out);
}

Result<RunRecord> ParseRunRecord(std::string_view text) {
  const Result<StoredObject> opened = Open(text);
  if (!opened) return opened.error();
  const StoredObject& reader = *opened;
  const bool first = reader.Digits("version") == kFirstVersion;
  if (!first) {
    const std::string kind = reader.Text("kind");
    if (kind == "index") return Bad("it is the index of a run of several tables");
  }
  RunRecord record;
  record.run_id = reader.Text("run_id");
  record.tool_version = reader.Text("tool_version");
  record.account = reader.Text("account");
  record.region = reader.Text("region");
  record.source.database = reader.Text("database");
  record.source.table = reader.Text("table");
  record.from = ReadTime(reader, "from");
  record.end = ReadTime(reader, "end");
  record.partition = reader.Text("partition");
  record.started_at = reader.Text("started_at");
  Result<RunState> state = ReadState(reader);
  if (state) record.state = *state;
  if (first) {
    ReadVersion1(reader, record);
  } else {
    ReadTable(reader, record);
    if (record.state == RunState::kDone) ReadOutcome(reader, record);
  }
  if (!reader.missing().empty()) return Bad(reader.missing() + " is missing or malformed");
  if (!state) return state.error();
  return record;
}

std::string ToJson(const RunIndex& index) {
  ordered_json tables = ordered_json::array();
  for (const auto& [table, record] : index.records) {
    tables.push_back({{"database", table.database}, {"table", table.table}, {"record", record}});
  }
  return Dump({{"version", kRunRecordVersion},
               {"kind", "index"},
               {"run_id", index.run_id},
               {"tool_version", index.tool_version},
               {"region", index.region},
               {"state", StateName(index.state)},
               {"tables", std::move(tables)}});
}

Result<RunIndex> ParseRunIndex(std::string_view text) {
  const Result<StoredObject> opened = Open(text);
  if (!opened) return opened.error();
  const StoredObject& reader = *opened;
  if (reader.Text("kind") != "index") return Bad("it is no index of a run's tables");
  RunIndex index;
  index.run_id = reader.Text("run_id");
  index.tool_version = reader.Text("tool_version");
  index.region = reader.Text("region");
  Result<RunState> state = ReadState(reader);
  if (!state) return state.error();
  index.state = *state;
  reader.ForEach("tables", [&](const StoredObject& table) {
    index.records.emplace_back(timestream::TableRef{table.Text("database"), table.Text("table")},
                               table.Text("record"));
  });
  if (!reader.missing().empty()) return Bad(reader.missing() + " is missing or malformed");
  return index;
}

bool IsRunIndex(std::string_view text) {
  const std::optional<StoredObject> object = StoredObject::Parse(text);
  return object && object->Text("kind") == "index";
}

bool IsRunRecordKey(std::string_view key) {
  const std::size_t slash = key.rfind('/');
  const std::string_view name = slash == std::string_view::npos ? key : key.substr(slash + 1);
  return name.size() > kRunRecordPrefix.size() + kSuffix.size() &&
         name.starts_with(kRunRecordPrefix) && name.ends_with(kSuffix);
}

}  // namespace tsm::run
