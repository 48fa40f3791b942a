#include "ts_local/write_service.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "ts_local/api_error.h"
#include "ts_local/batch_load.h"
#include "ts_local/json_fields.h"
#include "ts_local/write_records.h"

namespace ts_local {
namespace {

using nlohmann::json;

constexpr std::int64_t kMaxPage = 20;

std::string Arn(const Caller& caller, const std::string& resource) {
  return "arn:aws:timestream:" + caller.region + ":" + caller.account_id + ":" + resource;
}

json DatabaseJson(const Caller& caller, const DatabaseInfo& database) {
  // Without a key of the caller's the service uses its own, aws/timestream.
  const std::string key =
      database.kms_key_id.empty()
          ? "arn:aws:kms:" + caller.region + ":" + caller.account_id + ":alias/aws/timestream"
          : database.kms_key_id;
  return {{"Arn", Arn(caller, "database/" + database.name)},
          {"DatabaseName", database.name},
          {"TableCount", database.table_count},
          {"KmsKeyId", key},
          {"CreationTime", EpochSeconds(database.created_ms)},
          {"LastUpdatedTime", EpochSeconds(database.updated_ms)}};
}

json MagneticJson(const TableProperties& properties) {
  json magnetic = {{"EnableMagneticStoreWrites", properties.magnetic_writes}};
  if (!properties.rejected_bucket.empty()) {
    json s3 = {{"BucketName", properties.rejected_bucket}};
    if (!properties.rejected_prefix.empty()) s3["ObjectKeyPrefix"] = properties.rejected_prefix;
    if (!properties.rejected_encryption.empty()) {
      s3["EncryptionOption"] = properties.rejected_encryption;
    }
    magnetic["MagneticStoreRejectedDataLocation"] = {{"S3Configuration", std::move(s3)}};
  }
  return magnetic;
}

// Without a key of its own a table is partitioned by the measure name.
json KeyJson(const TableProperties& properties) {
  const auto& key = properties.partition_key;
  if (!key || key->is_measure) return {{"Type", "MEASURE"}};
  return {{"Type", "DIMENSION"},
          {"Name", key->name},
          {"EnforcementInRecord", key->required ? "REQUIRED" : "OPTIONAL"}};
}

json TableJson(const Caller& caller, const TableInfo& table) {
  const TableProperties& properties = table.properties;
  return {{"Arn", Arn(caller, "database/" + table.name.database + "/table/" + table.name.table)},
          {"TableName", table.name.table},
          {"DatabaseName", table.name.database},
          {"TableStatus", "ACTIVE"},
          {"RetentionProperties",
           {{"MemoryStoreRetentionPeriodInHours", properties.memory_hours},
            {"MagneticStoreRetentionPeriodInDays", properties.magnetic_days}}},
          {"MagneticStoreWriteProperties", MagneticJson(properties)},
          {"Schema", {{"CompositePartitionKey", json::array({KeyJson(properties)})}}},
          {"CreationTime", EpochSeconds(table.created_ms)},
          {"LastUpdatedTime", EpochSeconds(table.updated_ms)}};
}

std::int64_t RequiredInt(const json& object, const char* name, std::int64_t min, std::int64_t max) {
  const auto value = OptionalInt(object, name, min, max);
  if (!value) throw Invalid(std::string("Missing ") + name);
  return *value;
}

PartitionKey ParseKey(const json& key) {
  const auto type = OptionalEnum(key, "Type", {"DIMENSION", "MEASURE"});
  if (!type) throw Invalid("The partition key has no Type");
  const auto name = OptionalText(key, "Name");
  const auto enforcement = OptionalEnum(key, "EnforcementInRecord", {"REQUIRED", "OPTIONAL"});
  PartitionKey parsed;
  parsed.is_measure = *type == "MEASURE";
  if (parsed.is_measure) {
    if (name || enforcement) {
      throw Invalid("A partition key of type MEASURE has no Name and no EnforcementInRecord");
    }
    return parsed;
  }
  if (!name || name->empty()) throw Invalid("A partition key of type DIMENSION must have a Name");
  parsed.name = *name;
  parsed.required = enforcement == "REQUIRED";
  return parsed;
}

// What ts-local would have to keep to answer truthfully is refused rather than dropped.
void RefuseTags(const json& request) {
  const json* tags = OptionalArray(request, "Tags");
  if (tags != nullptr && !tags->empty()) throw Invalid("ts-local keeps no Tags");
}

// Sets what the request names; the rest stays.
void ReadProperties(const json& request, TableProperties* properties) {
  if (const json* retention = OptionalObject(request, "RetentionProperties")) {
    properties->memory_hours =
        RequiredInt(*retention, "MemoryStoreRetentionPeriodInHours", 1, 8766);
    properties->magnetic_days =
        RequiredInt(*retention, "MagneticStoreRetentionPeriodInDays", 1, 73000);
  }
  if (const json* magnetic = OptionalObject(request, "MagneticStoreWriteProperties")) {
    const auto enabled = OptionalBool(*magnetic, "EnableMagneticStoreWrites");
    if (!enabled) throw Invalid("Missing EnableMagneticStoreWrites");
    properties->magnetic_writes = *enabled;
    properties->rejected_bucket.clear();
    const json* location = OptionalObject(*magnetic, "MagneticStoreRejectedDataLocation");
    const json* s3 = location == nullptr ? nullptr : OptionalObject(*location, "S3Configuration");
    if (s3 != nullptr) {
      if (Member(*s3, "KmsKeyId") != nullptr) {
        throw Invalid("ts-local keeps no KmsKeyId for rejected data");
      }
      properties->rejected_bucket = RequiredText(*s3, "BucketName");
      properties->rejected_prefix = OptionalText(*s3, "ObjectKeyPrefix").value_or("");
      properties->rejected_encryption =
          OptionalEnum(*s3, "EncryptionOption", {"SSE_S3", "SSE_KMS"}).value_or("");
    }
  }
}

std::optional<PartitionKey> ReadKey(const json& request) {
  const json* schema = OptionalObject(request, "Schema");
  const json* keys = schema == nullptr ? nullptr : OptionalArray(*schema, "CompositePartitionKey");
  if (keys == nullptr) return std::nullopt;
  // The list's length is bounded below only; one key is all that AWS's pages know.
  if (keys->size() != 1) throw Invalid("CompositePartitionKey must have exactly one key");
  if (!keys->front().is_object()) throw Invalid("A partition key must be an object");
  return ParseKey(keys->front());
}

// One page of names in order; the token is the last name shown.
template <typename Item, typename NameOf>
std::pair<std::vector<Item>, std::string> Page(const json& request, std::vector<Item> items,
                                               const NameOf& name_of) {
  const auto limit =
      static_cast<std::size_t>(OptionalInt(request, "MaxResults", 1, kMaxPage).value_or(kMaxPage));
  if (const auto token = OptionalText(request, "NextToken")) {
    items.erase(items.begin(), std::find_if(items.begin(), items.end(), [&](const Item& item) {
                  return name_of(item) > *token;
                }));
  }
  std::string next;
  if (items.size() > limit) {
    items.resize(limit);
    next = name_of(items.back());
  }
  return {std::move(items), std::move(next)};
}

}  // namespace

struct WriteService::Impl {
  Impl(TableStore& table_store, Storage& s3, NowNs clock, const BatchLoadLimits& limits,
       FaultRules* rules)
      : tables(table_store),
        storage(s3),
        now(std::move(clock)),
        batch(tables, storage, now, limits, rules) {}

  json CreateDatabase(const Caller& caller, const json& request) {
    const std::string name = RequiredName(request, "DatabaseName");
    RefuseTags(request);
    tables.CreateDatabase(caller.region, name, OptionalText(request, "KmsKeyId").value_or(""));
    return DescribeDatabase(caller, request);
  }

  json DescribeDatabase(const Caller& caller, const json& request) {
    const std::string name = RequiredText(request, "DatabaseName");
    return {{"Database", DatabaseJson(caller, tables.GetDatabase(caller.region, name))}};
  }

  json UpdateDatabase(const Caller& caller, const json& request) {
    const std::string name = RequiredText(request, "DatabaseName");
    tables.UpdateDatabase(caller.region, name, RequiredText(request, "KmsKeyId"));
    return DescribeDatabase(caller, request);
  }

  json DeleteDatabase(const Caller& caller, const json& request) {
    tables.DeleteDatabase(caller.region, RequiredText(request, "DatabaseName"));
    return json::object();
  }

  json ListDatabases(const Caller& caller, const json& request) {
    const auto [page, next] = Page(request, tables.Databases(caller.region),
                                   [](const DatabaseInfo& database) { return database.name; });
    json response = {{"Databases", json::array()}};
    for (const auto& database : page) {
      response["Databases"].push_back(DatabaseJson(caller, database));
    }
    if (!next.empty()) response["NextToken"] = next;
    return response;
  }

  static TableName NameOf(const Caller& caller, const json& request) {
    return {caller.region, RequiredText(request, "DatabaseName"),
            RequiredText(request, "TableName")};
  }

  json CreateTable(const Caller& caller, const json& request) {
    const TableName name{caller.region, RequiredName(request, "DatabaseName"),
                         RequiredName(request, "TableName")};
    RefuseTags(request);
    TableProperties properties;
    ReadProperties(request, &properties);
    properties.partition_key = ReadKey(request);
    tables.CreateTable(name, properties);
    return DescribeTable(caller, request);
  }

  json DescribeTable(const Caller& caller, const json& request) {
    return {{"Table", TableJson(caller, tables.GetTable(NameOf(caller, request)))}};
  }

  // A partition key's name and kind are fixed at creation, its enforcement may change (developer
  // guide, customer-defined-partition-keys-limitations).
  json UpdateTable(const Caller& caller, const json& request) {
    const TableName name = NameOf(caller, request);
    TableProperties properties = tables.GetTable(name).properties;
    ReadProperties(request, &properties);
    if (const auto key = ReadKey(request)) {
      const PartitionKey old = properties.partition_key.value_or(PartitionKey{true, "", false});
      if (old.is_measure != key->is_measure || old.name != key->name) {
        throw Invalid("The partition key of a table cannot be changed");
      }
      properties.partition_key = key;
    }
    tables.UpdateTable(name, properties);
    return DescribeTable(caller, request);
  }

  json DeleteTable(const Caller& caller, const json& request) {
    tables.DeleteTable(NameOf(caller, request));
    return json::object();
  }

  json ListTables(const Caller& caller, const json& request) {
    std::vector<TableInfo> found;
    if (const auto database = OptionalText(request, "DatabaseName")) {
      found = tables.Tables(caller.region, *database);
    } else {
      for (const DatabaseInfo& each : tables.Databases(caller.region)) {
        for (TableInfo& table : tables.Tables(caller.region, each.name)) {
          found.push_back(std::move(table));
        }
      }
    }
    // '/' is in no name and sorts below what is, but not below '-' and '.': order by the joined
    // text.
    const auto key = [](const TableInfo& table) {
      return table.name.database + "/" + table.name.table;
    };
    std::sort(found.begin(), found.end(),
              [&](const TableInfo& a, const TableInfo& b) { return key(a) < key(b); });
    const auto [page, next] = Page(request, std::move(found), key);
    json response = {{"Tables", json::array()}};
    for (const auto& table : page) response["Tables"].push_back(TableJson(caller, table));
    if (!next.empty()) response["NextToken"] = next;
    return response;
  }

  json Answer(const Caller& caller, const std::string& operation, const json& request) {
    if (operation == "CreateDatabase") return CreateDatabase(caller, request);
    if (operation == "DescribeDatabase") return DescribeDatabase(caller, request);
    if (operation == "UpdateDatabase") return UpdateDatabase(caller, request);
    if (operation == "DeleteDatabase") return DeleteDatabase(caller, request);
    if (operation == "ListDatabases") return ListDatabases(caller, request);
    if (operation == "CreateTable") return CreateTable(caller, request);
    if (operation == "DescribeTable") return DescribeTable(caller, request);
    if (operation == "UpdateTable") return UpdateTable(caller, request);
    if (operation == "DeleteTable") return DeleteTable(caller, request);
    if (operation == "ListTables") return ListTables(caller, request);
    if (operation == "WriteRecords") {
      return WriteRecords(caller, request, tables, storage, now());
    }
    if (operation == "CreateBatchLoadTask") return batch.Create(caller, request);
    if (operation == "DescribeBatchLoadTask") return batch.Describe(caller, request);
    if (operation == "ListBatchLoadTasks") return batch.List(caller, request);
    if (operation == "ResumeBatchLoadTask") return batch.Resume(caller, request);
    throw ApiError(404, "UnknownOperationException", "");
  }

  TableStore& tables;
  Storage& storage;
  const NowNs now;
  BatchLoad batch;
};

WriteService::WriteService(TableStore& tables, Storage& storage, NowNs now,
                           const BatchLoadLimits& limits, FaultRules* rules)
    : impl_(std::make_unique<Impl>(tables, storage, std::move(now), limits, rules)) {}

WriteService::~WriteService() = default;

BatchLoad& WriteService::batch_load() { return impl_->batch; }

std::string WriteService::Handle(const Caller& caller, const std::string& operation,
                                 const std::string& json_body) {
  return impl_->Answer(caller, operation, ParseBody(json_body)).dump();
}

}  // namespace ts_local
