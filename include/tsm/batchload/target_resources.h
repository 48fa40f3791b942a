// What a run needs to exist: buckets in the right region, databases, tables. Looking and changing
// are apart: everything is looked at, and judged by the caller (CompareTarget, CheckNewTarget),
// before the first thing is created. Stateless; as thread-safe as the clients.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tsm/batchload/target_table.h"
#include "tsm/core/progress.h"
#include "tsm/core/result.h"
#include "tsm/s3/names.h"
#include "tsm/s3/s3_client.h"
#include "tsm/timestream/write_client.h"

namespace tsm::batchload {

struct BucketWish {
  s3::BucketName bucket;  // empty: none is needed
  bool create = false;    // where it is missing
};

struct ResourceWishes {
  std::string region;                // of the tables, and of buckets that are created
  std::vector<DesiredTable> tables;  // empty with --copy_only
  bool create_tables = false;
  s3::BucketName source_bucket;  // files are copied from it; empty: they are loaded in place
  BucketWish target;
  BucketWish report;
};

struct ResourceServices {
  timestream::WriteClient& write;
  s3::S3Client& s3;
  s3::S3Client& source_s3;  // with the source's credentials; may be the same
  ProgressSink& sink;
};

struct FoundResources {
  std::string source_region;  // "" where there is no source bucket or S3 does not tell
  std::string target_region;  // "" where it is missing or S3 does not tell
  bool target_missing = false;
  bool report_missing = false;
  std::vector<std::string> missing_databases;                       // each once
  std::vector<std::optional<timestream::TableDescription>> tables;  // as in the wishes
};

// Reads only. kInvalidInput, with every reason, where something is missing that is not to be
// created, or a bucket that tasks read or report to lies in another region than the tables: batch
// load takes none. kAccessDenied names the permission.
// https://docs.aws.amazon.com/timestream/latest/developerguide/batch-load-prerequisites.html
Result<FoundResources> LookAtResources(const ResourceWishes& wishes,
                                       const ResourceServices& services, std::stop_token stop);

// Creates what was found missing: buckets, databases, tables. What another run created meanwhile
// is used; a table of another partition key is kInTheWay.
Status CreateResources(const ResourceWishes& wishes, const FoundResources& found,
                       const ResourceServices& services, std::stop_token stop);

}  // namespace tsm::batchload
