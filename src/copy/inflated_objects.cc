#include "inflated_objects.h"

#include <algorithm>
#include <utility>

#include "copy_errors.h"
#include "csv_records.h"
#include "file_copy.h"

namespace tsm::copy {

namespace {

constexpr std::size_t kGrowsBelow = 1024 * 1024;

}  // namespace

InflatedObjects::InflatedObjects(const CopyOptions& options, const run::SpooledFile& file,
                                 const CopyServices& services, const PatientCalls& calls,
                                 CopyBook& book)
    : options_(options),
      file_(file),
      services_(services),
      calls_(calls),
      book_(book),
      part_bytes_(PartBytes(options.inflated_file_bytes, options.stream_part_bytes)) {}

void InflatedObjects::SetMetadata(const http::Headers& metadata) {
  metadata_ = metadata;
  // The objects are plain now.
  std::erase_if(metadata_, [](const auto& header) { return header.first == "content-encoding"; });
}

Status InflatedObjects::Add(std::string_view record) {
  if (!has_header_) {
    has_header_ = true;
    header_ = record;
    Append(header_);
    return Ok();
  }
  if (object_records_ > 0 && object_bytes_ + record.size() > options_.inflated_file_bytes) {
    if (Status closed = CloseObject(); !closed) return closed;
    Append(header_);
  }
  // Before the part grows beyond its size, unless S3 would find it too small.
  if (part_->size() + record.size() > part_bytes_ && part_->size() >= s3::kMinPartBytes) {
    if (Status sent = SendPart(); !sent) return sent;
  }
  Append(record);
  ++object_records_;
  if (!IsBlank(record)) ++rows_;
  return Ok();
}

void InflatedObjects::Append(std::string_view bytes) {
  const std::size_t size = part_->size() + bytes.size();
  // Growing by doubling would end at twice the part.
  if (size > part_->capacity() && size > kGrowsBelow) {
    part_->reserve(std::max<std::size_t>(size, part_bytes_));
  }
  *part_ += bytes;
  object_bytes_ += bytes.size();
}

Result<CopiedFile> InflatedObjects::Close() {
  if (Status closed = CloseObject(); !closed) return std::move(closed).error();
  return CopiedFile{.objects = objects_, .bytes = bytes_, .rows = rows_, .was_there = false};
}

Status InflatedObjects::CloseObject() {
  Status closed = upload_id_.empty() ? PutWhole() : CompleteUpload();
  if (!closed) return closed;
  ++objects_;
  bytes_ += object_bytes_;
  object_bytes_ = 0;
  object_records_ = 0;
  return Ok();
}

s3::PutOptions InflatedObjects::PutOptions() const {
  s3::PutOptions how;
  how.content_type = "text/csv";
  how.metadata = metadata_;
  how.storage = StorageOf(options_);
  how.repeat_throttled = false;
  return how;
}

Status InflatedObjects::PutWhole() {
  Result<s3::CopyResult> put = calls_([&] {
    return services_.target.PutObject(options_.target_bucket, Key(), part_, PutOptions(),
                                      calls_.stop());
  });
  part_->clear();
  if (!put) return Explain(std::move(put).error(), Side::kTarget, options_, file_);
  return Ok();
}

Status InflatedObjects::Begin() {
  s3::PutOptions put = PutOptions();
  const s3::UploadOptions how{.content_type = std::move(put.content_type),
                              .metadata = std::move(put.metadata),
                              .storage = std::move(put.storage),
                              .repeat_throttled = false};
  created_ = services_.clock.Steady();
  Result<std::string> id = calls_([&] {
    return services_.target.CreateMultipartUpload(options_.target_bucket, Key(), how,
                                                  calls_.stop());
  });
  if (!id) return Explain(std::move(id).error(), Side::kTarget, options_, file_);
  etags_.clear();
  if (Status noted = book_.UploadStarted(Key(), *id); !noted) {
    // What nobody knows of nobody would abort later.
    static_cast<void>(
        services_.target.AbortMultipartUpload(options_.target_bucket, Key(), *id, calls_.stop()));
    return noted;
  }
  upload_id_ = *std::move(id);
  return Ok();
}

Status InflatedObjects::SendPart() {
  if (upload_id_.empty()) {
    if (Status begun = Begin(); !begun) return begun;
  }
  const s3::PartPlace place{.key = Key(),
                            .upload_id = upload_id_,
                            .number = etags_.size() + 1,
                            .repeat_throttled = false};
  Result<std::string> etag = calls_([&] {
    return services_.target.UploadPart(options_.target_bucket, place, part_, calls_.stop());
  });
  part_->clear();
  if (!etag) return Explain(std::move(etag).error(), Side::kTarget, options_, file_);
  etags_.push_back(*std::move(etag));
  return Ok();
}

Status InflatedObjects::CompleteUpload() {
  if (!part_->empty()) {
    if (Status sent = SendPart(); !sent) return sent;
  }
  Result<s3::CopyResult> done = calls_([&] {
    const s3::CompleteOptions how{.size = object_bytes_,
                                  .age = services_.clock.Steady() - created_,
                                  .repeat_throttled = false};
    return services_.target.CompleteMultipartUpload(options_.target_bucket, Key(), upload_id_,
                                                    etags_, how, calls_.stop());
  });
  if (!done) return Explain(std::move(done).error(), Side::kTarget, options_, file_);
  const std::string id = std::exchange(upload_id_, "");
  return book_.UploadEnded(Key(), id);
}

void InflatedObjects::GiveUp() {
  if (upload_id_.empty()) return;
  Status aborted = services_.target.AbortMultipartUpload(options_.target_bucket, Key(), upload_id_,
                                                         calls_.stop());
  if (aborted) aborted = book_.UploadEnded(Key(), upload_id_);
  if (aborted) return;
  services_.sink.Warn("the multipart upload " + upload_id_ + " of " + Key().str() +
                      " could not be aborted, its parts stay and are charged until a resume of "
                      "the run aborts it: " +
                      aborted.error().Text());
}

}  // namespace tsm::copy
