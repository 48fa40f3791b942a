#include "ts_local/foreign_storage.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <pugixml.hpp>
#include <utility>

#include "ts_local/digest.h"
#include "ts_local/url_codec.h"

namespace ts_local {
namespace {

constexpr std::uint64_t kMaxPutBytes = 5ULL << 30U;
constexpr std::uint64_t kRangeBytes = 8U << 20U;
constexpr std::size_t kMaxPage = 1000;

S3Question About(std::string_view operation, std::string method, const StoragePlace& place,
                 std::string key = "") {
  S3Question question;
  question.operation = operation;
  question.method = std::move(method);
  question.region = place.region;
  question.bucket = place.bucket;
  question.key = std::move(key);
  return question;
}

void AddAttributes(const StoredAs& as, S3Question* question) {
  question->headers = {{"content-type", as.content_type}};
  // AES256 is what S3 does unasked; some of its stand-ins refuse to be asked.
  if (as.encryption == "aws:kms") {
    question->headers.emplace_back("x-amz-server-side-encryption", as.encryption);
    if (!as.kms_key.empty()) {
      question->headers.emplace_back("x-amz-server-side-encryption-aws-kms-key-id", as.kms_key);
    }
  }
}

class SpooledUpload final : public Storage::Upload {
 public:
  SpooledUpload(const S3Client& client, const std::string& spool, S3Question question)
      : client_(client), file_(spool), question_(std::move(question)) {
    question_.body = &file_;
  }

  void Append(std::string_view bytes) override {
    if (file_.size() + bytes.size() > kMaxPutBytes) {
      throw ApiError(400, "EntityTooLarge",
                     "s3://" + question_.bucket + "/" + question_.key +
                         ": ts-local writes files of at most 5 GiB into a foreign S3; set a "
                         "smaller max_file_size");
    }
    file_.Append(bytes);
  }

  void Commit() override {
    question_.headers.emplace_back("content-md5", Base64Encode(file_.Md5()));
    const S3Answer answer = client_.Ask(question_);
    if (answer.status != 200) throw client_.ErrorOf(question_, answer);
  }

 private:
  const S3Client& client_;
  SpoolFile file_;
  S3Question question_;
};

class RangedDownload final : public Storage::Download {
 public:
  RangedDownload(const S3Client& client, S3Question question, const StoredObject& object)
      : client_(client), question_(std::move(question)), object_(object) {}

  std::size_t Read(char* buffer, std::size_t size) override {
    if (used_ == piece_.size() && !Fetch()) return 0;
    const std::size_t count = std::min(size, piece_.size() - used_);
    std::memcpy(buffer, piece_.data() + used_, count);
    used_ += count;
    return count;
  }

 private:
  bool Fetch() {
    if (next_ == object_.size) return false;
    const std::uint64_t count = std::min(kRangeBytes, object_.size - next_);
    question_.most =
        std::max<std::uint64_t>(count, 1U << 16U);  // an error's words are an answer too
    question_.headers = {
        {"if-match", "\"" + object_.etag + "\""},
        {"range", "bytes=" + std::to_string(next_) + "-" + std::to_string(next_ + count - 1)}};
    S3Answer answer = client_.Ask(question_);
    const bool whole = answer.status == 200 && count == object_.size;
    if (answer.status != 206 && !whole) throw client_.ErrorOf(question_, answer);
    if (answer.body.size() != count) {
      throw ApiError(502, "IncompleteBody",
                     "s3://" + question_.bucket + "/" + question_.key + ": " +
                         std::to_string(answer.body.size()) + " bytes came for a range of " +
                         std::to_string(count));
    }
    piece_ = std::move(answer.body);
    used_ = 0;
    next_ += count;
    return true;
  }

  const S3Client& client_;
  S3Question question_;
  const StoredObject object_;
  std::uint64_t next_ = 0;
  std::string piece_;
  std::size_t used_ = 0;
};

// One page of ListObjectsV2; the token of the next, "" after the last. nullopt where it is none.
std::optional<std::string> ReadPage(const std::string& body, std::vector<StoredObject>* out) {
  pugi::xml_document document;
  if (!document.load_buffer(body.data(), body.size())) return std::nullopt;
  const pugi::xml_node page = document.child("ListBucketResult");
  if (!page) return std::nullopt;
  const bool encoded = std::string_view(page.child_value("EncodingType")) == "url";
  for (const pugi::xml_node& entry : page.children("Contents")) {
    StoredObject object;
    object.key = entry.child_value("Key");
    if (encoded) object.key = PercentDecode(object.key, true);
    object.size = entry.child("Size").text().as_ullong();
    object.etag = entry.child_value("ETag");
    std::erase(object.etag, '"');
    out->push_back(std::move(object));
  }
  if (std::string_view(page.child_value("IsTruncated")) != "true") return "";
  return page.child_value("NextContinuationToken");
}

}  // namespace

ForeignStorage::ForeignStorage(const std::string& dir, S3Client client)
    : spool_(dir + "/spool"), client_(std::move(client)) {
  std::filesystem::create_directories(spool_);
}

std::optional<std::string> ForeignStorage::RegionOf(const StoragePlace& place) const {
  // Not HeadBucket: the answer to a HEAD says nothing about why it was refused.
  S3Question question = About("GetBucketLocation", "GET", place);
  question.query = {{"location", ""}};
  const S3Answer answer = client_.Ask(question);
  if (!answer.region.empty()) return answer.region;
  if (answer.status == 404) return std::nullopt;
  if (answer.status != 200) throw client_.ErrorOf(question, answer);
  pugi::xml_document document;
  if (!document.load_buffer(answer.body.data(), answer.body.size())) {
    throw ApiError(502, "MalformedXML", "GetBucketLocation of " + place.bucket + " is no XML");
  }
  const std::string region = document.child("LocationConstraint").child_value();
  if (region.empty()) return "us-east-1";
  return region == "EU" ? "eu-west-1" : region;
}

std::unique_ptr<Storage::Upload> ForeignStorage::StartUpload(const StoragePlace& place,
                                                             const std::string& key,
                                                             const StoredAs& as) {
  S3Question question = About("PutObject", "PUT", place, key);
  AddAttributes(as, &question);
  return std::make_unique<SpooledUpload>(client_, spool_, std::move(question));
}

void ForeignStorage::StartMultipart(const StoragePlace& place, const std::string& key,
                                    const StoredAs& as) {
  S3Question question = About("CreateMultipartUpload", "POST", place, key);
  question.query = {{"uploads", ""}};
  AddAttributes(as, &question);
  const S3Answer answer = client_.Ask(question);
  if (answer.status != 200) throw client_.ErrorOf(question, answer);
}

std::vector<StoredObject> ForeignStorage::ListBelow(const StoragePlace& place,
                                                    const std::string& prefix,
                                                    std::size_t limit) const {
  std::vector<StoredObject> out;
  std::string token;
  do {
    S3Question question = About("ListObjectsV2", "GET", place);
    question.query = {{"list-type", "2"},
                      {"encoding-type", "url"},
                      {"max-keys", std::to_string(std::min(limit - out.size(), kMaxPage))},
                      {"prefix", prefix}};
    if (!token.empty()) question.query.emplace_back("continuation-token", token);
    const S3Answer answer = client_.Ask(question);
    if (answer.status != 200) throw client_.ErrorOf(question, answer);
    const auto next = ReadPage(answer.body, &out);
    if (!next || (!next->empty() && *next == token)) {
      throw ApiError(502, "MalformedXML", "ListObjectsV2 of " + place.bucket + " is no listing");
    }
    token = *next;
  } while (!token.empty() && out.size() < limit);
  if (out.size() > limit) out.resize(limit);
  return out;
}

std::optional<StoredObject> ForeignStorage::FindObject(const StoragePlace& place,
                                                       const std::string& key) const {
  const S3Question question = About("HeadObject", "HEAD", place, key);
  const S3Answer answer = client_.Ask(question);
  if (answer.status == 404) return std::nullopt;
  if (answer.status != 200) throw client_.ErrorOf(question, answer);
  return StoredObject{key, answer.length, answer.etag};
}

std::unique_ptr<Storage::Download> ForeignStorage::StartDownload(const StoragePlace& place,
                                                                 const StoredObject& object) const {
  return std::make_unique<RangedDownload>(client_, About("GetObject", "GET", place, object.key),
                                          object);
}

}  // namespace ts_local
