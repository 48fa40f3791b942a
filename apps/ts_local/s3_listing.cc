#include "ts_local/s3_listing.h"

#include <algorithm>

#include "ts_local/digest.h"
#include "ts_local/time_text.h"
#include "ts_local/url_codec.h"

namespace ts_local {
namespace {

constexpr int kMaxKeys = 1000;
// Opaque to clients: the last name of the page, in a form that is told from a made-up token.
constexpr std::string_view kTokenMark = "1.";

struct Page {
  std::vector<ObjectInfo> objects;
  std::vector<std::string> common_prefixes;
  bool truncated = false;
  std::string last;  // the last key or common prefix of the page
};

class Collector {
 public:
  Collector(const S3Call& call, std::string after, std::size_t limit)
      : call_(call),
        prefix_(call.Param("prefix")),
        delimiter_(call.Param("delimiter")),
        after_(std::move(after)),
        limit_(limit) {}

  Page Run() {
    if (limit_ == 0) return std::move(page_);
    std::string next = after_;
    while (true) {
      const std::size_t wanted = limit_ - Count() + 1;
      const std::vector<ObjectInfo> found = call_.objects.List(call_.bucket, prefix_, next, wanted);
      for (const ObjectInfo& object : found) {
        if (object.key < next) continue;  // in the folder that was just listed
        const std::string common = CommonPrefix(object.key);
        if (!common.empty() && Seen(common)) {
          next = PastFolder(common);
          continue;
        }
        if (Count() == limit_) {
          page_.truncated = true;
          return std::move(page_);
        }
        page_.last = common.empty() ? object.key : common;
        next = common.empty() ? object.key : PastFolder(common);
        if (common.empty()) {
          page_.objects.push_back(object);
        } else {
          page_.common_prefixes.push_back(common);
        }
      }
      if (found.size() < wanted) return std::move(page_);
    }
  }

 private:
  std::size_t Count() const { return page_.objects.size() + page_.common_prefixes.size(); }

  // No UTF-8 text holds this byte: it stands after every key of the folder.
  static std::string PastFolder(const std::string& common) { return common + '\xFF'; }

  // The part up to and with the delimiter; "" for a key that is listed itself.
  std::string CommonPrefix(const std::string& key) const {
    if (delimiter_.empty()) return "";
    const std::size_t at = key.find(delimiter_, prefix_.size());
    return at == std::string::npos ? "" : key.substr(0, at + delimiter_.size());
  }

  // Listed on this page, or on the one that ended with it.
  bool Seen(const std::string& common) const {
    return after_.starts_with(common) ||
           (!page_.common_prefixes.empty() && page_.common_prefixes.back() == common);
  }

  const S3Call& call_;
  std::string prefix_;
  std::string delimiter_;
  std::string after_;
  std::size_t limit_;
  Page page_;
};

// Writes names as they are, or percent-encoded where the client asked for it.
class NameWriter {
 public:
  NameWriter(const S3Call& call, XmlWriter& xml)
      : xml_(xml), encode_(call.Param("encoding-type") == "url") {
    if (!encode_ && call.request.Query("encoding-type") != nullptr) {
      throw ApiError(400, "InvalidArgument", "Invalid Encoding Method specified in Request");
    }
  }
  void Write(std::string_view element, const std::string& name) {
    xml_.Text(element, encode_ ? PercentEncode(name, true) : name);
  }
  bool encode() const { return encode_; }

 private:
  XmlWriter& xml_;
  bool encode_;
};

void WritePage(const S3Call& call, const Page& page, bool with_owner, NameWriter& names,
               XmlWriter& xml) {
  if (names.encode()) xml.Text("EncodingType", "url");
  for (const ObjectInfo& object : page.objects) {
    xml.Open("Contents");
    names.Write("Key", object.key);
    xml.Text("LastModified", IsoTime(object.modified_ms));
    xml.Text("ETag", Quoted(object.etag));
    xml.Number("Size", object.size);
    if (with_owner) {
      xml.Open("Owner");
      xml.Text("ID", call.objects.account_id());
      xml.Close();
    }
    xml.Text("StorageClass", "STANDARD");
    xml.Close();
  }
  for (const std::string& common : page.common_prefixes) {
    xml.Open("CommonPrefixes");
    names.Write("Prefix", common);
    xml.Close();
  }
}

std::string DecodeToken(const std::string& token) {
  const std::string text = Base64Decode(token);
  if (!text.starts_with(kTokenMark)) {
    throw ApiError(400, "InvalidArgument", "The continuation token provided is incorrect");
  }
  return text.substr(kTokenMark.size());
}

}  // namespace

Response ListObjectsV2(const S3Call& call) {
  call.Require(call.bucket, "s3:ListBucket", "");
  const int limit = std::min(call.Number("max-keys", kMaxKeys, 0, INT32_MAX), kMaxKeys);
  const std::string* token = call.request.Query("continuation-token");
  const std::string after = token == nullptr ? call.Param("start-after") : DecodeToken(*token);
  const Page page = Collector(call, after, static_cast<std::size_t>(limit)).Run();

  XmlWriter xml("ListBucketResult", kS3Namespace);
  NameWriter names(call, xml);
  xml.Text("Name", call.bucket);
  names.Write("Prefix", call.Param("prefix"));
  if (!call.Param("delimiter").empty()) names.Write("Delimiter", call.Param("delimiter"));
  if (!call.Param("start-after").empty()) names.Write("StartAfter", call.Param("start-after"));
  xml.Number("MaxKeys", static_cast<std::uint64_t>(limit));
  xml.Number("KeyCount", page.objects.size() + page.common_prefixes.size());
  xml.Flag("IsTruncated", page.truncated);
  if (token != nullptr) xml.Text("ContinuationToken", *token);
  if (page.truncated) {
    xml.Text("NextContinuationToken", Base64Encode(std::string(kTokenMark) + page.last));
  }
  WritePage(call, page, call.Param("fetch-owner") == "true", names, xml);
  return XmlResponse(xml);
}

Response ListObjectsV1(const S3Call& call) {
  call.Require(call.bucket, "s3:ListBucket", "");
  const int limit = std::min(call.Number("max-keys", kMaxKeys, 0, INT32_MAX), kMaxKeys);
  const Page page = Collector(call, call.Param("marker"), static_cast<std::size_t>(limit)).Run();

  XmlWriter xml("ListBucketResult", kS3Namespace);
  NameWriter names(call, xml);
  xml.Text("Name", call.bucket);
  names.Write("Prefix", call.Param("prefix"));
  names.Write("Marker", call.Param("marker"));
  const bool delimited = !call.Param("delimiter").empty();
  if (delimited) names.Write("Delimiter", call.Param("delimiter"));
  xml.Number("MaxKeys", static_cast<std::uint64_t>(limit));
  xml.Flag("IsTruncated", page.truncated);
  if (page.truncated && delimited) names.Write("NextMarker", page.last);
  WritePage(call, page, true, names, xml);
  return XmlResponse(xml);
}

Response ListMultipartUploads(const S3Call& call) {
  call.Require(call.bucket, "s3:ListBucketMultipartUploads", "");
  if (!call.Param("delimiter").empty()) {
    throw ApiError(501, "NotImplemented",
                   "ts-local lists multipart uploads without a delimiter only");
  }
  const int limit = std::min(call.Number("max-uploads", kMaxKeys, 0, INT32_MAX), kMaxKeys);
  const auto wanted = static_cast<std::size_t>(limit);
  // A key marker alone starts after every upload of that key.
  const std::string id_marker = call.Param("upload-id-marker", "~");
  std::vector<Upload> uploads = call.uploads.List(call.bucket, call.Param("prefix"),
                                                  call.Param("key-marker"), id_marker, wanted + 1);
  const bool truncated = uploads.size() > wanted;
  if (truncated) uploads.resize(wanted);

  XmlWriter xml("ListMultipartUploadsResult", kS3Namespace);
  NameWriter names(call, xml);
  xml.Text("Bucket", call.bucket);
  names.Write("KeyMarker", call.Param("key-marker"));
  xml.Text("UploadIdMarker", call.Param("upload-id-marker"));
  if (truncated && !uploads.empty()) {
    names.Write("NextKeyMarker", uploads.back().key);
    xml.Text("NextUploadIdMarker", uploads.back().id);
  }
  names.Write("Prefix", call.Param("prefix"));
  xml.Number("MaxUploads", wanted);
  xml.Flag("IsTruncated", truncated);
  if (names.encode()) xml.Text("EncodingType", "url");
  for (const Upload& upload : uploads) {
    xml.Open("Upload");
    names.Write("Key", upload.key);
    xml.Text("UploadId", upload.id);
    xml.Text("StorageClass", "STANDARD");
    xml.Text("Initiated", IsoTime(upload.initiated_ms));
    xml.Close();
  }
  return XmlResponse(xml);
}

}  // namespace ts_local
