#include "tsm/batchload/target_resources.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "tsm/core/parallel.h"
#include "tsm/core/text.h"

namespace tsm::batchload {
namespace {

using timestream::TableDescription;

struct BucketLook {
  bool missing = false;
  std::string region;
};

// The answer to a HEAD carries no error document, so a wrong secret looks like a missing
// permission: a listing of one key, which needs the same permission, tells the service's code.
Error Reason(s3::S3Client& s3, const s3::BucketName& bucket, Error error, std::stop_token stop) {
  if (error.kind != ErrorKind::kAccessDenied) return error;
  s3::ListOptions one;
  one.max_keys = 1;
  Result<s3::ListPage> page = s3.ListObjects(bucket, "", "", one, std::move(stop));
  return page ? error : std::move(page).error();
}

Result<BucketLook> LookAtBucket(s3::S3Client& s3, const s3::BucketName& bucket,
                                const std::string& what, std::stop_token stop) {
  BucketLook look;
  Result<std::string> region = s3.HeadBucket(bucket, stop);
  if (region) {
    look.region = *std::move(region);
    return look;
  }
  if (region.error().kind == ErrorKind::kNotFound) {
    look.missing = true;
    return look;
  }
  return Reason(s3, bucket, std::move(region).error(), std::move(stop))
      .With("looking at the " + what + " bucket " + bucket.str() + " (needs s3:ListBucket)");
}

class Look {
 public:
  Look(const ResourceWishes& wishes, const ResourceServices& services, std::stop_token stop)
      : wishes_(wishes), services_(services), stop_(std::move(stop)) {}

  Result<FoundResources> Run() {
    LookAtBuckets();
    for (const auto step :
         {&Look::Source, &Look::Target, &Look::Report, &Look::Tables, &Look::Databases}) {
      if (Status status = (this->*step)(); !status) return status.error();
    }
    if (problems_.empty()) return std::move(found_);
    return MakeError(ErrorKind::kInvalidInput, Join(problems_, "; "));
  }

 private:
  using Looked = std::optional<Result<BucketLook>>;

  // Side by side: where S3 is far, a round trip is what an operator waits for.
  void LookAtBuckets() {
    struct Question {
      s3::S3Client& s3;
      const s3::BucketName& bucket;
      const char* what;
      Looked& answer;
    };
    const Question questions[] = {
        {services_.source_s3, wishes_.source_bucket, "source", source_},
        {services_.s3, wishes_.target.bucket, "target", target_},
        {services_.s3, wishes_.report.bucket, "error", report_},
    };
    ParallelFor(std::size(questions), std::size(questions), std::stop_token(),
                [&](std::size_t i, const std::stop_token&) {
                  const Question& asked = questions[i];
                  if (asked.bucket.empty()) return true;
                  asked.answer = LookAtBucket(asked.s3, asked.bucket, asked.what, stop_);
                  return true;
                });
  }

  Status Source() {
    if (!source_) return Ok();
    if (!*source_) return source_->error();
    const BucketLook& look = **source_;
    if (look.missing) {
      problems_.push_back("the source bucket " + wishes_.source_bucket.str() +
                          " does not exist: check --s3_source_bucket_location");
    }
    found_.source_region = look.region;
    return Ok();
  }

  Status Target() {
    if (!target_) return Ok();
    if (!*target_) return target_->error();
    const BucketLook& look = **target_;
    found_.target_missing = look.missing;
    found_.target_region = look.region;
    // Without a copy a new bucket would hold nothing to load.
    const bool copy = !wishes_.source_bucket.empty();
    if (look.missing && !(wishes_.target.create && copy)) {
      problems_.push_back("the target bucket " + wishes_.target.bucket.str() + " does not exist: " +
                          (copy ? "--create_destination_bucket creates it"
                                : "the files to load must lie in it, or be copied there "
                                  "(--copy_s3_bucket)"));
    }
    CheckRegion("target", wishes_.target.bucket, look.region);
    return Ok();
  }

  Status Report() {
    if (!report_) return Ok();
    if (!*report_) return report_->error();
    const BucketLook& look = **report_;
    // The same bucket may serve both; it is created once.
    const bool same = wishes_.report.bucket == wishes_.target.bucket;
    found_.report_missing = look.missing && !(same && found_.target_missing);
    if (found_.report_missing && !wishes_.report.create) {
      problems_.push_back("the error bucket " + wishes_.report.bucket.str() +
                          " does not exist: --create_error_logging_bucket creates it");
    }
    if (!same) CheckRegion("error", wishes_.report.bucket, look.region);
    return Ok();
  }

  void CheckRegion(const std::string& what, const s3::BucketName& bucket,
                   const std::string& region) {
    if (wishes_.tables.empty() || region.empty() || region == wishes_.region) return;
    problems_.push_back("the " + what + " bucket " + bucket.str() + " is in " + region +
                        ", the tables are in " + wishes_.region +
                        ": batch load reads and reports only in the table's region, name another "
                        "bucket");
  }

  Status Tables() {
    for (const DesiredTable& desired : wishes_.tables) {
      Result<TableDescription> table = services_.write.DescribeTable(desired.table, stop_);
      if (table) {
        found_.tables.emplace_back(*std::move(table));
        continue;
      }
      if (table.error().kind != ErrorKind::kNotFound) {
        return table.error().With("looking at the table " + desired.table.str() +
                                  " (needs timestream:DescribeTable)");
      }
      found_.tables.emplace_back(std::nullopt);
    }
    return Ok();
  }

  // Asked only where a table is missing: of others the database is there.
  Status Databases() {
    std::vector<std::string> asked;
    std::vector<std::string> missing;
    for (std::size_t i = 0; i < found_.tables.size(); ++i) {
      const timestream::TableRef& table = wishes_.tables[i].table;
      if (found_.tables[i]) continue;
      missing.push_back("the table " + table.str());
      if (std::find(asked.begin(), asked.end(), table.database) != asked.end()) continue;
      asked.push_back(table.database);
      Status database = services_.write.DescribeDatabase(table.database, stop_);
      if (database) continue;
      if (database.error().kind != ErrorKind::kNotFound) {
        return database.error().With("looking at the database " + table.database +
                                     " (needs timestream:DescribeDatabase)");
      }
      found_.missing_databases.push_back(table.database);
      missing.push_back("the database " + table.database);
    }
    if (missing.empty() || wishes_.create_tables) return Ok();
    problems_.push_back(Join(missing, ", ") + (missing.size() == 1 ? " does" : " do") +
                        " not exist in " + wishes_.region +
                        ": --create_timestream_resource creates what is missing");
    return Ok();
  }

  const ResourceWishes& wishes_;
  const ResourceServices& services_;
  std::stop_token stop_;
  Looked source_;  // empty: there is no such bucket to look at
  Looked target_;
  Looked report_;
  FoundResources found_;
  std::vector<std::string> problems_;
};

// A bucket that this account owns already is used; somebody else's is not.
Status CreateBucket(const s3::BucketName& bucket, const ResourceWishes& wishes,
                    const ResourceServices& services, std::stop_token stop) {
  Status created = services.s3.CreateBucket(bucket, std::move(stop));
  if (created) {
    services.sink.Info("created the bucket " + bucket.str() + " in " + wishes.region);
    return Ok();
  }
  if (created.error().code == "BucketAlreadyOwnedByYou") return Ok();
  return created.error().With("creating the bucket " + bucket.str() + " (needs s3:CreateBucket)");
}

Status CreateDatabase(const std::string& database, const ResourceServices& services,
                      std::stop_token stop) {
  Status created = services.write.CreateDatabase(database, std::move(stop));
  if (created) {
    services.sink.Info("created the database " + database);
    return Ok();
  }
  if (created.error().kind == ErrorKind::kAlreadyExists) return Ok();
  return created.error().With("creating the database " + database +
                              " (needs timestream:CreateDatabase)");
}

Status CheckOthersTable(const DesiredTable& desired, const ResourceServices& services,
                        std::stop_token stop) {
  Result<TableDescription> table = services.write.DescribeTable(desired.table, std::move(stop));
  if (!table) return table.error();
  if (HasAskedKey(desired, *table)) return Ok();
  return MakeError(ErrorKind::kInTheWay,
                   "another run has just created the table " + desired.table.str() +
                       " with the partition key " + KeyText(table->settings.partition_key) +
                       ", not " + KeyText(desired.partition_key) + ": load into another table");
}

Status CreateTable(const DesiredTable& desired, const ResourceServices& services,
                   std::stop_token stop) {
  const timestream::TableSettings settings = desired.Settings();
  Status created = services.write.CreateTable(desired.table, settings, stop);
  if (created) {
    std::string text = "created the table " + desired.table.str() + " with the partition key " +
                       KeyText(settings.partition_key);
    if (settings.rejected_data) {
      text += ", rejected data goes to s3://" + settings.rejected_data->bucket + "/" +
              settings.rejected_data->prefix;
    }
    services.sink.Info(std::move(text));
    return Ok();
  }
  if (created.error().kind == ErrorKind::kAlreadyExists) {
    return CheckOthersTable(desired, services, std::move(stop));
  }
  std::string where =
      "creating the table " + desired.table.str() + " (needs timestream:CreateTable";
  // https://docs.aws.amazon.com/timestream/latest/developerguide/writes.html
  if (settings.rejected_data) {
    where += ", and s3:PutObject and s3:GetBucketAcl on the bucket of rejected data " +
             settings.rejected_data->bucket;
  }
  return created.error().With(where + ")");
}

}  // namespace

Result<FoundResources> LookAtResources(const ResourceWishes& wishes,
                                       const ResourceServices& services, std::stop_token stop) {
  return Look(wishes, services, std::move(stop)).Run();
}

Status CreateResources(const ResourceWishes& wishes, const FoundResources& found,
                       const ResourceServices& services, std::stop_token stop) {
  const std::pair<bool, const s3::BucketName*> buckets[] = {
      {found.target_missing, &wishes.target.bucket}, {found.report_missing, &wishes.report.bucket}};
  for (const auto& [missing, bucket] : buckets) {
    if (!missing) continue;
    if (Status status = CreateBucket(*bucket, wishes, services, stop); !status) return status;
  }
  for (const std::string& database : found.missing_databases) {
    if (Status status = CreateDatabase(database, services, stop); !status) return status;
  }
  for (std::size_t i = 0; i < found.tables.size(); ++i) {
    if (found.tables[i]) continue;
    if (Status status = CreateTable(wishes.tables[i], services, stop); !status) return status;
  }
  return Ok();
}

}  // namespace tsm::batchload
