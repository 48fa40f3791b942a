#include "tsm/run/run_record.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "tsm/core/text.h"
#include "tsm/core/time_text.h"
#include "tsm/timestream/schema_json.h"

namespace tsm::run {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::string_view kSuffix = ".json";

Error Bad(const std::string& why) {
  return MakeError(ErrorKind::kBadReply, "this is no run record: " + why);
}

// Reads members and remembers the first that is missing or of another type.
class Reader {
 public:
  explicit Reader(const json& object) : object_(object) {}

  std::string Text(const char* name) {
    const json* found = Find(name);
    if (found == nullptr || !found->is_string()) {
      Miss(name);
      return "";
    }
    return found->get<std::string>();
  }

  std::uint64_t Count(const char* name) {
    const json* found = Find(name);
    if (found == nullptr || !found->is_number_unsigned()) {
      Miss(name);
      return 0;
    }
    return found->get<std::uint64_t>();
  }

  bool Flag(const char* name) {
    const json* found = Find(name);
    if (found == nullptr || !found->is_boolean()) {
      Miss(name);
      return false;
    }
    return found->get<bool>();
  }

  // Null stands for an open end of the range.
  std::optional<UnixNanos> Time(const char* name) {
    const json* found = Find(name);
    if (found != nullptr && found->is_null()) return std::nullopt;
    Result<UnixNanos> time = ParseTimestamp(Text(name));
    if (!time) {
      Miss(name);
      return std::nullopt;
    }
    return *time;
  }

  const json& Array(const char* name) {
    static const json none = json::array();
    const json* found = Find(name);
    if (found == nullptr || !found->is_array()) {
      Miss(name);
      return none;
    }
    return *found;
  }

  const json& Object(const char* name) {
    static const json none = json::object();
    const json* found = Find(name);
    if (found == nullptr || !found->is_object()) {
      Miss(name);
      return none;
    }
    return *found;
  }

  std::vector<std::string> Texts(const char* name) {
    std::vector<std::string> texts;
    for (const json& entry : Array(name)) {
      if (!entry.is_string()) Miss(name);
      if (entry.is_string()) texts.push_back(entry.get<std::string>());
    }
    return texts;
  }

  std::vector<RecordAlias> Aliases(const char* name) {
    std::vector<RecordAlias> aliases;
    for (const json& entry : Array(name)) {
      Reader reader(entry);
      aliases.emplace_back(reader.Text("column"), reader.Text("alias"));
      if (!reader.missing().empty()) Miss(name);
    }
    return aliases;
  }

  void Miss(const char* name) {
    if (missing_.empty()) missing_ = name;
  }
  const std::string& missing() const { return missing_; }

 private:
  const json* Find(const char* name) const {
    if (!object_.is_object()) return nullptr;
    const auto found = object_.find(name);
    return found == object_.end() ? nullptr : &*found;
  }

  const json& object_;
  std::string missing_;
};

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

RecordSlice ReadSlice(Reader& reader) {
  RecordSlice slice;
  slice.id = reader.Text("id");
  slice.attempt = reader.Text("attempt");
  const auto from = reader.Time("from");
  const auto end = reader.Time("end");
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

void ReadOutcome(Reader& reader, RunRecord& record) {
  record.finished_at = reader.Text("finished_at");
  record.rows = reader.Count("rows");
  record.bytes = reader.Count("bytes");
  record.files = reader.Count("files");
  record.verify = reader.Text("verify");
  record.verified = reader.Text("verified");
  record.content_prefix = reader.Text("content_prefix");
  for (const auto& [column, count] : reader.Object("non_null").items()) {
    if (!count.is_number_unsigned()) reader.Miss("non_null");
    if (count.is_number_unsigned()) record.non_null.emplace(column, count.get<std::uint64_t>());
  }
  for (const json& entry : reader.Array("slices")) {
    Reader slice(entry);
    record.slices.push_back(ReadSlice(slice));
    if (!slice.missing().empty()) reader.Miss("slices");
  }
}

void ReadFormat(Reader& reader, RunRecord& record) {
  Reader format(reader.Object("format"));
  record.format.format = format.Text("format");
  record.format.compression = format.Text("compression");
  record.format.field_delimiter = format.Text("field_delimiter");
  record.format.escaped_by = format.Text("escaped_by");
  record.format.include_header = format.Flag("include_header");
  if (!format.missing().empty()) reader.Miss("format");
}

void ReadTable(Reader& reader, RunRecord& record) {
  record.partition_alias = reader.Text("partition_alias");
  record.partitioned_by = reader.Aliases("partitioned_by");
  record.columns = reader.Texts("columns");
  record.where = reader.Text("where");
  record.time_alias = reader.Text("time_alias");
  record.timestamps = reader.Aliases("timestamps");
  ReadFormat(reader, record);
  if (auto schema = timestream::ParseTableSchema(reader.Array("schema").dump())) {
    record.schema = *std::move(schema);
  } else {
    reader.Miss("schema");
  }
  if (auto measures = timestream::ParseMeasures(reader.Array("measures").dump())) {
    record.measures = *std::move(measures);
  } else {
    reader.Miss("measures");
  }
}

// Version 1 knew one UNLOAD, written as the original does.
void ReadVersion1(Reader& reader, RunRecord& record) {
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

Result<RunState> ReadState(Reader& reader) {
  const std::string state = reader.Text("state");
  if (state == "done") return RunState::kDone;
  if (state == "started") return RunState::kStarted;
  return Bad("unknown state \"" + state + "\"");
}

// The object and its version.
Result<std::pair<json, int>> Open(std::string_view text) {
  json parsed = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object()) {
    return Bad("no JSON object, " + std::to_string(text.size()) + " bytes");
  }
  const auto version = parsed.find("version");
  if (version == parsed.end() || !version->is_number_integer()) return Bad("version is missing");
  if (*version != 1 && *version != kRunRecordVersion) {
    return MakeError(ErrorKind::kInvalidInput, "the run record has version " + version->dump() +
                                                   ", this program reads versions 1 and " +
                                                   std::to_string(kRunRecordVersion));
  }
  const int number = version->get<int>();
  return std::pair(std::move(parsed), number);
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
  const Result<std::pair<json, int>> opened = Open(text);
  if (!opened) return opened.error();
  const auto& [parsed, version] = *opened;
  Reader reader(parsed);
  if (version > 1) {
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
  record.from = reader.Time("from");
  record.end = reader.Time("end");
  record.partition = reader.Text("partition");
  record.started_at = reader.Text("started_at");
  Result<RunState> state = ReadState(reader);
  if (state) record.state = *state;
  if (version == 1) {
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
  const Result<std::pair<json, int>> opened = Open(text);
  if (!opened) return opened.error();
  Reader reader(opened->first);
  if (reader.Text("kind") != "index") return Bad("it is no index of a run's tables");
  RunIndex index;
  index.run_id = reader.Text("run_id");
  index.tool_version = reader.Text("tool_version");
  index.region = reader.Text("region");
  Result<RunState> state = ReadState(reader);
  if (!state) return state.error();
  index.state = *state;
  for (const json& entry : reader.Array("tables")) {
    Reader table(entry);
    timestream::TableRef ref{table.Text("database"), table.Text("table")};
    index.records.emplace_back(std::move(ref), table.Text("record"));
    if (!table.missing().empty()) reader.Miss("tables");
  }
  if (!reader.missing().empty()) return Bad(reader.missing() + " is missing or malformed");
  return index;
}

bool IsRunIndex(std::string_view text) {
  const json parsed = json::parse(text, nullptr, /*allow_exceptions=*/false);
  return parsed.is_object() && parsed.value("kind", json()) == "index";
}

bool IsRunRecordKey(std::string_view key) {
  const std::size_t slash = key.rfind('/');
  const std::string_view name = slash == std::string_view::npos ? key : key.substr(slash + 1);
  return name.size() > kRunRecordPrefix.size() + kSuffix.size() &&
         name.starts_with(kRunRecordPrefix) && name.ends_with(kSuffix);
}

}  // namespace tsm::run
