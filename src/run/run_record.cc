#include "tsm/run/run_record.h"

#include <nlohmann/json.hpp>

#include "tsm/core/text.h"
#include "tsm/core/time_text.h"

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
    const auto found = object_.find(name);
    if (found == object_.end() || !found->is_string()) {
      Miss(name);
      return "";
    }
    return found->get<std::string>();
  }

  std::uint64_t Count(const char* name) {
    const auto found = object_.find(name);
    if (found == object_.end() || !found->is_number_unsigned()) {
      Miss(name);
      return 0;
    }
    return found->get<std::uint64_t>();
  }

  // Null stands for an open end of the range.
  std::optional<UnixNanos> Time(const char* name) {
    const auto found = object_.find(name);
    if (found != object_.end() && found->is_null()) return std::nullopt;
    Result<UnixNanos> time = ParseTimestamp(Text(name));
    if (!time) {
      Miss(name);
      return std::nullopt;
    }
    return *time;
  }

  const std::string& missing() const { return missing_; }

 private:
  void Miss(const char* name) {
    if (missing_.empty()) missing_ = name;
  }
  const json& object_;
  std::string missing_;
};

ordered_json TimeOrNull(const std::optional<UnixNanos>& time) {
  return time ? ordered_json(FormatTimestamp(*time)) : ordered_json(nullptr);
}

void ReadOutcome(Reader& reader, RunRecord& record) {
  record.finished_at = reader.Text("finished_at");
  record.query_id = reader.Text("query_id");
  record.manifest_uri = reader.Text("manifest_uri");
  record.rows = reader.Count("rows");
  record.bytes = reader.Count("bytes");
  record.files = reader.Count("files");
}

}  // namespace

std::string ToJson(const RunRecord& record) {
  ordered_json out = {{"version", kRunRecordVersion},
                      {"run_id", record.run_id},
                      {"tool_version", record.tool_version},
                      {"state", record.state == RunState::kDone ? "done" : "started"},
                      {"account", record.account},
                      {"region", record.region},
                      {"database", record.source.database},
                      {"table", record.source.table},
                      {"from", TimeOrNull(record.from)},
                      {"end", TimeOrNull(record.end)},
                      {"partition", record.partition},
                      {"sql", record.sql},
                      {"client_token", record.client_token},
                      {"started_at", record.started_at}};
  if (record.state == RunState::kDone) {
    out["finished_at"] = record.finished_at;
    out["query_id"] = record.query_id;
    out["manifest_uri"] = record.manifest_uri;
    out["rows"] = record.rows;
    out["bytes"] = record.bytes;
    out["files"] = record.files;
  }
  // A byte that is not UTF-8 can only come from a flag that no service accepts; it must not throw
  // here.
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

Result<RunRecord> ParseRunRecord(std::string_view text) {
  const json parsed = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object()) {
    return Bad("no JSON object, " + std::to_string(text.size()) + " bytes");
  }
  const auto version = parsed.find("version");
  if (version == parsed.end() || !version->is_number_integer()) return Bad("version is missing");
  if (*version != kRunRecordVersion) {
    return MakeError(ErrorKind::kBadReply, "the run record has version " + version->dump() +
                                               ", this program reads version " +
                                               std::to_string(kRunRecordVersion));
  }
  Reader reader(parsed);
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
  record.sql = reader.Text("sql");
  record.client_token = reader.Text("client_token");
  record.started_at = reader.Text("started_at");
  const std::string state = reader.Text("state");
  if (state == "done") {
    record.state = RunState::kDone;
    ReadOutcome(reader, record);
  }
  if (!reader.missing().empty()) return Bad(reader.missing() + " is missing or malformed");
  if (state != "done" && state != "started") return Bad("unknown state \"" + state + "\"");
  return record;
}

bool IsRunRecordKey(std::string_view key) {
  const std::size_t slash = key.rfind('/');
  const std::string_view name = slash == std::string_view::npos ? key : key.substr(slash + 1);
  return name.size() > kRunRecordPrefix.size() + kSuffix.size() &&
         name.starts_with(kRunRecordPrefix) && name.ends_with(kSuffix);
}

}  // namespace tsm::run
