#include "recorded_files.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "tsm/core/text.h"
#include "tsm/run/manifest.h"

namespace tsm::batchload {

namespace {

// https://docs.aws.amazon.com/timestream/latest/developerguide/API_CsvConfiguration.html
constexpr std::string_view kSeparators = ",|;\t ";

Error Refuse(std::string why) { return MakeError(ErrorKind::kInvalidInput, std::move(why)); }

// A file that the manifest names, by its key as it lies now.
struct Named {
  std::string key;
  std::uint64_t bytes = 0;
  std::uint64_t rows = 0;
};

class SliceFiles {
 public:
  SliceFiles(const FoundRecord& found, std::uint32_t slice, const SourceRequest& request,
             s3::S3Client& source, FileCollector& files)
      : found_(found),
        index_(slice),
        slice_(found.record.slices[slice]),
        request_(request),
        source_(source),
        files_(files) {}

  Status Collect(const std::stop_token& stop) {
    if (Status read = ReadManifest(stop); !read) return read;
    if (!manifest_ && slice_.rows == 0 && slice_.files == 0) return Ok();
    std::size_t next = 0;
    Status kept = Ok();
    Status listed = source_.ForEachObject(
        request_.bucket, found_.ResultsOf(slice_),
        [&](const s3::ObjectSummary& object) {
          const std::string& key = object.key.str();
          while (next < named_.size() && named_[next].key < key) Miss(named_[next++]);
          const bool is_named = next < named_.size() && named_[next].key == key;
          kept = is_named ? Keep(object, named_[next++]) : Meet(object);
          return static_cast<bool>(kept);
        },
        stop);
    if (!listed) return listed.error().With("listing the files of slice " + slice_.id);
    while (next < named_.size()) Miss(named_[next++]);
    return kept;
  }

 private:
  std::string Where() const { return "slice " + slice_.id; }

  Status ReadManifest(const std::stop_token& stop) {
    if (slice_.manifest_uri.empty()) {
      if (slice_.rows > 0) files_.findings.Add(Where() + " has rows and no manifest");
      return Ok();
    }
    Result<s3::S3Uri> uri = s3::S3Uri::Parse(slice_.manifest_uri);
    if (!uri) return uri.error().With(found_.uri + " " + Where());
    const s3::ObjectKey key(found_.KeyNow(uri->key.str()));
    Result<std::string> body = source_.GetObject(request_.bucket, key, std::nullopt, stop);
    if (!body) {
      const bool missing = body.error().kind == ErrorKind::kNotFound;
      const bool allowed =
          request_.verify == Verify::kNone && body.error().kind == ErrorKind::kAccessDenied;
      if (!missing && !allowed) return body.error().With("reading the manifest of " + Where());
      files_.findings.Add("the manifest " + key.str() +
                          (missing ? " is missing" : " can't be read"));
      return Ok();
    }
    Result<run::Manifest> manifest = run::ParseManifest(*body);
    if (!manifest) {
      files_.findings.Add(key.str() + ": " + manifest.error().message);
      return Ok();
    }
    Take(*manifest, key.str());
    return Ok();
  }

  void Take(const run::Manifest& manifest, const std::string& key) {
    manifest_ = true;
    if (manifest.total_rows != slice_.rows) {
      files_.findings.Add(key + " has " + WithThousands(manifest.total_rows) + " rows, " +
                          found_.uri + " says " + WithThousands(slice_.rows));
    }
    const std::string results = found_.ResultsOf(slice_);
    for (const run::ManifestFile& file : manifest.files) {
      std::string now = found_.KeyNow(file.uri.key.str());
      if (now.starts_with(results)) {
        named_.push_back({std::move(now), file.bytes, file.rows});
      } else {
        files_.findings.Add(key + " names " + file.uri.str() + ", which lies outside of " +
                            results);
      }
    }
    std::sort(named_.begin(), named_.end(),
              [](const Named& a, const Named& b) { return a.key < b.key; });
  }

  void Miss(const Named& named) {
    files_.findings.Add(named.key + " of " + Where() + " is missing");
  }

  Status Keep(const s3::ObjectSummary& object, const Named& named) {
    FoundFile file = FoundFile::Of(object, FoundFile::Kind::kData);
    file.slice = index_;
    if (object.size == named.bytes) {
      file.rows = named.rows;
    } else {
      files_.findings.Add(named.key + " has " + std::to_string(object.size) +
                          " bytes, the manifest of " + Where() + " says " +
                          std::to_string(named.bytes));
    }
    return files_.Add(file);
  }

  // What the manifest does not name. In a folder of the attempt's own no other file may be; the
  // results folder of the destination itself is everybody's.
  Status Meet(const s3::ObjectSummary& object) {
    const std::string& key = object.key.str();
    if (!run::IsDataFile(key)) return files_.AddOther(object, FoundFile::Kind::kStrange);
    const std::optional<std::string> query = run::QueryIdOfDataFile(key);
    const bool is_slices = query && *query == slice_.query_id;
    if (!manifest_ && is_slices) {
      FoundFile file = FoundFile::Of(object, FoundFile::Kind::kData);
      file.slice = index_;
      return files_.Add(file);
    }
    if (is_slices || FoundRecord::IsNested(slice_)) {
      files_.findings.Add(key + " is not named by the manifest of " + Where());
    }
    return files_.AddOther(object, FoundFile::Kind::kOther);
  }

  const FoundRecord& found_;
  const std::uint32_t index_;
  const run::RecordSlice& slice_;
  const SourceRequest& request_;
  s3::S3Client& source_;
  FileCollector& files_;
  bool manifest_ = false;
  std::vector<Named> named_;
};

}  // namespace

Status CheckFormat(const FoundRecord& found, bool copy) {
  const run::RecordFormat& format = found.record.format;
  const std::string what =
      "the unload " + found.record.run_id + " of " + found.record.source.str() + " ";
  if (format.format != "CSV") {
    return Refuse(what + "wrote " + format.format +
                  ", batch load reads CSV: unload again with --format CSV");
  }
  if (!format.include_header) {
    return Refuse(what +
                  "wrote files without a header, which batch load takes the columns' names from: "
                  "unload again with the header");
  }
  if (format.compression != "NONE" && !copy) {
    return Refuse(what + "wrote " + format.compression +
                  ", batch load reads plain CSV: let the files be inflated on the way with "
                  "--copy_s3_bucket, or unload again with --compression NONE");
  }
  if (format.field_delimiter.size() != 1 ||
      kSeparators.find(format.field_delimiter) == std::string_view::npos) {
    return Refuse(what + "separated the columns by '" + OneLine(format.field_delimiter, 20) +
                  "', batch load takes a comma, '|', ';', a tab or a blank: unload again with "
                  "one of these");
  }
  return Ok();
}

Status CollectRecorded(const FoundRecord& found, const SourceRequest& request, s3::S3Client& source,
                       FileCollector& files, std::stop_token stop) {
  for (std::uint32_t i = 0; i < found.record.slices.size(); ++i) {
    Status collected = SliceFiles(found, i, request, source, files).Collect(stop);
    if (!collected) return collected;
  }
  return Ok();
}

}  // namespace tsm::batchload
