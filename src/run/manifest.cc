#include "tsm/run/manifest.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "tsm/core/text.h"

namespace tsm::run {
namespace {

using nlohmann::json;

constexpr std::string_view kManifestSuffix = "_manifest.json";
constexpr std::string_view kMetadataSuffix = "_metadata.json";
constexpr std::size_t kFileIdLength = 16;

Error NoManifest(const std::string& why) {
  return MakeError(ErrorKind::kBadReply, "this is no UNLOAD manifest: " + why);
}

// The count under the first of the names that is there; nothing where none is, or it is no count.
std::optional<std::uint64_t> Count(const json& object, std::initializer_list<const char*> names) {
  if (!object.is_object()) return std::nullopt;
  for (const char* name : names) {
    const auto found = object.find(name);
    if (found == object.end()) continue;
    if (!found->is_number_integer()) return std::nullopt;
    if (!found->is_number_unsigned() && found->get<std::int64_t>() < 0) return std::nullopt;
    return found->get<std::uint64_t>();
  }
  return std::nullopt;
}

Result<ManifestFile> ParseFile(const json& entry) {
  if (!entry.is_object() || !entry.contains("url") || !entry["url"].is_string()) {
    return NoManifest("a file lacks its url");
  }
  const auto url = entry["url"].get<std::string>();
  Result<s3::S3Uri> uri = s3::S3Uri::Parse(url);
  if (!uri) return NoManifest(uri.error().message);
  const json metadata = entry.value("file_metadata", json::object());
  const std::optional<std::uint64_t> bytes = Count(metadata, {"content_length_in_bytes"});
  const std::optional<std::uint64_t> rows = Count(metadata, {"row_count"});
  if (uri->key.empty() || !bytes || !rows) {
    return NoManifest("key, bytes or rows are missing for " + url);
  }
  return ManifestFile{.uri = *std::move(uri), .bytes = *bytes, .rows = *rows};
}

bool AddTo(std::uint64_t& sum, std::uint64_t number) {
  if (number > std::numeric_limits<std::uint64_t>::max() - sum) return false;
  sum += number;
  return true;
}

// A manifest whose list was cut, or names a file twice, would let rows go missing unseen.
Status CheckTotals(const Manifest& manifest) {
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::set<s3::S3Uri> seen;
  for (const ManifestFile& file : manifest.files) {
    if (!seen.insert(file.uri).second) {
      return MakeError(ErrorKind::kProof, "the manifest names " + file.uri.str() + " twice");
    }
    if (!AddTo(rows, file.rows) || !AddTo(bytes, file.bytes)) {
      return NoManifest("its counts are too large");
    }
  }
  if (rows == manifest.total_rows && bytes == manifest.total_bytes) return Ok();
  return MakeError(ErrorKind::kProof,
                   "the manifest is incomplete: its " + WithThousands(manifest.files.size()) +
                       " files hold " + WithThousands(rows) + " rows and " + WithThousands(bytes) +
                       " bytes, its totals say " + WithThousands(manifest.total_rows) +
                       " rows and " + WithThousands(manifest.total_bytes) + " bytes");
}

std::string_view LastSegment(std::string_view key) {
  const std::size_t slash = key.rfind('/');
  return slash == std::string_view::npos ? key : key.substr(slash + 1);
}

bool All(std::string_view text, bool (*test)(char)) {
  return !text.empty() && std::all_of(text.begin(), text.end(), test);
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsUpperAlnum(char c) { return IsDigit(c) || (c >= 'A' && c <= 'Z'); }
bool IsAlnum(char c) { return IsUpperAlnum(c) || (c >= 'a' && c <= 'z'); }

// "<QueryId>_<digits>_<16 characters>" -> QueryId.
std::optional<std::string> QueryIdOfStem(std::string_view stem) {
  const std::vector<std::string_view> parts = Split(stem, '_');
  const bool ok = parts.size() == 3 && All(parts[0], IsUpperAlnum) && All(parts[1], IsDigit) &&
                  parts[2].size() == kFileIdLength && All(parts[2], IsAlnum);
  if (!ok) return std::nullopt;
  return std::string(parts[0]);
}

}  // namespace

Result<Manifest> ParseManifest(std::string_view text) {
  const json parsed = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object()) {
    return NoManifest("no JSON object, " + std::to_string(text.size()) + " bytes");
  }
  const auto files = parsed.find("result_files");
  const auto totals = parsed.find("query_metadata");
  if (files == parsed.end() || !files->is_array() || totals == parsed.end()) {
    return NoManifest("result_files or query_metadata is missing");
  }
  const std::optional<std::uint64_t> rows = Count(*totals, {"total_row_count"});
  const std::optional<std::uint64_t> bytes =
      Count(*totals, {"total_content_length_in_bytes", "content_length_in_bytes"});
  if (!rows || !bytes) return NoManifest("its total of rows or bytes is missing");
  Manifest manifest;
  manifest.total_rows = *rows;
  manifest.total_bytes = *bytes;
  if (const auto format = totals->find("result_format");
      format != totals->end() && format->is_string()) {
    manifest.format = format->get<std::string>();
  }
  for (const json& entry : *files) {
    Result<ManifestFile> file = ParseFile(entry);
    if (!file) return std::move(file).error();
    manifest.files.push_back(*std::move(file));
  }
  if (Status status = CheckTotals(manifest); !status) return status.error();
  return manifest;
}

std::optional<std::string> QueryIdOfDataFile(std::string_view key) {
  if (!IsDataFile(key)) return std::nullopt;
  const std::string_view name = LastSegment(key);
  return QueryIdOfStem(name.substr(0, name.find('.')));
}

std::optional<std::string> QueryIdOfManifest(std::string_view key) {
  if (!IsManifestKey(key)) return std::nullopt;
  const std::string_view name = LastSegment(key);
  return QueryIdOfStem(name.substr(0, name.size() - kManifestSuffix.size()));
}

bool IsManifestKey(std::string_view key) { return LastSegment(key).ends_with(kManifestSuffix); }

bool IsMetadataKey(std::string_view key) { return LastSegment(key).ends_with(kMetadataSuffix); }

bool IsDataFile(std::string_view key) {
  const std::string_view name = LastSegment(key);
  return name.ends_with(".csv") || name.ends_with(".gz") || name.ends_with(".parquet");
}

}  // namespace tsm::run
