// What a finished UNLOAD leaves in S3: data files under results/, a manifest that lists them with
// rows and bytes, a metadata file. Names carry the QueryId. Pure parsing and checks; no calls.
// https://docs.aws.amazon.com/timestream/latest/developerguide/export-unload-concepts.html
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tsm/core/result.h"
#include "tsm/s3/names.h"

namespace tsm::run {

struct ManifestFile {
  s3::S3Uri uri;
  std::uint64_t bytes = 0;
  std::uint64_t rows = 0;
};

struct Manifest {
  std::vector<ManifestFile> files;
  std::uint64_t total_rows = 0;
  std::uint64_t total_bytes = 0;
  std::string format;  // "CSV", "PARQUET"
};

// kBadReply where it is no manifest; kProof where its totals differ from the sum of its files (an
// incomplete manifest must be refused). The totals' bytes key is total_content_length_in_bytes in
// real files, content_length_in_bytes in AWS's documentation: both are read.
Result<Manifest> ParseManifest(std::string_view json);

// ".../results/[col=value/]<QueryId>_<digits>_<id>.csv": the QueryId of a data file's key, or
// nothing where the last path segment is not of that form.
std::optional<std::string> QueryIdOfDataFile(std::string_view key);
// "<prefix>/<QueryId>_<digits>_<id>_manifest.json".
std::optional<std::string> QueryIdOfManifest(std::string_view key);
bool IsManifestKey(std::string_view key);
bool IsMetadataKey(std::string_view key);
// A data file by its suffix: .csv, .gz, .parquet.
bool IsDataFile(std::string_view key);

}  // namespace tsm::run
