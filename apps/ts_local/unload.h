// Writes the files of one UNLOAD: CSV, plain or in gzip, below `<prefix>/results/[column=value/]`,
// then metadata and, last of all, the manifest. Data files become visible when they are full or the
// query has finished; a query that fails leaves them and no manifest, as the service does. Used by
// one thread.
// https://docs.aws.amazon.com/timestream/latest/developerguide/export-unload-concepts.html
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ts_local/sql_exec.h"
#include "ts_local/storage.h"
#include "ts_local/unload_mishaps.h"
#include "ts_local/unload_options.h"

namespace ts_local {

struct UnloadResult {
  std::int64_t rows = 0;
  std::string metadata_uri;  // s3://bucket/key
  std::string manifest_uri;
};

class UnloadWriter {
 public:
  // `columns` are all columns of the SELECT, partition columns last. `storage` and what `mishaps`
  // borrows must outlive the writer; `region` is the caller's. Throws ApiError ValidationException
  // where the keys would be longer than S3 allows.
  UnloadWriter(Storage* storage, const std::string& region, UnloadSettings settings,
               std::vector<OutputColumn> columns, std::string query_id, UnloadMishaps mishaps = {});
  ~UnloadWriter();
  UnloadWriter(const UnloadWriter&) = delete;
  UnloadWriter& operator=(const UnloadWriter&) = delete;

  // One row, a cell per column. ApiError for more than 100 partitions, a partition value that is
  // null or not ASCII (ValidationException), a key too long, and what S3 refuses as AsUnloadFailure
  // shapes it (QueryExecutionException, AccessDeniedException, ...).
  void Add(const Cell* row);

  // Makes the data files visible, then writes metadata and manifest.
  UnloadResult Finish();

  // Of a query that has failed or was cancelled: what it has written so far becomes visible, as far
  // as the storage takes it, and one more file stays a multipart upload that nobody completes;
  // there will be no manifest.
  void LeavePartial();

 private:
  struct OpenFile;
  struct WrittenFile {
    std::string key;
    std::uint64_t size = 0;
    std::int64_t rows = 0;
  };

  OpenFile* FileFor(const Cell* row);
  void Open(OpenFile* file);
  void Write(OpenFile* file) const;
  void Close(OpenFile* file);
  bool NeedsQuotes(std::string_view text) const;
  void AppendField(std::string_view text, std::string* line) const;
  std::string Key(const std::string& folder, const std::string& suffix) const;
  std::string PutJson(const std::string& suffix, const std::string& json);
  std::string ManifestJson() const;

  Storage* storage_;
  UnloadSettings settings_;
  StoragePlace place_;
  std::vector<OutputColumn> columns_;
  std::string query_id_;
  UnloadMishaps mishaps_;
  std::string run_digits_;           // the ten digits that all file names of one query share
  std::array<bool, 256> special_{};  // characters that make a field quoted
  std::string header_;
  std::string partition_;                   // scratch: the row's folder
  std::string line_;                        // scratch: the row's text
  std::optional<std::string> last_folder_;  // of the file that was opened last
  std::map<std::string, std::unique_ptr<OpenFile>, std::less<>> files_;
  std::vector<WrittenFile> written_;
};

}  // namespace ts_local
