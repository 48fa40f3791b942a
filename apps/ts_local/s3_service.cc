#include "ts_local/s3_service.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "ts_local/s3_buckets.h"
#include "ts_local/s3_call.h"
#include "ts_local/s3_listing.h"
#include "ts_local/s3_multipart.h"
#include "ts_local/s3_objects.h"
#include "ts_local/url_codec.h"

namespace ts_local {
namespace {

enum class Level { kService, kBucket, kObject };

struct Route {
  Level level;
  std::string_view method;
  std::string_view parameter;  // the query parameter that tells the operation, "" for none
  Response (*handler)(const S3Call&);
  std::string_view name;  // AWS's, without a copy source
};

Response PutOrCopyObject(const S3Call& call) {
  return call.request.Header("x-amz-copy-source").empty() ? PutObject(call) : CopyObject(call);
}

Response UploadOrCopyPart(const S3Call& call) {
  return call.request.Header("x-amz-copy-source").empty() ? UploadPart(call) : UploadPartCopy(call);
}

// The first that fits counts: the routes with a parameter stand before the plain one.
constexpr std::array kRoutes = {
    Route{Level::kService, "GET", "", ListBuckets, "ListBuckets"},
    Route{Level::kBucket, "GET", "location", GetBucketLocation, "GetBucketLocation"},
    Route{Level::kBucket, "GET", "policy", GetBucketPolicy, "GetBucketPolicy"},
    Route{Level::kBucket, "GET", "acl", GetBucketAcl, "GetBucketAcl"},
    Route{Level::kBucket, "GET", "uploads", ListMultipartUploads, "ListMultipartUploads"},
    Route{Level::kBucket, "GET", "list-type", ListObjectsV2, "ListObjectsV2"},
    Route{Level::kBucket, "GET", "", ListObjectsV1, "ListObjects"},
    Route{Level::kBucket, "HEAD", "", HeadBucket, "HeadBucket"},
    Route{Level::kBucket, "PUT", "policy", PutBucketPolicy, "PutBucketPolicy"},
    Route{Level::kBucket, "PUT", "publicAccessBlock", PutPublicAccessBlock, "PutPublicAccessBlock"},
    Route{Level::kBucket, "PUT", "", CreateBucket, "CreateBucket"},
    Route{Level::kBucket, "DELETE", "policy", DeleteBucketPolicy, "DeleteBucketPolicy"},
    Route{Level::kBucket, "DELETE", "", DeleteBucket, "DeleteBucket"},
    Route{Level::kBucket, "POST", "delete", DeleteObjects, "DeleteObjects"},
    Route{Level::kObject, "GET", "tagging", GetObjectTagging, "GetObjectTagging"},
    Route{Level::kObject, "GET", "uploadId", ListParts, "ListParts"},
    Route{Level::kObject, "GET", "", GetObject, "GetObject"},
    Route{Level::kObject, "HEAD", "", GetObject, "HeadObject"},
    Route{Level::kObject, "PUT", "uploadId", UploadOrCopyPart, "UploadPart"},
    Route{Level::kObject, "PUT", "", PutOrCopyObject, "PutObject"},
    Route{Level::kObject, "POST", "uploads", CreateMultipartUpload, "CreateMultipartUpload"},
    Route{Level::kObject, "POST", "uploadId", CompleteMultipartUpload, "CompleteMultipartUpload"},
    Route{Level::kObject, "DELETE", "uploadId", AbortMultipartUpload, "AbortMultipartUpload"},
    Route{Level::kObject, "DELETE", "", DeleteObject, "DeleteObject"},
};

// Query parameters that belong to no operation in particular.
constexpr std::array<std::string_view, 15> kCommonParameters = {
    "x-id",       "prefix",      "delimiter",   "max-keys",           "marker",
    "list-type",  "start-after", "fetch-owner", "continuation-token", "encoding-type",
    "key-marker", "max-uploads", "max-parts",   "upload-id-marker",   "part-number-marker"};

constexpr std::array<std::string_view, 7> kForeignHeaders = {
    "x-amz-tagging",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-object-lock-mode",
    "x-amz-object-lock-legal-hold",
    "x-amz-website-redirect-location",
    "x-amz-if-match-size",
    "x-amz-if-match-last-modified-time"};

ApiError NotImplemented(std::string_view what) {
  return {501, "NotImplemented",
          "A header or query you provided implies functionality that is not implemented: " +
              std::string(what)};
}

const Route* LookForRoute(Level level, const Request& request) {
  for (const Route& route : kRoutes) {
    if (route.level != level || route.method != request.method) continue;
    if (route.parameter.empty() || request.Query(route.parameter) != nullptr) return &route;
  }
  return nullptr;
}

const Route& FindRoute(Level level, const Request& request) {
  const Route* route = LookForRoute(level, request);
  if (route != nullptr) return *route;
  throw ApiError(405, "MethodNotAllowed",
                 "The specified method is not allowed against this resource.");
}

// Whatever asks for a part of S3 that is not here must not be answered as if it had not asked.
void RefuseForeign(const Route& route, const Request& request) {
  for (const auto& [name, value] : request.query) {
    const bool known =
        name == route.parameter ||
        (name == "partNumber" && request.method == "PUT" && route.parameter == "uploadId") ||
        (name == "versionId" && value == "null") ||
        std::find(kCommonParameters.begin(), kCommonParameters.end(), name) !=
            kCommonParameters.end() ||
        (route.level == Level::kService && (name == "max-buckets" || name == "bucket-region"));
    if (!known) throw NotImplemented(name);
  }
  for (const std::string_view header : kForeignHeaders) {
    if (!request.Header(header).empty()) throw NotImplemented(header);
  }
}

// The bucket of a virtual host, "" for path style.
std::string HostBucket(std::string_view host) {
  host = host.substr(0, host.find(':'));
  constexpr std::string_view kLocal = ".localhost";
  if (host.ends_with(kLocal)) return std::string(host.substr(0, host.size() - kLocal.size()));
  const std::size_t service = std::min(host.find(".s3."), host.find(".s3-"));
  return service == std::string_view::npos ? "" : std::string(host.substr(0, service));
}

// Bucket and key, either of which may be "".
std::pair<std::string, std::string> Place(const Request& request) {
  std::string_view path = request.path;
  path.remove_prefix(std::min<std::size_t>(path.size(), 1));
  std::string bucket = HostBucket(request.Header("host"));
  if (bucket.empty()) {
    const std::size_t slash = path.find('/');
    bucket = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  }
  return {bucket, std::string(path)};
}

Level LevelOf(const std::string& bucket, const std::string& key) {
  return bucket.empty() ? Level::kService : key.empty() ? Level::kBucket : Level::kObject;
}

void Locate(S3Call& call) {
  std::tie(call.bucket, call.key) = Place(call.request);
  if (!IsUtf8(call.key)) throw ApiError(400, "InvalidURI", "Couldn't parse the specified URI.");
  if (call.key.size() > 1024) throw ApiError(400, "KeyTooLongError", "Your key is too long");
}

void CheckOwner(const S3Call& call) {
  for (const char* name : {"x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"}) {
    const std::string_view owner = call.request.Header(name);
    if (!owner.empty() && owner != call.objects.account_id()) {
      throw ApiError(403, "AccessDenied", "Access Denied");
    }
  }
}

void CheckBucket(const S3Call& call, const Route& route) {
  const auto bucket = call.objects.FindBucket(call.bucket);
  if (!bucket) {
    throw S3Error(404, "NoSuchBucket", "The specified bucket does not exist",
                  {{"BucketName", call.bucket}}, {});
  }
  // Asking where a bucket is must work from everywhere.
  if (bucket->region == call.caller.region || route.handler == GetBucketLocation) return;
  throw S3Error(301, "PermanentRedirect",
                "The bucket you are attempting to access must be addressed using the specified "
                "endpoint. Please send all future requests to this endpoint.",
                {{"Endpoint", std::string(call.request.Header("host"))},
                 {"Bucket", call.bucket},
                 {"Region", bucket->region}},
                {{"x-amz-bucket-region", bucket->region}});
}

}  // namespace

std::string S3Service::OperationOf(const Request& request) {
  const auto [bucket, key] = Place(request);
  const Route* route = LookForRoute(LevelOf(bucket, key), request);
  if (route == nullptr) return {};
  if (request.Header("x-amz-copy-source").empty()) return std::string(route->name);
  return route->name == "PutObject"    ? "CopyObject"
         : route->name == "UploadPart" ? "UploadPartCopy"
                                       : std::string(route->name);
}

bool S3Service::IsOperation(std::string_view name) {
  return name == "CopyObject" || name == "UploadPartCopy" ||
         std::any_of(kRoutes.begin(), kRoutes.end(),
                     [&](const Route& route) { return route.name == name; });
}

Response S3Service::Handle(const Caller& caller, const Request& request) {
  S3Call call{objects_, uploads_, conditional_writes_, principals_, caller, request, "", ""};
  Locate(call);
  const Level level = LevelOf(call.bucket, call.key);
  const Route& route = FindRoute(level, request);
  RefuseForeign(route, request);
  CheckOwner(call);
  if (level != Level::kService && route.handler != CreateBucket) CheckBucket(call, route);
  return route.handler(call);
}

}  // namespace ts_local
