#include "ts_local/unload_options.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "ts_local/value_text.h"

namespace ts_local {
namespace {

constexpr std::uint64_t kMiB = 1024ULL * 1024;
constexpr std::uint64_t kMinFileSize = 16 * kMiB;
constexpr std::uint64_t kMaxFileSize = 78 * 1024 * kMiB;

[[noreturn]] void Refuse(const UnloadOption& option, const std::string& what) {
  throw SqlError(option.at, "UNLOAD option " + option.name + ": " + what);
}

// `X[MB|GB]`, X with decimals, 16 MB to 78 GB. That a MB is 2^20 bytes is not documented.
std::uint64_t ParseFileSize(const UnloadOption& option, const std::string& value) {
  const std::string upper = AsciiUpper(value);
  const bool gigabytes = upper.ends_with("GB");
  if (!gigabytes && !upper.ends_with("MB")) Refuse(option, "'" + value + "' is not X[MB|GB]");
  const std::string number = upper.substr(0, upper.size() - 2);
  const auto amount = number.find_first_not_of("0123456789.") == std::string::npos
                          ? ParseDouble(number)
                          : std::nullopt;
  if (!amount) Refuse(option, "'" + value + "' is not X[MB|GB]");
  const double bytes = *amount * static_cast<double>(gigabytes ? 1024 * kMiB : kMiB);
  if (bytes < static_cast<double>(kMinFileSize) || bytes > static_cast<double>(kMaxFileSize)) {
    Refuse(option, "'" + value + "' must be between 16MB and 78GB");
  }
  return static_cast<std::uint64_t>(std::llround(bytes));
}

char ParseCharacter(const UnloadOption& option, const std::string& value) {
  if (value.size() != 1 || static_cast<unsigned char>(value[0]) > 127) {
    Refuse(option, "'" + value + "' must be a single ASCII character");
  }
  return value[0];
}

void ParseDestination(const UnloadStatement& statement, UnloadSettings* settings) {
  constexpr std::string_view kScheme = "s3://";
  if (!statement.to.starts_with(kScheme)) {
    throw SqlError(statement.to_at, "UNLOAD destination '" + statement.to +
                                        "' must have the form s3://bucket-name/folder");
  }
  const std::string rest = statement.to.substr(kScheme.size());
  const std::size_t slash = rest.find('/');
  settings->bucket = rest.substr(0, slash);
  if (slash != std::string::npos) settings->prefix = rest.substr(slash + 1);
  if (settings->prefix.ends_with('/')) settings->prefix.pop_back();
  if (settings->bucket.empty()) {
    throw SqlError(statement.to_at, "UNLOAD destination names no bucket");
  }
}

// The partition columns must be the last of the SELECT, in the same order.
void CheckPartitions(const UnloadOption& option, const std::vector<OutputColumn>& columns,
                     UnloadSettings* settings) {
  const std::size_t count = option.values.size();
  if (count >= columns.size()) Refuse(option, "at least one column must be left for the files");
  const std::size_t first = columns.size() - count;
  for (std::size_t i = 0; i < count; ++i) {
    if (columns[first + i].name == option.values[i]) continue;
    const bool exists =
        std::any_of(columns.begin(), columns.end(),
                    [&](const OutputColumn& column) { return column.name == option.values[i]; });
    Refuse(option, "column '" + option.values[i] + "' " +
                       (exists ? "must stand last in the SELECT, in the order of partitioned_by"
                               : "is not in the SELECT"));
  }
  settings->partition_columns = count;
}

// The values that an option knows, in any case of letters, as the original tool writes 'csv'.
std::string Choice(const UnloadOption& option, std::initializer_list<std::string_view> choices) {
  std::string upper = AsciiUpper(option.values.front());
  if (std::find(choices.begin(), choices.end(), upper) != choices.end()) return upper;
  std::string known;
  for (const std::string_view choice : choices) {
    known += (known.empty() ? "" : " or ") + std::string(choice);
  }
  Refuse(option, "'" + option.values.front() + "' must be " + known);
}

void Apply(const UnloadOption& option, const std::vector<OutputColumn>& columns,
           UnloadSettings* settings) {
  const std::string& value = option.values.front();
  if (option.is_array != (option.name == "partitioned_by")) {
    Refuse(option, option.is_array ? "takes a string" : "takes ARRAY['column', ...]");
  }
  if (option.name == "partitioned_by") {
    CheckPartitions(option, columns, settings);
  } else if (option.name == "format") {
    if (Choice(option, {"CSV", "PARQUET"}) == "PARQUET") Refuse(option, "ts-local writes CSV only");
  } else if (option.name == "compression") {
    settings->gzip = Choice(option, {"GZIP", "NONE"}) == "GZIP";
  } else if (option.name == "encryption") {
    const bool kms = Choice(option, {"SSE_S3", "SSE_KMS"}) == "SSE_KMS";
    settings->stored_as.encryption = kms ? "aws:kms" : "AES256";
  } else if (option.name == "kms_key") {
    if (value.empty()) Refuse(option, "the key must not be empty");
    settings->stored_as.kms_key = value;
  } else if (option.name == "field_delimiter") {
    settings->delimiter = ParseCharacter(option, value);
  } else if (option.name == "escaped_by") {
    settings->escape = ParseCharacter(option, value);
  } else if (option.name == "include_header") {
    settings->header = Choice(option, {"TRUE", "FALSE"}) == "TRUE";
  } else if (option.name == "max_file_size") {
    settings->max_file_size = ParseFileSize(option, value);
  } else {
    Refuse(option, "no such option");
  }
}

}  // namespace

UnloadSettings CheckUnload(const UnloadStatement& statement,
                           const std::vector<OutputColumn>& columns) {
  UnloadSettings settings;
  settings.max_file_size = kMaxFileSize;
  ParseDestination(statement, &settings);
  for (std::size_t i = 0; i < statement.options.size(); ++i) {
    const UnloadOption& option = statement.options[i];
    for (std::size_t j = 0; j < i; ++j) {
      if (statement.options[j].name == option.name) Refuse(option, "given twice");
    }
    Apply(option, columns, &settings);
  }
  settings.stored_as.content_type = settings.gzip ? "application/gzip" : "text/csv";
  // That a key beside SSE_S3 is an error, and these characters too, is documented nowhere; either
  // would otherwise be passed over in silence or write files that nobody can read.
  if (!settings.stored_as.kms_key.empty() && settings.stored_as.encryption != "aws:kms") {
    throw SqlError(statement.to_at, "UNLOAD option kms_key needs encryption = 'SSE_KMS'");
  }
  if (settings.delimiter == '"' || settings.delimiter == settings.escape) {
    throw SqlError(statement.to_at,
                   "UNLOAD option field_delimiter must differ from the quote and from escaped_by");
  }
  return settings;
}

}  // namespace ts_local
