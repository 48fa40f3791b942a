#include "ts_batchload/preflight.h"

namespace tsm::apps {
namespace {

// Where the service writes what it rejects after it accepted it: without it magnetic-store
// conflicts vanish.
// https://docs.aws.amazon.com/timestream/latest/developerguide/API_MagneticStoreRejectedDataLocation.html
constexpr const char* kRejectedPrefix = "magnetic_store_rejected";

Error Refuse(std::string message) {
  return MakeError(ErrorKind::kInvalidInput, std::move(message));
}

// The answer to a HEAD carries no error document, so a wrong secret looks like a missing
// permission: a listing of one key, which needs the same permission, tells the service's code.
Error Reason(const s3::BucketName& bucket, Error error, const BatchLoadServices& services,
             std::stop_token stop) {
  if (error.kind != ErrorKind::kAccessDenied) return error;
  s3::ListOptions one;
  one.max_keys = 1;
  Result<s3::ListPage> page = services.s3.ListObjects(bucket, "", "", one, stop);
  return page ? error : page.error();
}

// True where the bucket is missing and may be created.
Result<bool> LookAtBucket(const s3::BucketName& bucket, const char* what, bool may_create,
                          const char* remedy, const BatchLoadServices& services,
                          std::stop_token stop) {
  Result<std::string> region = services.s3.HeadBucket(bucket, stop);
  if (!region) {
    if (region.error().kind != ErrorKind::kNotFound) {
      return Reason(bucket, std::move(region).error(), services, stop).With(what);
    }
    if (may_create) return true;
    return Refuse("the " + std::string(what) + " " + bucket.str() + " does not exist: " + remedy);
  }
  if (!region->empty() && *region != services.region) {
    return Refuse("the " + std::string(what) + " " + bucket.str() + " is in " + *region +
                  ", the table in " + services.region +
                  ": batch load reads and reports only in the table's region, name another bucket");
  }
  return false;
}

// An existing table is used as it is; what will not work with it is said now.
Status CheckExistingTable(const timestream::TableDescription& table,
                          const BatchLoadSettings& settings, ProgressSink& sink) {
  if (table.status == "DELETING" || table.status == "RESTORING") {
    return MakeError(ErrorKind::kInTheWay, "the table " + table.table.str() + " is " +
                                               table.status + ", it takes no load");
  }
  const auto& key = table.settings.partition_key;
  const bool has_dimension = key && !key->is_measure && !key->name.empty();
  if (has_dimension && key->required && !settings.data_model.HasDimension(key->name)) {
    return Refuse("the table " + table.table.str() + " has the required partition key " +
                  key->name + ", which the data model does not write");
  }
  if (settings.partition_key && !(has_dimension && key->name == *settings.partition_key)) {
    sink.Warn("the table " + table.table.str() + " exists and is used, but its partition key is " +
              (has_dimension ? key->name : "not a dimension of one's own") + ", not " +
              *settings.partition_key + ": a table's key can't be changed");
  } else if (settings.create_table) {
    sink.Info("the table " + table.table.str() + " exists and is used as it is");
  }
  if (!table.settings.magnetic_writes) {
    sink.Warn("the table " + table.table.str() +
              " takes no magnetic-store writes: rows older than its memory store will be refused");
  }
  return Ok();
}

Status LookAtTable(const BatchLoadSettings& settings, const BatchLoadServices& services,
                   std::stop_token stop, Missing& missing) {
  Result<timestream::TableDescription> table = services.write.DescribeTable(settings.table, stop);
  if (table) return CheckExistingTable(*table, settings, services.sink);
  if (table.error().kind != ErrorKind::kNotFound) return table.error();
  missing.table = true;
  Status database = services.write.DescribeDatabase(settings.table.database, stop);
  if (!database && database.error().kind != ErrorKind::kNotFound) return database.error();
  missing.database = !database;
  if (settings.create_table) return Ok();
  const std::string what = missing.database ? "the database " + settings.table.database
                                            : "the table " + settings.table.str();
  return Refuse(what + " does not exist in " + services.region +
                ": --create_timestream_resource creates it");
}

// Somebody else's bucket is no bucket of ours; one that this account owns already is used.
Status CreateBucket(const s3::BucketName& bucket, const BatchLoadServices& services,
                    std::stop_token stop) {
  Status created = services.s3.CreateBucket(bucket, stop);
  if (created) {
    services.sink.Info("created the bucket " + bucket.str() + " in " + services.region);
    return created;
  }
  if (created.error().code == "BucketAlreadyOwnedByYou") return Ok();
  return created;
}

Status UseIfThere(Status created, const std::string& what, const BatchLoadServices& services) {
  if (created) {
    services.sink.Info("created " + what);
    return created;
  }
  if (created.error().kind == ErrorKind::kAlreadyExists) return Ok();
  return created;
}

}  // namespace

Result<Missing> LookAround(const BatchLoadSettings& settings, const BatchLoadServices& services,
                           std::stop_token stop) {
  Missing missing;
  // Without a copy a new target bucket would hold nothing to load.
  Result<bool> target = LookAtBucket(
      settings.target_bucket, "target bucket", settings.create_target_bucket && settings.copy,
      settings.copy ? "--create_destination_bucket creates it"
                    : "the files to load must lie in it, or be copied there (--copy_s3_bucket)",
      services, stop);
  if (!target) return target.error();
  missing.target_bucket = *target;
  Result<bool> error =
      LookAtBucket(settings.error_bucket, "error bucket", settings.create_error_bucket,
                   "--create_error_logging_bucket creates it", services, stop);
  if (!error) return error.error();
  missing.error_bucket = *error;
  if (Status status = LookAtTable(settings, services, stop, missing); !status) {
    return status.error();
  }
  return missing;
}

Status CreateMissing(const Missing& missing, const BatchLoadSettings& settings,
                     const BatchLoadServices& services, std::stop_token stop) {
  if (missing.target_bucket) {
    if (Status status = CreateBucket(settings.target_bucket, services, stop); !status)
      return status;
  }
  if (missing.error_bucket) {
    if (Status status = CreateBucket(settings.error_bucket, services, stop); !status) return status;
  }
  if (missing.database) {
    Status status = UseIfThere(services.write.CreateDatabase(settings.table.database, stop),
                               "the database " + settings.table.database, services);
    if (!status) return status;
  }
  if (!missing.table) return Ok();
  timestream::TableSettings table;
  table.memory_store_hours = settings.memory_store_hours;
  table.magnetic_store_days = settings.magnetic_store_days;
  table.magnetic_writes = true;
  table.rejected_data =
      timestream::RejectedDataLocation{settings.error_bucket.str(), kRejectedPrefix};
  table.partition_key = timestream::PartitionKey{false, settings.partition_key.value_or(""), true};
  return UseIfThere(services.write.CreateTable(settings.table, table, stop),
                    "the table " + settings.table.str() + " with the partition key " +
                        settings.partition_key.value_or(""),
                    services);
}

}  // namespace tsm::apps
