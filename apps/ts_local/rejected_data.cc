#include "ts_local/rejected_data.h"

#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>

namespace ts_local {
namespace {

using nlohmann::json;

std::string KeyFor(const TableInfo& table, std::int64_t now_ns) {
  std::random_device random;
  char name[64];
  std::snprintf(name, sizeof name, "%019lld-%08x.json", static_cast<long long>(now_ns),
                static_cast<unsigned>(random()));
  std::string key = table.properties.rejected_prefix;
  if (!key.empty() && key.back() != '/') key += '/';
  return key + table.name.database + "/" + table.name.table + "/" + name;
}

}  // namespace

bool IsSilent(const RowRejection& rejection) {
  return rejection.magnetic && rejection.existing_version.has_value();
}

json RejectionJson(const RowRejection& rejection) {
  json entry = {{"RecordIndex", rejection.index}, {"Reason", rejection.reason}};
  if (rejection.existing_version) entry["ExistingVersion"] = *rejection.existing_version;
  return entry;
}

void ReportSilentRejections(const TableInfo& table, const std::vector<RowRejection>& rejections,
                            Storage& storage, std::int64_t now_ns) {
  const TableProperties& properties = table.properties;
  if (rejections.empty() || properties.rejected_bucket.empty()) return;
  json report = {{"databaseName", table.name.database},
                 {"tableName", table.name.table},
                 {"rejectedRecords", json::array()}};
  for (const RowRejection& rejection : rejections) {
    report["rejectedRecords"].push_back(RejectionJson(rejection));
  }
  StoredAs as;
  as.content_type = "application/json";
  as.encryption = properties.rejected_encryption == "SSE_KMS" ? "aws:kms" : "AES256";
  const std::string key = KeyFor(table, now_ns);
  try {
    PutWhole(storage, {table.name.region, properties.rejected_bucket}, key, report.dump(), as);
  } catch (const ApiError& error) {
    std::cerr << ("ts-local: no report of rejected records at s3://" + properties.rejected_bucket +
                  "/" + key + ": " + error.code() + ": " + error.what() + "\n");
  }
}

}  // namespace ts_local
