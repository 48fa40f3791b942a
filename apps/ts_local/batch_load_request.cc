#include "ts_local/batch_load_request.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ts_local/json_fields.h"

namespace ts_local {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMaxModelBytes = 1U << 20U;

// A one-character option; `allowed` empty: any ASCII character.
char OptionalChar(const json& object, const char* name, char absent, std::string_view allowed) {
  const auto text = OptionalText(object, name);
  if (!text) return absent;
  const bool one = text->size() == 1 && static_cast<unsigned char>(text->front()) < 0x80;
  if (!one || (!allowed.empty() && allowed.find(text->front()) == std::string_view::npos)) {
    throw Invalid(std::string("Unsupported value '") + *text + "' for CsvConfiguration." + name);
  }
  return text->front();
}

// Separators and quotes are those of the page "Preparing a batch load data file"; what escape
// characters the service takes is not documented: any one ASCII character here.
CsvConfiguration ParseCsv(const json& source) {
  CsvConfiguration csv;
  const json* object = OptionalObject(source, "CsvConfiguration");
  if (object == nullptr) return csv;
  csv.options.separator = OptionalChar(*object, "ColumnSeparator", ',', ",|;\t ");
  csv.options.quote = OptionalChar(*object, "QuoteChar", '"', "\"'");
  csv.options.escape = OptionalChar(*object, "EscapeChar", '\0', "");
  csv.options.trim = OptionalBool(*object, "TrimWhiteSpace").value_or(false);
  csv.null_value = OptionalText(*object, "NullValue").value_or("");
  if (csv.null_value.size() > 256) throw Invalid("NullValue may have at most 256 characters");
  if (csv.options.escape == csv.options.separator) {
    throw Invalid("EscapeChar and ColumnSeparator must differ");
  }
  return csv;
}

// Published patterns leave '=' out of ObjectKeyPrefix, but AWS's own copy tool sends UNLOAD's
// `partition_date=...` folders here: the pattern is taken as not enforced.
std::string OptionalPrefix(const json& object, std::size_t max_bytes) {
  std::string prefix = OptionalText(object, "ObjectKeyPrefix").value_or("");
  if (prefix.size() > max_bytes) {
    throw Invalid("ObjectKeyPrefix may have at most " + std::to_string(max_bytes) + " characters");
  }
  return prefix;
}

// https://docs.aws.amazon.com/timestream/latest/developerguide/batch-load-prerequisites.html
void CheckBucket(const Storage& storage, const std::string& what, const std::string& name,
                 const std::string& region) {
  const auto found = OnStorage([&] { return storage.RegionOf({region, name}); });
  if (!found) throw Invalid("The " + what + " bucket " + name + " does not exist");
  if (*found != region) {
    throw Invalid("The " + what + " bucket " + name + " is in " + *found +
                  ": it must be in the table's region " + region);
  }
}

// Checks the source's part of the request; `csv` and `prefix` of the plan come from the same code.
void FillSource(const json& source, BatchPlan* plan) {
  if (RequiredText(source, "DataFormat") != "CSV") throw Invalid("DataFormat must be CSV");
  const json& s3 = RequiredObject(source, "DataSourceS3Configuration");
  plan->source_bucket = RequiredText(s3, "BucketName");
  plan->source_prefix = OptionalPrefix(s3, 1024);
  plan->csv = ParseCsv(source);
}

void FillReport(const json& report, BatchPlan* plan) {
  const json& s3 = RequiredObject(report, "ReportS3Configuration");
  plan->report_bucket = RequiredText(s3, "BucketName");
  plan->report_prefix = OptionalPrefix(s3, 928);
  const auto encryption = OptionalEnum(s3, "EncryptionOption", {"SSE_S3", "SSE_KMS"});
  if (OptionalText(s3, "KmsKeyId") && encryption != "SSE_KMS") {
    throw Invalid("KmsKeyId needs the EncryptionOption SSE_KMS");
  }
  plan->report_as.content_type = "application/json";
  plan->report_as.encryption = encryption == "SSE_KMS" ? "aws:kms" : "AES256";
  plan->report_as.kms_key = OptionalText(s3, "KmsKeyId").value_or("");
}

json ReadModelObject(const json& s3, const std::string& region, const Storage& storage) {
  const std::string bucket = RequiredText(s3, "BucketName");
  const std::string key = RequiredText(s3, "ObjectKey");
  CheckBucket(storage, "data model", bucket, region);
  const StoragePlace place{region, bucket};
  const auto object = OnStorage([&] { return storage.FindObject(place, key); });
  if (!object) throw Invalid("The data model s3://" + bucket + "/" + key + " does not exist");
  if (object->size > kMaxModelBytes) throw Invalid("The data model object is too large");
  const std::string text = OnStorage([&] { return ReadWhole(storage, place, *object); });
  json model = json::parse(text, nullptr, false);
  if (model.is_discarded()) throw Invalid("The data model object is not JSON");
  return model;
}

}  // namespace

BatchTask ParseCreateRequest(const Caller& caller, const json& request, const TableStore& tables,
                             const Storage& storage) {
  BatchTask task;
  task.region = caller.region;
  task.database = RequiredName(request, "TargetDatabaseName");
  task.table = RequiredName(request, "TargetTableName");
  task.version = OptionalInt(request, "RecordVersion", 1, INT64_MAX).value_or(1);
  task.client_token = OptionalText(request, "ClientToken").value_or("");
  if (task.client_token.size() > 64) throw Invalid("ClientToken may have at most 64 characters");
  json source = RequiredObject(request, "DataSourceConfiguration");
  const json& report = RequiredObject(request, "ReportConfiguration");
  BatchPlan plan;
  FillSource(source, &plan);
  FillReport(report, &plan);
  const TableInfo table = tables.GetTable({task.region, task.database, task.table});
  CheckBucket(storage, "source", plan.source_bucket, task.region);
  CheckBucket(storage, "report", plan.report_bucket, task.region);

  json configured = RequiredObject(request, "DataModelConfiguration");
  const bool in_s3 = OptionalObject(configured, "DataModelS3Configuration") != nullptr;
  if (in_s3 == (OptionalObject(configured, "DataModel") != nullptr)) {
    throw Invalid("Exactly one of DataModel and DataModelS3Configuration must be given");
  }
  json model = in_s3 ? ReadModelObject(configured["DataModelS3Configuration"], task.region, storage)
                     : configured["DataModel"];
  CheckModelAgainst(ParseDataModel(&model), table.properties);
  if (!in_s3) configured["DataModel"] = model;
  task.model = model.dump();
  task.configuration = json{{"DataSourceConfiguration", std::move(source)},
                            {"ReportConfiguration", report},
                            {"DataModelConfiguration", std::move(configured)}}
                           .dump();
  task.request = request.dump();
  return task;
}

BatchPlan PlanOf(const BatchTask& task) {
  BatchPlan plan;
  const json configuration = json::parse(task.configuration);
  FillSource(configuration.at("DataSourceConfiguration"), &plan);
  FillReport(configuration.at("ReportConfiguration"), &plan);
  json model = json::parse(task.model);
  plan.model = ParseDataModel(&model);
  return plan;
}

}  // namespace ts_local
