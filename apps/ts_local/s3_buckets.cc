#include "ts_local/s3_buckets.h"

#include <algorithm>

#include "ts_local/s3_request_xml.h"
#include "ts_local/time_text.h"

namespace ts_local {
namespace {

constexpr std::string_view kDefaultRegion = "us-east-1";

bool IsAlphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
void CheckName(const std::string& name) {
  const bool length = name.size() >= 3 && name.size() <= 63;
  const bool characters = std::all_of(
      name.begin(), name.end(), [](char c) { return IsAlphanumeric(c) || c == '-' || c == '.'; });
  const bool ends = length && IsAlphanumeric(name.front()) && IsAlphanumeric(name.back());
  const bool address = std::count(name.begin(), name.end(), '.') == 3 &&
                       name.find_first_not_of("0123456789.") == std::string::npos;
  if (!ends || !characters || address || name.find("..") != std::string::npos) {
    throw ApiError(400, "InvalidBucketName", "The specified bucket is not valid.");
  }
}

// The region the bucket is made in, by S3's rules for the endpoint that was asked.
std::string ChooseRegion(const std::string& endpoint_region, const std::string& constraint) {
  if (constraint == kDefaultRegion) {
    throw ApiError(400, "InvalidLocationConstraint",
                   "The specified location-constraint is not valid");
  }
  if (endpoint_region == kDefaultRegion) {
    return constraint.empty() ? endpoint_region : constraint;
  }
  if (constraint != endpoint_region) {
    throw ApiError(400, "IllegalLocationConstraintException",
                   "The " + (constraint.empty() ? std::string("unspecified") : constraint) +
                       " location constraint is incompatible for the region specific endpoint "
                       "this request was sent to.");
  }
  return constraint;
}

Response NoContent() {
  Response response;
  response.status = 204;
  return response;
}

}  // namespace

Response CreateBucket(const S3Call& call) {
  CheckName(call.bucket);
  // A policy of a bucket that is there does not say who may create one.
  if (!call.principals.May(call.caller.arn, "s3:CreateBucket", call.bucket, "")) {
    call.Require("s3:CreateBucket");
  }
  const std::string region =
      ChooseRegion(call.caller.region, ReadLocationConstraint(call.request.body));
  const std::lock_guard lock(call.conditional_writes);  // two creators of one name
  if (const auto existing = call.objects.FindBucket(call.bucket)) {
    // us-east-1 alone answers 200 to the owner of a bucket that is there.
    if (existing->region != kDefaultRegion || region != kDefaultRegion) {
      throw S3Error(409, "BucketAlreadyOwnedByYou",
                    "Your previous request to create the named bucket succeeded and you already "
                    "own it.",
                    {{"BucketName", call.bucket}}, {});
    }
  } else {
    call.objects.CreateBucket(call.bucket, region);
  }
  Response response;
  response.headers.emplace_back("Location", "/" + call.bucket);
  return response;
}

Response ListBuckets(const S3Call& call) {
  XmlWriter xml("ListAllMyBucketsResult", kS3Namespace);
  xml.Open("Owner");
  xml.Text("ID", call.objects.account_id());
  xml.Close();
  xml.Open("Buckets");
  const std::string prefix = call.Param("prefix");
  for (const Bucket& bucket : call.objects.Buckets()) {
    if (!bucket.name.starts_with(prefix)) continue;
    xml.Open("Bucket");
    xml.Text("Name", bucket.name);
    xml.Text("CreationDate", IsoTime(bucket.created_ms));
    xml.Text("BucketRegion", bucket.region);
    xml.Close();
  }
  return XmlResponse(xml);
}

Response HeadBucket(const S3Call& call) {
  call.Require("s3:ListBucket");
  Response response;
  response.headers.emplace_back("x-amz-bucket-region", call.objects.GetBucket(call.bucket).region);
  response.headers.emplace_back("Content-Type", "application/xml");
  return response;
}

Response DeleteBucket(const S3Call& call) {
  call.Require("s3:DeleteBucket");
  for (const Upload& upload : call.uploads.List(call.bucket, "", "", "", SIZE_MAX >> 1U)) {
    call.uploads.Remove(upload);
  }
  call.objects.DeleteBucket(call.bucket);
  return NoContent();
}

Response GetBucketLocation(const S3Call& call) {
  call.Require("s3:GetBucketLocation");
  const std::string region = call.objects.GetBucket(call.bucket).region;
  Response response;
  response.headers.emplace_back("Content-Type", "application/xml");
  response.body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<LocationConstraint xmlns=\"" +
                  std::string(kS3Namespace) + "\">" + (region == kDefaultRegion ? "" : region) +
                  "</LocationConstraint>";
  return response;
}

Response GetBucketAcl(const S3Call& call) {
  call.Require("s3:GetBucketAcl");
  XmlWriter xml("AccessControlPolicy", kS3Namespace);
  xml.Open("Owner");
  xml.Text("ID", call.objects.account_id());
  xml.Close();
  xml.Open("AccessControlList");
  xml.Open("Grant");
  xml.Open(
      "Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
      "xsi:type=\"CanonicalUser\"");
  xml.Text("ID", call.objects.account_id());
  xml.Close();
  xml.Text("Permission", "FULL_CONTROL");
  return XmlResponse(xml);
}

Response GetBucketPolicy(const S3Call& call) {
  call.Require("s3:GetBucketPolicy");
  Response response;
  response.body = call.objects.GetBucket(call.bucket).policy;
  if (response.body.empty()) {
    throw S3Error(404, "NoSuchBucketPolicy", "The bucket policy does not exist",
                  {{"BucketName", call.bucket}}, {});
  }
  response.headers.emplace_back("Content-Type", "application/json");
  return response;
}

Response PutBucketPolicy(const S3Call& call) {
  call.Require("s3:PutBucketPolicy");
  (void)CheckDigests(call.request);
  if (call.request.body.empty()) {
    throw ApiError(400, "MissingRequestBodyError", "Request Body is empty");
  }
  call.objects.SetPolicy(call.bucket, call.request.body);
  return NoContent();
}

Response DeleteBucketPolicy(const S3Call& call) {
  call.Require("s3:DeleteBucketPolicy");
  call.objects.SetPolicy(call.bucket, "");
  return NoContent();
}

Response PutPublicAccessBlock(const S3Call& call) {
  call.Require("s3:PutBucketPublicAccessBlock");
  CheckRoot(call.request.body, "PublicAccessBlockConfiguration");
  return {};
}

}  // namespace ts_local
