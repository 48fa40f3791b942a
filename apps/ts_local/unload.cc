#include "ts_local/unload.h"

#include <algorithm>
#include <exception>
#include <nlohmann/json.hpp>
#include <utility>

#include "ts_local/gzip_stream.h"
#include "ts_local/query_json.h"

namespace ts_local {
namespace {

constexpr std::size_t kMaxKeyBytes = 1024;       // S3's limit
constexpr std::size_t kBufferBytes = 64 * 1024;  // per open file
// The longest that Key() adds to a folder, so that a destination can be refused before any work.
constexpr std::string_view kLongestSuffix = "_metadata.json";

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 128; });
}

ApiError Refusal(const std::string& message) {
  return ApiError(400, "ValidationException", message);
}

// What `work` returns; what it throws of S3's goes through AsUnloadFailure.
template <typename Work>
auto OnFiles(const Work& work) {
  try {
    return work();
  } catch (const ApiError& of_s3) {
    throw AsUnloadFailure(of_s3);
  }
}

void CheckLength(const std::string& key) {
  if (key.size() <= kMaxKeyBytes) return;
  throw Refusal("The generated S3 object key: " + key + " is too long.");
}

}  // namespace

struct UnloadWriter::OpenFile {
  std::string folder;  // "results/" or "results/column=value/"
  std::string key;     // "" while no object is open
  std::unique_ptr<Storage::Upload> upload;
  std::unique_ptr<GzipStream> gzip;  // null where the files are plain
  std::string buffer;                // text that is not written yet
  std::uint64_t written = 0;         // bytes of the object

  // What the object has at least come to; with gzip, less once the buffer is compressed.
  std::uint64_t size() const { return written + buffer.size(); }
  std::int64_t rows = 0;
};

UnloadWriter::UnloadWriter(Storage* storage, const std::string& region, UnloadSettings settings,
                           std::vector<OutputColumn> columns, std::string query_id,
                           UnloadMishaps mishaps)
    : storage_(storage),
      settings_(std::move(settings)),
      place_{region, settings_.bucket},
      columns_(std::move(columns)),
      query_id_(std::move(query_id)),
      mishaps_(std::move(mishaps)),
      run_digits_(RandomText(10, "0123456789")) {
  for (const char c : {'"', '\r', '\n', settings_.delimiter, settings_.escape}) {
    special_[static_cast<unsigned char>(c)] = true;
  }
  for (std::size_t i = 0; i + settings_.partition_columns < columns_.size(); ++i) {
    if (i > 0) header_.push_back(settings_.delimiter);
    AppendField(columns_[i].name, &header_);
  }
  header_.push_back('\n');
  if (Key("results/", std::string(kLongestSuffix)).size() > kMaxKeyBytes) {
    throw Refusal("UNLOAD result file key when using the S3 prefix [" + settings_.prefix +
                  "] provided in the destination will exceed the S3 allowed key length");
  }
}

UnloadWriter::~UnloadWriter() = default;

std::string UnloadWriter::Key(const std::string& folder, const std::string& suffix) const {
  static constexpr std::string_view kAlphanumeric =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::string key = settings_.prefix.empty() ? "" : settings_.prefix + "/";
  key += folder + query_id_ + "_" + run_digits_ + "_" + RandomText(16, kAlphanumeric) + suffix;
  return key;
}

bool UnloadWriter::NeedsQuotes(std::string_view text) const {
  return std::any_of(text.begin(), text.end(),
                     [this](char c) { return special_[static_cast<unsigned char>(c)]; });
}

void UnloadWriter::AppendField(std::string_view text, std::string* line) const {
  if (!NeedsQuotes(text)) {
    line->append(text);
    return;
  }
  line->push_back('"');
  for (const char c : text) {
    if (c == '"' || c == settings_.escape) line->push_back(settings_.escape);
    line->push_back(c);
  }
  line->push_back('"');
}

UnloadWriter::OpenFile* UnloadWriter::FileFor(const Cell* row) {
  partition_ = "results/";
  const std::size_t first = columns_.size() - settings_.partition_columns;
  for (std::size_t i = first; i < columns_.size(); ++i) {
    const std::size_t start = partition_.size();
    AppendCellText(row[i], &partition_);
    const std::string_view value = std::string_view(partition_).substr(start);
    // What the service does with a null or empty value is documented nowhere; a folder "column="
    // would lose which of both it was.
    if (value.empty()) {
      throw Refusal("UNLOAD partition column " + columns_[i].name + " has a null or empty value");
    }
    if (!IsAscii(value)) {
      throw Refusal("UNLOAD partition column " + columns_[i].name +
                    " has a value that is not ASCII: " + std::string(value));
    }
    partition_.insert(start, columns_[i].name + "=");
    partition_.push_back('/');
  }
  const auto found = files_.find(partition_);
  if (found != files_.end()) return found->second.get();
  // The service's words for this are documented nowhere.
  if (files_.size() >= kMaxUnloadPartitions && settings_.partition_columns > 0) {
    throw Refusal("UNLOAD exceeds the limit of " + std::to_string(kMaxUnloadPartitions) +
                  " partitions per query");
  }
  if (mishaps_.memory_partitions > 0 && files_.size() >= mishaps_.memory_partitions) {
    throw ApiError(400, "QueryExecutionException",
                   "The query computation exceeds maximum available memory");
  }
  auto file = std::make_unique<OpenFile>();
  file->folder = partition_;
  return files_.emplace(partition_, std::move(file)).first->second.get();
}

void UnloadWriter::Open(OpenFile* file) {
  file->key = Key(file->folder, settings_.gzip ? ".gz" : ".csv");
  CheckLength(file->key);
  last_folder_ = file->folder;
  file->upload = OnFiles([&] {
    if (auto failure = NextWriteFailure(mishaps_.rules)) throw ApiError(*failure);
    return storage_->StartUpload(place_, file->key, settings_.stored_as);
  });
  file->buffer.clear();
  if (settings_.header) file->buffer = header_;
  file->gzip = settings_.gzip ? std::make_unique<GzipStream>() : nullptr;
  file->written = 0;
  file->rows = 0;
}

void UnloadWriter::Write(OpenFile* file) const {
  const std::string bytes = file->gzip ? file->gzip->Add(file->buffer) : std::move(file->buffer);
  file->buffer.clear();
  file->written += bytes.size();
  file->upload->Append(bytes);
}

void UnloadWriter::Close(OpenFile* file) {
  if (!file->upload) return;
  Write(file);
  if (file->gzip) {
    const std::string rest = file->gzip->Finish();
    file->written += rest.size();
    file->upload->Append(rest);
  }
  OnFiles([&] { file->upload->Commit(); });
  file->upload.reset();
  file->buffer = {};
  file->gzip.reset();
  written_.push_back({file->key, file->written, file->rows});
}

void UnloadWriter::Add(const Cell* row) {
  line_.clear();
  const std::size_t fields = columns_.size() - settings_.partition_columns;
  for (std::size_t i = 0; i < fields; ++i) {
    if (i > 0) line_.push_back(settings_.delimiter);
    if (row[i].type() == SqlType::kVarchar) {
      AppendField(row[i].text(), &line_);
      continue;
    }
    const std::size_t start = line_.size();
    AppendCellText(row[i], &line_);
    // A number or time needs quotes only where a delimiter such as '-' or '.' was chosen.
    if (NeedsQuotes(std::string_view(line_).substr(start))) {
      const std::string text = line_.substr(start);
      line_.resize(start);
      AppendField(text, &line_);
    }
  }
  line_.push_back('\n');
  OpenFile* file = FileFor(row);
  if (file->upload && file->rows > 0 && file->size() + line_.size() > settings_.max_file_size) {
    Close(file);
  }
  if (!file->upload) Open(file);
  file->buffer += line_;
  ++file->rows;
  if (file->buffer.size() >= kBufferBytes) Write(file);
}

std::string UnloadWriter::PutJson(const std::string& suffix, const std::string& json) {
  const std::string key = Key("", suffix);
  StoredAs as = settings_.stored_as;
  as.content_type = "application/json";
  CheckLength(key);
  OnStorage([&] { PutWhole(*storage_, place_, key, json, as); });
  return "s3://" + settings_.bucket + "/" + key;
}

std::string UnloadWriter::ManifestJson() const {
  using Json = nlohmann::ordered_json;
  Json files = Json::array();
  std::uint64_t bytes = 0;
  std::int64_t rows = 0;
  for (const WrittenFile& file : written_) {
    files.push_back(
        {{"url", "s3://" + settings_.bucket + "/" + file.key},
         {"file_metadata", {{"content_length_in_bytes", file.size}, {"row_count", file.rows}}}});
    bytes += file.size;
    rows += file.rows;
  }
  // The documentation calls the first key content_length_in_bytes; what the service writes does
  // not.
  const Json manifest = {
      {"result_files", files},
      {"query_metadata",
       {{"total_content_length_in_bytes", bytes},
        {"total_row_count", rows},
        {"result_format", "CSV"},
        {"result_version", "Amazon Timestream version 1.0.0"}}},
      {"author", {{"name", "Amazon Timestream"}, {"manifest_file_version", "1.0"}}}};
  return manifest.dump(2);
}

void UnloadWriter::LeavePartial() {
  for (const auto& [folder, file] : files_) {
    try {
      Close(file.get());
    } catch (const ApiError&) {  // the query has failed already, perhaps for this
      file->upload.reset();
    }
  }
  if (!mishaps_.leave_unfinished || !last_folder_) return;
  try {
    const std::string key = Key(*last_folder_, settings_.gzip ? ".gz" : ".csv");
    mishaps_.leave_unfinished(place_, key, settings_.stored_as, line_);
  } catch (const std::exception&) {  // as above
  }
}

UnloadResult UnloadWriter::Finish() {
  for (const auto& [folder, file] : files_) Close(file.get());
  UnloadResult result;
  for (const WrittenFile& file : written_) result.rows += file.rows;
  using Json = nlohmann::ordered_json;
  const Json metadata = {
      {"ColumnInfo", Json::parse(ColumnInfoJson(columns_))},
      {"Author", {{"Name", "Amazon Timestream"}, {"MetadataFileVersion", "1.0"}}}};
  result.metadata_uri = PutJson("_metadata.json", metadata.dump(2));
  result.manifest_uri = PutJson("_manifest.json", ManifestJson());
  return result;
}

}  // namespace ts_local
