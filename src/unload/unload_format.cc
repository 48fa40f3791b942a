#include "tsm/unload/unload_format.h"

#include <algorithm>
#include <array>

#include "tsm/core/flag_values.h"
#include "tsm/core/text.h"
#include "tsm/timestream/limits.h"
#include "tsm/timestream/table_ref.h"

namespace tsm::unload {

using timestream::QuoteLiteral;

namespace {

constexpr char kQuote = '"';  // UNLOAD's own, not to be chosen
constexpr char kDefaultDelimiter = ',';
constexpr char kDefaultEscape = '\\';

// https://docs.aws.amazon.com/timestream/latest/developerguide/export-unload-concepts.html
constexpr std::uint64_t kMinFileBytes = 16'000'000;
constexpr std::uint64_t kMaxFileBytes = 78'000'000'000;

// https://docs.aws.amazon.com/timestream/latest/developerguide/API_ReportS3Configuration.html
constexpr std::size_t kMaxKmsKeyBytes = 2048;

// What batch load takes between two values.
// https://docs.aws.amazon.com/timestream/latest/developerguide/batch-load-preparing-data-file.html
constexpr std::string_view kBatchLoadDelimiters = ",|;\t ";

template <typename Value, std::size_t kCount>
Result<Value> Choose(std::string_view flag, const std::string& text,
                     const std::array<Value, kCount>& values) {
  std::vector<std::string> known;
  for (const Value value : values) {
    known.push_back(ToLowerAscii(Name(value)));
    if (ToLowerAscii(text) == known.back()) return value;
  }
  return InvalidValue(flag, text, "is not " + Join(known, " or "));
}

Result<char> CheckCharacter(std::string_view flag, const std::string& text) {
  if (text == "\\t") return '\t';
  if (text.size() == 1 && static_cast<unsigned char>(text[0]) < 0x80) return text[0];
  return InvalidValue(flag, text, "is not a single ASCII character (\\t stands for a tab)");
}

Result<bool> CheckHeader(const std::string& text) {
  const std::string lower = ToLowerAscii(text);
  if (lower == "true" || lower == "false") return lower == "true";
  return InvalidValue("include_header", text, "is not true or false");
}

Result<std::string> CheckFileSize(const std::string& text) {
  Result<std::uint64_t> bytes =
      ParseSize("max_file_size", text, kMinFileBytes, kMaxFileBytes,
                "is not X[MB|GB] from 16MB to 78GB, such as 1GB, 0.5GB or 24.7MB");
  if (!bytes) return bytes.error();
  // As the documentation writes it: no blank, capital unit.
  std::string size;
  for (const char c : text) {
    if (c == ' ' || c == '\t') continue;
    size += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return size;
}

Status CheckKmsKey(const std::string& key, Encryption encryption) {
  if (encryption != Encryption::kSseKms) {
    return InvalidValue("kms_key", key, "has no effect without --encryption sse_kms; give both");
  }
  if (key.size() > kMaxKmsKeyBytes) {
    return InvalidFlag("kms_key", "has " + WithThousands(key.size()) + " bytes; at most " +
                                      WithThousands(kMaxKmsKeyBytes) + " are allowed");
  }
  const bool graphic =
      std::all_of(key.begin(), key.end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; });
  if (graphic) return Ok();
  return InvalidValue("kms_key", key,
                      "is not a KMS key: its id, ARN or alias has neither blanks nor special "
                      "characters");
}

Status CheckCsv(const FormatInput& input, UnloadFormat& format) {
  if (!input.field_delimiter.empty()) {
    Result<char> delimiter = CheckCharacter("field_delimiter", input.field_delimiter);
    if (!delimiter) return delimiter.error();
    format.field_delimiter = *delimiter;
  }
  if (!input.escaped_by.empty()) {
    Result<char> escape = CheckCharacter("escaped_by", input.escaped_by);
    if (!escape) return escape.error();
    format.escaped_by = *escape;
  }
  if (!input.include_header.empty()) {
    Result<bool> header = CheckHeader(input.include_header);
    if (!header) return header.error();
    format.include_header = *header;
  }
  const std::string delimiter(1, format.field_delimiter);
  if (format.field_delimiter == kQuote || format.field_delimiter == format.escaped_by) {
    return InvalidValue("field_delimiter", delimiter,
                        format.field_delimiter == kQuote
                            ? "is UNLOAD's quote character; choose another"
                            : "is also the escape character (--escaped_by); choose another");
  }
  const bool line_end = format.field_delimiter == '\r' || format.field_delimiter == '\n';
  if (line_end && format.include_header) {
    return InvalidValue("field_delimiter", delimiter,
                        "ends lines, so that the header could not be read; choose another, or "
                        "--include_header false");
  }
  return Ok();
}

Status RefuseCsvOptions(const FormatInput& input) {
  const std::pair<std::string_view, const std::string&> options[] = {
      {"field_delimiter", input.field_delimiter},
      {"escaped_by", input.escaped_by},
      {"include_header", input.include_header}};
  for (const auto& [flag, value] : options) {
    if (value.empty()) continue;
    return InvalidValue(flag, value, "is for CSV files only; leave it away with --format parquet");
  }
  return Ok();
}

std::string Option(std::string_view name, std::string_view value) {
  return ", " + std::string(name) + " = " + QuoteLiteral(value);
}

}  // namespace

std::string_view Name(FileFormat format) { return format == FileFormat::kCsv ? "CSV" : "PARQUET"; }

std::string_view Name(Compression compression) {
  return compression == Compression::kNone ? "NONE" : "GZIP";
}

std::string_view Name(Encryption encryption) {
  return encryption == Encryption::kSseS3 ? "SSE_S3" : "SSE_KMS";
}

Result<UnloadFormat> UnloadFormat::Check(const FormatInput& input) {
  UnloadFormat format;
  if (!input.format.empty()) {
    auto chosen =
        Choose("format", input.format, std::array{FileFormat::kCsv, FileFormat::kParquet});
    if (!chosen) return chosen.error();
    format.format = *chosen;
  }
  if (!input.compression.empty()) {
    auto chosen = Choose("compression", input.compression,
                         std::array{Compression::kNone, Compression::kGzip});
    if (!chosen) return chosen.error();
    format.compression = *chosen;
  }
  if (!input.encryption.empty()) {
    auto chosen =
        Choose("encryption", input.encryption, std::array{Encryption::kSseS3, Encryption::kSseKms});
    if (!chosen) return chosen.error();
    format.encryption = *chosen;
  }
  if (!input.kms_key.empty()) {
    if (Status key = CheckKmsKey(input.kms_key, format.encryption); !key) return key.error();
    format.kms_key = input.kms_key;
  }
  if (!input.max_file_size.empty()) {
    Result<std::string> size = CheckFileSize(input.max_file_size);
    if (!size) return size.error();
    format.max_file_size = *size;
  }
  Status csv =
      format.format == FileFormat::kCsv ? CheckCsv(input, format) : RefuseCsvOptions(input);
  if (!csv) return csv.error();
  return format;
}

std::string UnloadFormat::ToSql() const {
  std::string sql = "format = " + QuoteLiteral(Name(format));
  sql += Option("compression", Name(compression)) + Option("max_file_size", max_file_size);
  if (format == FileFormat::kCsv) {
    sql += Option("include_header", include_header ? "true" : "false");
    if (field_delimiter != kDefaultDelimiter) {
      sql += Option("field_delimiter", std::string(1, field_delimiter));
    }
    if (escaped_by != kDefaultEscape) sql += Option("escaped_by", std::string(1, escaped_by));
  }
  if (encryption != Encryption::kSseS3) sql += Option("encryption", Name(encryption));
  if (!kms_key.empty()) sql += Option("kms_key", kms_key);
  return sql;
}

bool IsBatchLoadDelimiter(char delimiter) {
  return kBatchLoadDelimiters.find(delimiter) != std::string_view::npos;
}

std::vector<std::string> UnloadFormat::BatchLoadRemarks() const {
  if (format == FileFormat::kParquet) {
    return {"batch load reads CSV only: files in PARQUET can't be loaded into Timestream again"};
  }
  std::vector<std::string> remarks;
  if (compression == Compression::kGzip) {
    remarks.emplace_back(
        "batch load reads no gzip: ts-batchload inflates these files where it copies them "
        "(--copy_s3_bucket), through the machine that it runs on");
  }
  if (!include_header) {
    remarks.emplace_back(
        "batch load finds columns by the header, which --include_header false leaves out: these "
        "files can't be loaded into Timestream again");
  }
  if (!IsBatchLoadDelimiter(field_delimiter)) {
    remarks.push_back("batch load separates values by comma, '|', ';', tab or blank, not by '" +
                      OneLine(std::string(1, field_delimiter)) +
                      "': these files can't be loaded into Timestream again");
  }
  Result<std::uint64_t> bytes = ParseSize("max_file_size", max_file_size, 0, kMaxFileBytes, "");
  if (bytes && *bytes >= timestream::kMaxBatchLoadFileBytes) {
    remarks.push_back("batch load takes files of at most 5 GB: with --max_file_size " +
                      max_file_size + " some may be larger, and ts-batchload refuses those");
  }
  return remarks;
}

}  // namespace tsm::unload
