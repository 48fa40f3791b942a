#include "common/hints.h"

#include <array>
#include <string_view>

namespace tsm::apps {

namespace {

struct Permission {
  std::string_view operation;  // how Operation::name begins
  std::string_view needed;
};

// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
// https://docs.aws.amazon.com/timestream/latest/developerguide/export-unload-prerequisites.html
// https://docs.aws.amazon.com/timestream/latest/developerguide/batch-load-prerequisites.html
constexpr std::array kPermissions = {
    Permission{"CreateBucket", "s3:CreateBucket"},
    Permission{"HeadBucket", "s3:ListBucket"},
    Permission{"ListObjectsV2", "s3:ListBucket on the bucket"},
    Permission{"HeadObject", "s3:GetObject"},
    Permission{"GetObject", "s3:GetObject"},
    Permission{"PutObject",
               "s3:PutObject and, for the lock of a run whose state is in S3, s3:GetObject"},
    Permission{"DeleteObject",
               "s3:DeleteObject and, for the lock of a run whose state is in S3, s3:GetObject"},
    Permission{"DeleteObjects", "s3:DeleteObject"},
    Permission{"ListMultipartUploads", "s3:ListBucketMultipartUploads on the bucket"},
    Permission{"AbortMultipartUpload", "s3:AbortMultipartUpload"},
    Permission{"CopyObject",
               "s3:GetObject on the source object and s3:PutObject on the target bucket"},
    Permission{"GetBucketPolicy", "s3:GetBucketPolicy"},
    Permission{"PutBucketPolicy", "s3:PutBucketPolicy"},
    Permission{"Publish", "sns:Publish on the topic"},
    Permission{"Query",
               "timestream:Select, timestream:ListMeasures, timestream:DescribeTable and, for an "
               "UNLOAD, timestream:Unload with s3:GetBucketAcl, s3:PutObject, s3:GetObject and "
               "s3:AbortMultipartUpload on the bucket"},
    Permission{"CancelQuery", "timestream:CancelQuery"},
    Permission{"CreateDatabase", "timestream:CreateDatabase"},
    Permission{"DescribeDatabase", "timestream:DescribeDatabase"},
    Permission{"ListDatabases", "timestream:ListDatabases"},
    Permission{"CreateTable", "timestream:CreateTable"},
    Permission{"DescribeTable", "timestream:DescribeTable"},
    Permission{"ListTables", "timestream:ListTables"},
    Permission{"WriteRecords", "timestream:WriteRecords"},
    Permission{"CreateBatchLoadTask",
               "timestream:CreateBatchLoadTask and timestream:WriteRecords on the table, "
               "s3:GetObject, s3:ListBucket and s3:GetBucketAcl on the source bucket, s3:PutObject "
               "and s3:GetBucketAcl on the report bucket"},
    Permission{"DescribeBatchLoadTask", "timestream:DescribeBatchLoadTask"},
    Permission{"ListBatchLoadTasks", "timestream:ListBatchLoadTasks"},
    Permission{"ResumeBatchLoadTask", "timestream:ResumeBatchLoadTask"},
};

bool NamesOperation(std::string_view where, std::string_view operation) {
  return where.starts_with(operation) &&
         (where.size() == operation.size() || where[operation.size()] == ' ');
}

std::string PermissionHint(const Error& error) {
  for (const std::string& where : error.context) {
    for (const Permission& permission : kPermissions) {
      if (NamesOperation(where, permission.operation)) {
        return "this call needs the permission " + std::string(permission.needed) +
               "; a Deny in the bucket's or the organization's policy also ends here.";
      }
    }
  }
  return "the credentials are good, but a permission is missing; see \"Permissions\" in the "
         "README.";
}

}  // namespace

std::string HintOf(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kCredentials:
      return "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN for temporary "
             "keys), name a profile with --profile, or log in (aws sso login, aws login); "
             "--debug tells which source is used.";
    case ErrorKind::kExpiredCredentials:
      return "the temporary credentials have run out and can't be renewed from where they came: "
             "get "
             "new ones and run the same command again.";
    case ErrorKind::kAccessDenied:
      return PermissionHint(error);
    case ErrorKind::kClockSkew:
      return "this machine's clock differs from AWS's, and reckoning with AWS's did not help: set "
             "it.";
    case ErrorKind::kWrongRegion:
      return "name the region of the table and its buckets with --region.";
    case ErrorKind::kThrottled:
      return "the service asks for fewer calls: wait a little and run the same command again.";
    case ErrorKind::kQuotaExceeded:
      return "a quota of the account is used up: wait for running work to end or have it raised.";
    case ErrorKind::kTransient:
      return error.http_status == 0
                 ? "the service was not reached: check the network, proxy settings and the "
                   "endpoint "
                   "(--endpoint_url, AWS_ENDPOINT_URL), then run the same command again."
                 : "the service had a passing failure: run the same command again.";
    case ErrorKind::kWrongEndpoint:
      return "the endpoint does not serve this account or operation: check --endpoint_url and "
             "AWS_ENDPOINT_URL.";
    case ErrorKind::kBadReply:
      return "what answered may not be AWS: check --endpoint_url, AWS_ENDPOINT_URL and proxies.";
    case ErrorKind::kInvalidInput:
    case ErrorKind::kInTheWay:
    case ErrorKind::kConfiguration:
    case ErrorKind::kLocalIo:
    case ErrorKind::kNotFound:
    case ErrorKind::kAlreadyExists:
    case ErrorKind::kValidation:
    case ErrorKind::kQueryFailed:
    case ErrorKind::kProof:
    case ErrorKind::kCancelled:
    case ErrorKind::kService:
      return "";
  }
  return "";
}

}  // namespace tsm::apps
