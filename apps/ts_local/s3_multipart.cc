#include "ts_local/s3_multipart.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "ts_local/digest.h"
#include "ts_local/object_files.h"
#include "ts_local/s3_objects.h"
#include "ts_local/s3_request_xml.h"
#include "ts_local/time_text.h"

namespace ts_local {
namespace {

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
constexpr int kMaxPartNumber = 10'000;
constexpr std::uint64_t kMinPartBytes = 5ULL << 20U;
constexpr std::uint64_t kMaxPartBytes = 5ULL << 30U;
constexpr std::size_t kMaxListed = 1000;

Upload GetUpload(const S3Call& call) {
  return call.uploads.Get(call.bucket, call.key, call.Param("uploadId"));
}

int PartNumber(const S3Call& call) {
  const int number = call.Number("partNumber", 0, 1, kMaxPartNumber);
  if (number == 0) {
    throw ApiError(400, "InvalidArgument",
                   "Part number must be an integer between 1 and 10000, inclusive");
  }
  return number;
}

// The parts that the client names, checked against those that are there, in order.
std::vector<Part> ChooseParts(const S3Call& call, const Upload& upload) {
  std::map<int, Part> there;
  for (Part& part : call.uploads.Parts(upload, 0, kMaxPartNumber)) {
    const int number = part.number;
    there.emplace(number, std::move(part));
  }
  std::vector<Part> chosen;
  for (const CompletedPart& named : ReadCompletedParts(call.request.body)) {
    if (!chosen.empty() && named.number <= chosen.back().number) {
      throw ApiError(400, "InvalidPartOrder",
                     "The list of parts was not in ascending order. Parts must be ordered by part "
                     "number.");
    }
    const auto found = there.find(named.number);
    if (found == there.end() || found->second.etag != named.etag) {
      throw S3Error(400, "InvalidPart",
                    "One or more of the specified parts could not be found. The part may not have "
                    "been uploaded, or the specified entity tag may not match the part's entity "
                    "tag.",
                    {{"UploadId", upload.id},
                     {"PartNumber", std::to_string(named.number)},
                     {"ETag", named.etag}},
                    {});
    }
    chosen.push_back(found->second);
  }
  for (std::size_t i = 0; i + 1 < chosen.size(); ++i) {
    if (chosen[i].size >= kMinPartBytes) continue;
    throw S3Error(400, "EntityTooSmall",
                  "Your proposed upload is smaller than the minimum allowed size",
                  {{"ProposedSize", std::to_string(chosen[i].size)},
                   {"MinSizeAllowed", std::to_string(kMinPartBytes)},
                   {"PartNumber", std::to_string(chosen[i].number)}},
                  {});
  }
  return chosen;
}

// The MD5 of the parts' MD5s, and their number.
std::string MultipartEtag(const std::vector<Part>& parts, const std::string& encryption) {
  std::string digests;
  for (const Part& part : parts) digests += HexDecode(part.etag);
  const std::string other = EtagFor(encryption);
  return (other.empty() ? HexEncode(Md5(digests)) : other) + "-" + std::to_string(parts.size());
}

}  // namespace

Response CreateMultipartUpload(const S3Call& call) {
  call.Require("s3:PutObject");
  const Upload upload = call.uploads.Create(call.bucket, call.key, ReadAttributes(call.request));
  XmlWriter xml("InitiateMultipartUploadResult", kS3Namespace);
  xml.Text("Bucket", call.bucket);
  xml.Text("Key", call.key);
  xml.Text("UploadId", upload.id);
  Response response = XmlResponse(xml);
  DescribeEncryption(upload.attributes.encryption, upload.attributes.kms_key, response);
  return response;
}

Response UploadPart(const S3Call& call) {
  call.Require("s3:PutObject");
  const int number = PartNumber(call);
  const Upload upload = GetUpload(call);
  const S3Error::Fields checksums = CheckDigests(call.request);
  const auto file = call.uploads.NewFile();
  file->Append(call.request.body);
  const Part part = call.uploads.AddPart(upload, number, *file);
  Response response;
  response.headers.emplace_back("ETag", Quoted(part.etag));
  DescribeEncryption(upload.attributes.encryption, upload.attributes.kms_key, response);
  for (const auto& [name, value] : checksums) response.headers.emplace_back(name, value);
  return response;
}

Response UploadPartCopy(const S3Call& call) {
  call.Require("s3:PutObject");
  const int number = PartNumber(call);
  const Upload upload = GetUpload(call);
  const ObjectInfo source = ReadCopySource(call);
  std::uint64_t offset = 0;
  std::uint64_t length = source.size;
  const std::string_view header = call.request.Header("x-amz-copy-source-range");
  if (!header.empty()) {
    // Unlike a read's, this range must be "bytes=first-last" and lie inside the source.
    const auto range = ReadRange(header, source.size);
    const std::string exact = !range ? ""
                                     : "bytes=" + std::to_string(range->first) + "-" +
                                           std::to_string(range->first + range->second - 1);
    if (exact != header) {
      throw ApiError(400, "InvalidArgument",
                     "The x-amz-copy-source-range value must be of the form bytes=first-last where "
                     "first and last are the zero-based offsets of the first and last bytes to "
                     "copy");
    }
    std::tie(offset, length) = *range;
  }
  if (length > kMaxPartBytes) {
    throw ApiError(400, "InvalidRequest",
                   "The specified copy source is larger than the maximum allowable size for a "
                   "copy source: " +
                       std::to_string(kMaxPartBytes));
  }
  const auto file = call.uploads.NewFile();
  ForEachPiece(source.file, offset, length, [&](std::string_view piece) { file->Append(piece); });
  const Part part = call.uploads.AddPart(upload, number, *file);
  XmlWriter xml("CopyPartResult", kS3Namespace);
  xml.Text("LastModified", IsoTime(part.modified_ms));
  xml.Text("ETag", Quoted(part.etag));
  return XmlResponse(xml);
}

Response CompleteMultipartUpload(const S3Call& call) {
  call.Require("s3:PutObject");
  const Upload upload = GetUpload(call);
  const std::vector<Part> parts = ChooseParts(call, upload);
  const auto writer = call.objects.NewWriter();
  for (const Part& part : parts) {
    ForEachPiece(part.file, 0, part.size, [&](std::string_view piece) { writer->Append(piece); });
  }
  // Also keeps two completions of one upload apart: the second finds it gone.
  const std::lock_guard lock(call.conditional_writes);
  (void)GetUpload(call);
  CheckWriteConditions(call);
  const ObjectInfo object = writer->Commit(call.bucket, call.key, upload.attributes,
                                           MultipartEtag(parts, upload.attributes.encryption));
  call.uploads.Remove(upload);
  XmlWriter xml("CompleteMultipartUploadResult", kS3Namespace);
  xml.Text("Location", "http://" + std::string(call.request.Header("host")) + "/" + call.bucket +
                           "/" + call.key);
  xml.Text("Bucket", call.bucket);
  xml.Text("Key", call.key);
  xml.Text("ETag", Quoted(object.etag));
  Response response = XmlResponse(xml);
  DescribeEncryption(object.encryption, object.kms_key, response);
  return response;
}

Response AbortMultipartUpload(const S3Call& call) {
  call.Require("s3:AbortMultipartUpload");
  call.uploads.Remove(GetUpload(call));
  Response response;
  response.status = 204;
  return response;
}

Response ListParts(const S3Call& call) {
  call.Require("s3:ListMultipartUploadParts");
  const Upload upload = GetUpload(call);
  const int after = call.Number("part-number-marker", 0, 0, INT32_MAX);
  const auto limit = std::min<std::size_t>(
      static_cast<std::size_t>(call.Number("max-parts", kMaxListed, 0, INT32_MAX)), kMaxListed);
  std::vector<Part> parts = call.uploads.Parts(upload, after, limit + 1);
  const bool truncated = parts.size() > limit;
  if (truncated) parts.resize(limit);

  XmlWriter xml("ListPartsResult", kS3Namespace);
  xml.Text("Bucket", call.bucket);
  xml.Text("Key", call.key);
  xml.Text("UploadId", upload.id);
  xml.Number("PartNumberMarker", static_cast<std::uint64_t>(after));
  if (!parts.empty()) {
    xml.Number("NextPartNumberMarker", static_cast<std::uint64_t>(parts.back().number));
  }
  xml.Number("MaxParts", limit);
  xml.Flag("IsTruncated", truncated);
  for (const Part& part : parts) {
    xml.Open("Part");
    xml.Number("PartNumber", static_cast<std::uint64_t>(part.number));
    xml.Text("LastModified", IsoTime(part.modified_ms));
    xml.Text("ETag", Quoted(part.etag));
    xml.Number("Size", part.size);
    xml.Close();
  }
  xml.Text("StorageClass", "STANDARD");
  return XmlResponse(xml);
}

}  // namespace ts_local
