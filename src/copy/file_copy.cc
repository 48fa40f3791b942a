#include "file_copy.h"

#include <algorithm>
#include <utility>

#include "copy_errors.h"
#include "tsm/core/text.h"

namespace tsm::copy {

namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;

// 32 hex digits: what S3 gives of objects that were written by one request and are not encrypted
// with KMS. https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
bool IsMd5(const std::string& etag) {
  return etag.size() == 32 && etag.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
}

bool IsKms(const std::string& encryption) { return encryption.starts_with("aws:kms"); }

}  // namespace

std::uint64_t PartBytes(std::uint64_t file_bytes, std::uint64_t wanted) {
  const std::uint64_t least = (file_bytes + s3::kMaxParts - 1) / s3::kMaxParts;
  const std::uint64_t part = std::max({wanted, s3::kMinPartBytes, least});
  if (part == wanted) return std::min(part, s3::kMaxPartBytes);
  return std::min((part + kMiB - 1) / kMiB * kMiB, s3::kMaxPartBytes);
}

s3::StorageOptions StorageOf(const CopyOptions& options) {
  return {.encryption = options.encryption,
          .kms_key_id = options.encryption.empty() ? "" : options.kms_key_id,
          .bucket_owner_full_control = options.bucket_owner_full_control};
}

Status CheckSource(const run::SpooledFile& file, const std::string& etag, std::uint64_t size) {
  if (size == file.size && (file.etag.empty() || etag == file.etag)) return Ok();
  return MakeError(ErrorKind::kValidation,
                   "the source has been written anew since it was listed: it had " +
                       std::to_string(file.size) + " bytes and the ETag " + file.etag +
                       ", it has " + std::to_string(size) + " bytes and " + etag +
                       "; start a new run");
}

FileCopy::FileCopy(const CopyOptions& options, const CopyServices& services)
    : options_(options),
      source_(services.source),
      target_(services.target),
      clock_(services.clock),
      streamed_(options.streamed || options.inflate),
      whole_bytes_(streamed_ ? std::max(options.stream_part_bytes, s3::kMinPartBytes)
                             : std::min(std::max(options.part_bytes, s3::kMinPartBytes),
                                        s3::kMaxSingleCopyBytes)),
      storage_(StorageOf(options)) {}

Status FileCopy::Whole(const run::SpooledFile& file, std::stop_token stop) {
  return streamed_ ? WholeThrough(file, std::move(stop)) : WholeInside(file, std::move(stop));
}

s3::CopyOptions FileCopy::HowToCopy(const run::SpooledFile& file) const {
  return {.source_etag = file.etag, .storage = storage_, .repeat_throttled = false};
}

Status FileCopy::WholeInside(const run::SpooledFile& file, std::stop_token stop) {
  return Judge(file,
               target_.CopyObject(options_.source_bucket, file.source, options_.target_bucket,
                                  file.target, HowToCopy(file), stop),
               stop);
}

Status FileCopy::Judge(const run::SpooledFile& file, Result<s3::CopyResult> copy,
                       std::stop_token stop) {
  if (!copy) return Explain(std::move(copy).error(), Side::kBoth, options_, file);
  return Compare(file, *copy, std::move(stop));
}

Result<s3::ObjectContent> FileCopy::Read(const run::SpooledFile& file,
                                         std::optional<s3::ByteRange> range, std::stop_token stop) {
  const std::uint64_t promised = range ? range->last - range->first + 1 : file.size;
  s3::GetOptions how;
  how.range = range;
  how.if_match = file.etag;
  how.repeat_throttled = false;
  Result<s3::ObjectContent> content =
      source_.GetObjectContent(options_.source_bucket, file.source, how, std::move(stop));
  if (!content) return Explain(std::move(content).error(), Side::kSource, options_, file);
  if (IsKms(content->head.encryption)) kms_source_ = true;
  if (content->body.size() == promised) return content;
  return MakeError(ErrorKind::kBadReply, "S3 gave " + std::to_string(content->body.size()) +
                                             " bytes of " + std::to_string(promised))
      .With("GetObject " + file.source.str());
}

Status FileCopy::WholeThrough(const run::SpooledFile& file, std::stop_token stop) {
  Result<s3::ObjectContent> content = Read(file, std::nullopt, stop);
  if (!content) return std::move(content).error();
  s3::PutOptions how;
  if (!content->head.content_type.empty()) how.content_type = content->head.content_type;
  how.metadata = std::move(content->head.metadata);
  how.storage = storage_;
  how.repeat_throttled = false;
  auto body = std::make_shared<const std::string>(std::move(content->body));
  Result<s3::CopyResult> put =
      target_.PutObject(options_.target_bucket, file.target, std::move(body), how, stop);
  if (!put) return Explain(std::move(put).error(), Side::kTarget, options_, file);
  return Compare(file, *put, std::move(stop));
}

Result<std::shared_ptr<Upload>> FileCopy::Begin(const run::SpooledFile& file,
                                                std::stop_token stop) {
  Result<s3::ObjectHead> head = source_.HeadObject(options_.source_bucket, file.source, stop);
  if (!head) return Explain(std::move(head).error(), Side::kSource, options_, file);
  if (Status same = CheckSource(file, head->etag, head->size); !same) return same.error();
  s3::UploadOptions how;
  if (!head->content_type.empty()) how.content_type = head->content_type;
  how.metadata = std::move(head->metadata);
  how.storage = storage_;
  how.repeat_throttled = false;
  auto upload = std::make_shared<Upload>();
  upload->created = clock_.Steady();
  Result<std::string> id =
      target_.CreateMultipartUpload(options_.target_bucket, file.target, how, std::move(stop));
  if (!id) return Explain(std::move(id).error(), Side::kTarget, options_, file);
  upload->file = file;
  upload->id = *std::move(id);
  upload->part_bytes =
      PartBytes(file.size, streamed_ ? options_.stream_part_bytes : options_.part_bytes);
  upload->parts =
      static_cast<std::size_t>((file.size + upload->part_bytes - 1) / upload->part_bytes);
  return upload;
}

Result<std::string> FileCopy::Part(const Upload& upload, std::size_t part, std::stop_token stop) {
  const s3::PartPlace place{.key = upload.file.target,
                            .upload_id = upload.id,
                            .number = part + 1,
                            .repeat_throttled = false};
  const std::uint64_t first = upload.first_byte(part);
  const s3::ByteRange range{.first = first, .last = first + upload.bytes_of(part) - 1};
  if (!streamed_) {
    Result<std::string> etag = target_.UploadPartCopy(
        {options_.source_bucket, upload.file.source, upload.file.etag, range},
        options_.target_bucket, place, std::move(stop));
    if (!etag) return Explain(std::move(etag).error(), Side::kBoth, options_, upload.file);
    return etag;
  }
  Result<s3::ObjectContent> content = Read(upload.file, range, stop);
  if (!content) return std::move(content).error();
  auto body = std::make_shared<const std::string>(std::move(content->body));
  Result<std::string> etag =
      target_.UploadPart(options_.target_bucket, place, std::move(body), std::move(stop));
  if (!etag) return Explain(std::move(etag).error(), Side::kTarget, options_, upload.file);
  return etag;
}

Status FileCopy::Complete(const Upload& upload, std::stop_token stop) {
  s3::CompleteOptions how;
  how.size = upload.file.size;
  how.age = clock_.Steady() - upload.created;
  how.repeat_throttled = false;
  Result<s3::CopyResult> done = target_.CompleteMultipartUpload(
      options_.target_bucket, upload.file.target, upload.id, upload.etags, how, std::move(stop));
  if (!done) return Explain(std::move(done).error(), Side::kTarget, options_, upload.file);
  return Ok();
}

Status FileCopy::Abort(const Upload& upload, std::stop_token stop) {
  return target_.AbortMultipartUpload(options_.target_bucket, upload.file.target, upload.id,
                                      std::move(stop));
}

Status FileCopy::Compare(const run::SpooledFile& file, const s3::CopyResult& copy,
                         std::stop_token stop) {
  if (IsKms(copy.encryption) || !IsMd5(copy.etag) || !IsMd5(file.etag)) return Ok();
  if (ToLowerAscii(copy.etag) == ToLowerAscii(file.etag) || kms_source_) return Ok();
  // Only here a HEAD is worth its price: the two differ rightly where the source's is no MD5.
  Result<s3::ObjectHead> head =
      source_.HeadObject(options_.source_bucket, file.source, std::move(stop));
  if (!head) return Explain(std::move(head).error(), Side::kSource, options_, file);
  if (IsKms(head->encryption)) {
    kms_source_ = true;
    return Ok();
  }
  if (Status same = CheckSource(file, head->etag, head->size); !same) return same;
  return MakeError(ErrorKind::kProof,
                   "the copy " + s3::S3Uri{options_.target_bucket, file.target}.str() +
                       " has the ETag " + copy.etag + ", its source " + file.etag +
                       ": their bytes differ; resume the run to copy it again");
}

}  // namespace tsm::copy
