#include "write_codec.h"

#include "json_codec.h"

namespace tsm::timestream {
namespace {

using nlohmann::json;

constexpr int kListPageSize = 20;  // the most that ListDatabases and ListTables give

json EncodePartitionKey(const PartitionKey& key) {
  if (key.is_measure) return {{"Type", "MEASURE"}};
  return {{"Type", "DIMENSION"},
          {"Name", key.name},
          {"EnforcementInRecord", key.required ? "REQUIRED" : "OPTIONAL"}};
}

json EncodeMagneticWrites(const TableSettings& settings) {
  json properties = {{"EnableMagneticStoreWrites", settings.magnetic_writes}};
  if (settings.rejected_data) {
    json location = {{"BucketName", settings.rejected_data->bucket},
                     {"EncryptionOption", "SSE_S3"}};
    if (!settings.rejected_data->prefix.empty()) {
      location["ObjectKeyPrefix"] = settings.rejected_data->prefix;
    }
    properties["MagneticStoreRejectedDataLocation"] = {{"S3Configuration", std::move(location)}};
  }
  return properties;
}

json EncodeRecord(const Record& record) {
  json dimensions = json::array();
  for (const auto& [name, value] : record.dimensions) {
    dimensions.push_back({{"Name", name}, {"Value", value}, {"DimensionValueType", "VARCHAR"}});
  }
  json encoded = {{"Dimensions", std::move(dimensions)},
                  {"MeasureName", record.measure_name},
                  {"Time", std::to_string(record.time)},
                  {"TimeUnit", "NANOSECONDS"},
                  {"Version", record.version}};
  if (record.measures.size() == 1 && record.measures.front().name.empty()) {
    encoded["MeasureValue"] = record.measures.front().value;
    encoded["MeasureValueType"] = record.measures.front().type;
    return encoded;
  }
  encoded["MeasureValueType"] = "MULTI";
  json& values = encoded["MeasureValues"] = json::array();
  for (const MeasureValue& measure : record.measures) {
    values.push_back({{"Name", measure.name}, {"Value", measure.value}, {"Type", measure.type}});
  }
  return encoded;
}

TableSettings DecodeSettings(const json& table) {
  TableSettings settings;
  const json& retention = Object(table, "RetentionProperties");
  settings.memory_store_hours = Integer(retention, "MemoryStoreRetentionPeriodInHours");
  settings.magnetic_store_days = Integer(retention, "MagneticStoreRetentionPeriodInDays");
  const json& magnetic = Object(table, "MagneticStoreWriteProperties");
  settings.magnetic_writes = Boolean(magnetic, "EnableMagneticStoreWrites");
  const json& location =
      Object(Object(magnetic, "MagneticStoreRejectedDataLocation"), "S3Configuration");
  if (!location.empty()) {
    settings.rejected_data = RejectedDataLocation{.bucket = Text(location, "BucketName"),
                                                  .prefix = Text(location, "ObjectKeyPrefix")};
  }
  const json& keys = Array(Object(table, "Schema"), "CompositePartitionKey");
  if (!keys.empty()) {
    const json& key = keys.front();
    settings.partition_key =
        PartitionKey{.is_measure = Text(key, "Type") == "MEASURE",
                     .name = Text(key, "Name"),
                     .required = Text(key, "EnforcementInRecord") == "REQUIRED"};
  }
  return settings;
}

}  // namespace

Result<std::string> EncodeDatabase(const std::string& database) {
  return Encode(json{{"DatabaseName", database}});
}

Result<std::string> EncodeTable(const TableRef& table) {
  return Encode(json{{"DatabaseName", table.database}, {"TableName", table.table}});
}

Result<std::string> EncodeCreateTable(const TableRef& table, const TableSettings& settings) {
  json body = {{"DatabaseName", table.database},
               {"TableName", table.table},
               {"RetentionProperties",
                {{"MemoryStoreRetentionPeriodInHours", settings.memory_store_hours},
                 {"MagneticStoreRetentionPeriodInDays", settings.magnetic_store_days}}},
               {"MagneticStoreWriteProperties", EncodeMagneticWrites(settings)}};
  if (settings.partition_key) {
    json keys = json::array();
    keys.push_back(EncodePartitionKey(*settings.partition_key));
    body["Schema"]["CompositePartitionKey"] = std::move(keys);
  }
  return Encode(body);
}

Result<std::string> EncodeList(const std::string& database, const std::string& next_token) {
  json body = {{"MaxResults", kListPageSize}};
  if (!database.empty()) body["DatabaseName"] = database;
  if (!next_token.empty()) body["NextToken"] = next_token;
  return Encode(body);
}

Result<std::string> EncodeRecords(const TableRef& table, const std::vector<Record>& records) {
  json body = {{"DatabaseName", table.database}, {"TableName", table.table}};
  json& list = body["Records"] = json::array();
  for (const Record& record : records) list.push_back(EncodeRecord(record));
  return Encode(body);
}

Status CheckDatabaseReply(std::string_view body, const std::string& database) {
  Result<json> reply = Decode(body);
  if (!reply) return std::move(reply).error();
  const std::string name = Text(Object(*reply, "Database"), "DatabaseName");
  if (name != database) return BadReply("the reply describes database \"" + name + "\"");
  return Ok();
}

Result<TableDescription> DecodeTable(std::string_view body) {
  Result<json> reply = Decode(body);
  if (!reply) return std::move(reply).error();
  const json& table = Object(*reply, "Table");
  TableDescription description;
  description.table = {.database = Text(table, "DatabaseName"), .table = Text(table, "TableName")};
  if (description.table.table.empty()) return BadReply("the reply describes no table");
  description.arn = Text(table, "Arn");
  description.status = Text(table, "TableStatus");
  description.settings = DecodeSettings(table);
  return description;
}

Result<NamePage> DecodeNames(std::string_view body, const char* list, const char* name) {
  Result<json> reply = Decode(body);
  if (!reply) return std::move(reply).error();
  if (!reply->contains(list)) return BadReply(std::string("the reply carries no ") + list);
  NamePage page;
  page.next_token = Text(*reply, "NextToken");
  for (const json& entry : Array(*reply, list)) page.names.push_back(Text(entry, name));
  return page;
}

}  // namespace tsm::timestream
