#include "ts_local/s3_objects.h"

#include "ts_local/object_files.h"
#include "ts_local/s3_request_xml.h"
#include "ts_local/time_text.h"
#include "ts_local/url_codec.h"

namespace ts_local {
namespace {

// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
constexpr std::uint64_t kMaxCopyBytes = 5ULL << 30U;

// Without the right to list, S3 does not say whether a key exists.
ObjectInfo GetForRead(const S3Call& call, const std::string& bucket, const std::string& key,
                      const std::string& action = "s3:GetObject") {
  call.Require(bucket, action, key);
  auto found = call.objects.Find(bucket, key);
  if (found) return *std::move(found);
  (void)call.objects.GetBucket(bucket);
  if (!call.Allowed(bucket, "s3:ListBucket", "")) {
    throw ApiError(403, "AccessDenied", "Access Denied");
  }
  throw S3Error(404, "NoSuchKey", "The specified key does not exist.", {{"Key", key}}, {});
}

void AddChecksums(const S3Error::Fields& checksums, Response& response) {
  for (const auto& [name, value] : checksums) response.headers.emplace_back(name, value);
}

bool Replaces(const Request& request) {
  const std::string_view directive = request.Header("x-amz-metadata-directive");
  if (directive.empty() || directive == "COPY") return false;
  if (directive == "REPLACE") return true;
  throw ApiError(400, "InvalidArgument", "Unknown metadata directive.");
}

// The copy's attributes: the source's, or the request's; encryption is never taken from the source.
ObjectAttributes CopyAttributes(const S3Call& call, const ObjectInfo& source) {
  ObjectAttributes attributes = ReadAttributes(call.request);
  if (!Replaces(call.request)) {
    attributes.content_type = source.content_type;
    attributes.metadata = source.metadata;
  }
  return attributes;
}

}  // namespace

Response GetObject(const S3Call& call) {
  const ObjectInfo object = GetForRead(call, call.bucket, call.key);
  Response response;
  DescribeObject(object, response);
  if (!CheckReadConditions(call.request, "", object)) {
    response.status = 304;
    return response;
  }
  response.length = object.size;
  if (const auto range = ReadRange(call.request.Header("range"), object.size)) {
    response.status = 206;
    response.offset = range->first;
    response.length = range->second;
    response.headers.emplace_back("Content-Range",
                                  "bytes " + std::to_string(response.offset) + "-" +
                                      std::to_string(response.offset + response.length - 1) + "/" +
                                      std::to_string(object.size));
  }
  if (call.request.method == "HEAD") {
    response.headers.emplace_back("Content-Length", std::to_string(response.length));
    response.length = 0;
  } else {
    response.file = object.file;
  }
  return response;
}

Response PutObject(const S3Call& call) {
  call.Require("s3:PutObject");
  const S3Error::Fields checksums = CheckDigests(call.request);
  const ObjectAttributes attributes = ReadAttributes(call.request);
  const auto writer = call.objects.NewWriter();
  writer->Append(call.request.body);
  std::unique_lock lock(call.conditional_writes, std::defer_lock);
  if (!call.request.Header("if-match").empty() || !call.request.Header("if-none-match").empty()) {
    lock.lock();
  }
  CheckWriteConditions(call);
  const ObjectInfo object =
      writer->Commit(call.bucket, call.key, attributes, EtagFor(attributes.encryption));
  Response response;
  response.headers.emplace_back("ETag", Quoted(object.etag));
  DescribeEncryption(object.encryption, object.kms_key, response);
  AddChecksums(checksums, response);
  return response;
}

ObjectInfo ReadCopySource(const S3Call& call) {
  std::string source = PercentDecode(call.request.Header("x-amz-copy-source"));
  const std::string_view header = call.request.Header("x-amz-copy-source");
  const std::size_t version = header.find("?versionId=");
  if (version != std::string_view::npos) {
    if (header.substr(version) != "?versionId=null") {
      throw ApiError(400, "InvalidArgument", "Invalid version id specified");
    }
    source = PercentDecode(header.substr(0, version));
  }
  if (source.starts_with('/')) source.erase(0, 1);
  const std::size_t slash = source.find('/');
  if (slash == std::string::npos || slash + 1 == source.size()) {
    throw ApiError(400, "InvalidArgument", "Copy Source must mention the source bucket and key");
  }
  ObjectInfo object = GetForRead(call, source.substr(0, slash), source.substr(slash + 1));
  (void)CheckReadConditions(call.request, "x-amz-copy-source-", object);
  return object;
}

Response CopyObject(const S3Call& call) {
  call.Require("s3:PutObject");
  const ObjectInfo source = ReadCopySource(call);
  if (source.size > kMaxCopyBytes) {
    throw ApiError(400, "InvalidRequest",
                   "The specified copy source is larger than the maximum allowable size for a "
                   "copy source: " +
                       std::to_string(kMaxCopyBytes));
  }
  const auto existing = call.objects.Find(call.bucket, call.key);
  if (existing && existing->file == source.file && !Replaces(call.request) &&
      call.request.Header("x-amz-server-side-encryption").empty()) {
    throw ApiError(400, "InvalidRequest",
                   "This copy request is illegal because it is trying to copy an object to itself "
                   "without changing the object's metadata, storage class, website redirect "
                   "location or encryption attributes.");
  }
  const ObjectAttributes attributes = CopyAttributes(call, source);
  const auto writer = call.objects.NewWriter();
  ForEachPiece(source.file, 0, source.size, [&](std::string_view piece) { writer->Append(piece); });
  std::unique_lock lock(call.conditional_writes, std::defer_lock);
  if (!call.request.Header("if-match").empty() || !call.request.Header("if-none-match").empty()) {
    lock.lock();
  }
  CheckWriteConditions(call);
  const ObjectInfo object =
      writer->Commit(call.bucket, call.key, attributes, EtagFor(attributes.encryption));

  XmlWriter xml("CopyObjectResult", kS3Namespace);
  xml.Text("LastModified", IsoTime(object.modified_ms));
  xml.Text("ETag", Quoted(object.etag));
  Response response = XmlResponse(xml);
  DescribeEncryption(object.encryption, object.kms_key, response);
  return response;
}

Response DeleteObject(const S3Call& call) {
  call.Require("s3:DeleteObject");
  std::unique_lock lock(call.conditional_writes, std::defer_lock);
  if (!call.request.Header("if-match").empty()) lock.lock();
  CheckWriteConditions(call);
  call.objects.Delete(call.bucket, call.key);
  Response response;
  response.status = 204;
  return response;
}

Response DeleteObjects(const S3Call& call) {
  // The one operation that insists on a checksum of its body.
  // https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
  const S3Error::Fields checksums = CheckDigests(call.request);
  if (checksums.empty() && call.request.Header("content-md5").empty()) {
    throw ApiError(400, "InvalidRequest",
                   "Missing required header for this request: Content-MD5 OR x-amz-checksum-*");
  }
  const DeleteRequest request = ReadDelete(call.request.body);
  XmlWriter xml("DeleteResult", kS3Namespace);
  for (const std::string& key : request.keys) {
    if (!call.Allowed(call.bucket, "s3:DeleteObject", key)) {
      xml.Open("Error");
      xml.Text("Key", key);
      xml.Text("Code", "AccessDenied");
      xml.Text("Message", "Access Denied");
      xml.Close();
      continue;
    }
    call.objects.Delete(call.bucket, key);
    if (request.quiet) continue;
    xml.Open("Deleted");
    xml.Text("Key", key);
    xml.Close();
  }
  return XmlResponse(xml);
}

Response GetObjectTagging(const S3Call& call) {
  (void)GetForRead(call, call.bucket, call.key, "s3:GetObjectTagging");
  XmlWriter xml("Tagging", kS3Namespace);
  xml.Open("TagSet");
  return XmlResponse(xml);
}

}  // namespace ts_local
