#include "inflated_file.h"

#include <algorithm>
#include <string>
#include <utility>

#include "copy_errors.h"
#include "csv_records.h"
#include "inflate_stream.h"
#include "inflated_objects.h"
#include "tsm/core/text.h"

namespace tsm::copy {

// From compressed bytes to objects.
class InflatedFile::Pipe {
 public:
  Pipe(const CopyOptions& options, const run::SpooledFile& file, const CopyServices& services,
       const PatientCalls& calls, CopyBook& book)
      : records_(options.csv_quote, options.csv_escape),
        objects_(options, file, services, calls, book) {}

  InflatedObjects& objects() { return objects_; }

  Status Feed(std::string_view compressed) {
    return inflate_.Feed(compressed, [this](std::string_view bytes) {
      return records_.Feed(bytes, [this](std::string_view record) { return objects_.Add(record); });
    });
  }

  Status End() {
    if (Status whole = inflate_.End(); !whole) return whole;
    return records_.End([this](std::string_view record) { return objects_.Add(record); });
  }

 private:
  InflateStream inflate_;
  CsvRecords records_;
  InflatedObjects objects_;
};

InflatedFile::InflatedFile(const CopyOptions& options, const CopyServices& services,
                           CopyPatience& patience, CopyBook& book, std::stop_token stop)
    : options_(options),
      services_(services),
      calls_(patience, services.clock, std::move(stop)),
      book_(book) {}

Result<CopiedFile> InflatedFile::Copy(const run::SpooledFile& file) {
  Pipe pipe(options_, file, services_, calls_, book_);
  Result<CopiedFile> copied = Pump(file, pipe);
  if (copied) return copied;
  Error error = std::move(copied).error();
  // A run that ends leaves the upload to the next one, which knows it by the book.
  if (error.kind != ErrorKind::kCancelled && !IsFatal(error)) pipe.objects().GiveUp();
  if (error.kind != ErrorKind::kProof) return error;
  return std::move(error).With(
      "inflating " +
      OneLine(s3::S3Uri{options_.source_bucket, file.source}.str(), 5 * s3::kMaxKeyBytes));
}

Result<CopiedFile> InflatedFile::Pump(const run::SpooledFile& file, Pipe& pipe) {
  for (std::uint64_t first = 0; first < file.size;) {
    Result<s3::ObjectContent> content = Read(file, first);
    if (!content) return std::move(content).error();
    if (first == 0) pipe.objects().SetMetadata(content->head.metadata);
    if (Status fed = pipe.Feed(content->body); !fed) return std::move(fed).error();
    first += content->body.size();
  }
  if (Status ended = pipe.End(); !ended) return std::move(ended).error();
  // Before the last object is there.
  if (const std::uint64_t rows = pipe.objects().rows(); file.rows && rows != *file.rows) {
    return MakeError(ErrorKind::kProof, "the file has " + WithThousands(rows) +
                                            " rows, by its manifest " + WithThousands(*file.rows) +
                                            ": it is not what the unload wrote, or is read with "
                                            "other quote and escape characters than it was written "
                                            "with");
  }
  return pipe.objects().Close();
}

Result<s3::ObjectContent> InflatedFile::Read(const run::SpooledFile& file, std::uint64_t first) {
  s3::GetOptions how;
  how.range =
      s3::ByteRange{.first = first, .last = std::min(first + kInflateReadBytes, file.size) - 1};
  how.if_match = file.etag;
  how.repeat_throttled = false;
  Result<s3::ObjectContent> content = calls_([&] {
    return services_.source.GetObjectContent(options_.source_bucket, file.source, how,
                                             calls_.stop());
  });
  if (!content) return Explain(std::move(content).error(), Side::kSource, options_, file);
  const std::uint64_t promised = how.range->last - how.range->first + 1;
  if (content->body.size() == promised) return content;
  return MakeError(ErrorKind::kBadReply, "S3 gave " + std::to_string(content->body.size()) +
                                             " bytes of " + std::to_string(promised))
      .With("GetObject " + file.source.str());
}

}  // namespace tsm::copy
