#include "unload_place.h"

#include <algorithm>

#include "tsm/core/flag_values.h"
#include "tsm/core/text.h"
#include "tsm/s3/s3_client.h"
#include "tsm/timestream/limits.h"

namespace tsm::unload {

namespace {

constexpr std::string_view kAccessPointAlias = "-s3alias";

// The longest names below the prefix (contracts.md 2). A try of its own: "/results/" with a slice's
// id of up to 12 characters, "-" and 12 random ones.
constexpr std::size_t kAttemptBytes = 9 + 12 + 1 + 12;
// UNLOAD's own: "/results/", and in it a QueryId of 64 characters, "_", 10 digits, "_", 16
// characters and ".parquet".
constexpr std::size_t kFileBytes = 9 + 64 + 1 + 10 + 1 + 16 + 8;
constexpr std::size_t kTimePartitionBytes = 30;  // "partition_date_2=2024-02-26-17/"
// "partition_", the column's name, "=", a value and "/". Values are not known here: longer ones are
// possible, and the service then names the key that is too long.
constexpr std::size_t kColumnPartitionBytes = 10 + 1 + 64 + 1;

Result<std::vector<std::string>> CheckPatterns(std::string_view flag,
                                               const std::vector<std::string>& texts) {
  std::vector<std::string> patterns;
  for (const std::string& text : texts) {
    Result<std::vector<std::string>> some = ParseList(flag, text);
    if (!some) return some.error();
    patterns.insert(patterns.end(), some->begin(), some->end());
  }
  return patterns;
}

Status CheckTables(const UnloadInput& input, TableScope& scope) {
  Result<std::vector<std::string>> names = ParseList("table", input.table);
  if (!names) return names.error();
  for (const std::string& name : *names) {
    Result<timestream::TableRef> table = timestream::TableRef::Make(input.database, name);
    if (!table) {
      // The database is checked first.
      const bool database = !timestream::CheckName("database", input.database);
      return InvalidFlag(database ? "database" : "table", table.error().message);
    }
    scope.tables.push_back(*std::move(table));
  }
  return Ok();
}

// Which of the three ways to name tables is meant.
Status CheckWay(const UnloadInput& input) {
  if (input.all_databases) {
    if (!input.database.empty() || !input.table.empty() || input.all_tables) {
      return InvalidFlag("all_databases",
                         "stands alone: leave away --database, --table and --all_tables, and "
                         "choose with --include and --exclude");
    }
    return Ok();
  }
  if (input.database.empty()) {
    return InvalidFlag("database", "is required (or --all_databases for every database)");
  }
  if (input.all_tables && !input.table.empty()) {
    return InvalidFlag("all_tables",
                       "means every table of " + OneLine(input.database, 80) +
                           "; leave away --table, or leave away --all_tables to unload only " +
                           OneLine(input.table, 80));
  }
  if (!input.all_tables && input.table.empty()) {
    return InvalidFlag("table",
                       "is required: one table, or several separated by commas; "
                       "--all_tables unloads every table of the database");
  }
  return Ok();
}

// The longest "/<database>/<table>" where there is more than one table; names that are not known
// yet count with the service's longest.
std::size_t TableFolderBytes(const TableScope& scope) {
  if (scope.NamesOneTable()) return 0;
  constexpr std::size_t kLongest = timestream::kMaxDatabaseOrTableNameBytes;
  std::size_t bytes = 0;
  for (const timestream::TableRef& table : scope.tables) {
    bytes = std::max(bytes, 2 + table.database.size() + table.table.size());
  }
  if (!scope.tables.empty()) return bytes;
  return 2 + (scope.database.empty() ? kLongest : scope.database.size()) + kLongest;
}

std::size_t LongestSuffix(const UnloadOptions& options) {
  std::size_t bytes = TableFolderBytes(options.scope) + kAttemptBytes + kFileBytes;
  if (options.partition != PartitionUnit::kNone) bytes += kTimePartitionBytes;
  for (const std::string& column : options.partitioned_by) {
    bytes += kColumnPartitionBytes + column.size();
  }
  return bytes;
}

// arn:<partition>:iam::<12 digits>:role/<path and name>
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
bool IsRoleArn(const std::string& text) {
  const std::vector<std::string_view> parts = Split(text, ':');
  if (parts.size() != 6) return false;
  const std::string_view account = parts[4];
  const std::string_view resource = parts[5];
  const bool digits =
      account.size() == 12 &&
      std::all_of(account.begin(), account.end(), [](char c) { return c >= '0' && c <= '9'; });
  const bool partition = parts[1] == "aws" || parts[1].starts_with("aws-");
  const bool printable = std::all_of(resource.begin(), resource.end(),
                                     [](unsigned char c) { return c > 0x20 && c < 0x7f; });
  return parts[0] == "arn" && partition && parts[2] == "iam" && parts[3].empty() && digits &&
         printable && resource.starts_with("role/") && resource.size() > 5 &&
         resource.back() != '/';
}

Result<s3::S3Uri> CheckUri(const std::string& text, const UnloadOptions& options) {
  Result<s3::S3Uri> uri = s3::S3Uri::Parse(text);
  if (!uri) return InvalidFlag("s3_uri", uri.error().message);
  std::string prefix = uri->key.str();
  while (!prefix.empty() && prefix.back() == '/') prefix.pop_back();
  // https://docs.aws.amazon.com/timestream/latest/developerguide/export-unload-concepts.html
  if (prefix.empty() && uri->bucket.str().ends_with(kAccessPointAlias)) {
    return InvalidValue("s3_uri", text,
                        "is an access point's alias, behind which UNLOAD wants a folder: "
                        "s3://ALIAS/FOLDER");
  }
  const std::size_t suffix = LongestSuffix(options);
  if (prefix.size() + suffix > s3::kMaxKeyBytes) {
    return InvalidFlag("s3_uri", "the prefix has " + std::to_string(prefix.size()) +
                                     " bytes; what is added to it may take " +
                                     std::to_string(suffix) + ", and S3's keys end at " +
                                     std::to_string(s3::kMaxKeyBytes) +
                                     "; AWS advises 10 to 15 characters a folder");
  }
  uri->key = s3::ObjectKey(prefix);
  return uri;
}

}  // namespace

Result<TableScope> CheckScope(const UnloadInput& input) {
  if (Status way = CheckWay(input); !way) return way.error();
  TableScope scope;
  if (!input.table.empty()) {
    if (Status tables = CheckTables(input, scope); !tables) return tables.error();
  } else if (!input.database.empty()) {
    Status name = timestream::CheckName("database", input.database);
    if (!name) return InvalidFlag("database", name.error().message);
  }
  scope.database = input.database;
  Result<std::vector<std::string>> include = CheckPatterns("include", input.include);
  if (!include) return include.error();
  Result<std::vector<std::string>> exclude = CheckPatterns("exclude", input.exclude);
  if (!exclude) return exclude.error();
  if (!scope.tables.empty() && !(include->empty() && exclude->empty())) {
    return InvalidFlag(include->empty() ? "exclude" : "include",
                       "chooses among the tables of --all_tables or --all_databases; with --table "
                       "name just those that are meant");
  }
  scope.include = *std::move(include);
  scope.exclude = *std::move(exclude);
  return scope;
}

Status CheckDestination(const UnloadInput& input, UnloadOptions& options) {
  if (input.s3_uri.empty()) {
    if (!options.scope.NamesOneTable()) {
      return InvalidFlag("s3_uri",
                         "is required with more than one table: s3://BUCKET/PREFIX, where each "
                         "table gets a folder <database>/<table>");
    }
  } else {
    Result<s3::S3Uri> uri = CheckUri(input.s3_uri, options);
    if (!uri) return uri.error();
    options.destination = *std::move(uri);
  }
  if (input.iam_role_arn.empty()) return Ok();
  if (!IsRoleArn(input.iam_role_arn)) {
    return InvalidFlag("iam_role_arn", "'" + OneLine(input.iam_role_arn, 200) +
                                           "' is not of the form "
                                           "arn:aws:iam::<12 digits>:role/<name>");
  }
  if (options.destination && options.destination->bucket.str().ends_with(kAccessPointAlias)) {
    return InvalidFlag("iam_role_arn",
                       "an access point's alias has no bucket policy to add the role to; name the "
                       "bucket in --s3_uri, or grant the role access by yourself");
  }
  options.iam_role_arn = input.iam_role_arn;
  return Ok();
}

Result<s3::BucketName> DefaultBucket(const timestream::TableRef& table,
                                     const std::string& account) {
  const std::string name =
      ToLowerAscii("timestream-unload-" + table.database + "-" + table.table + "-" + account);
  Result<s3::BucketName> bucket = s3::BucketName::Parse(name);
  if (bucket) return bucket;
  return MakeError(ErrorKind::kInvalidInput, "the default bucket name '" + OneLine(name, 300) +
                                                 "' is not possible (" + bucket.error().message +
                                                 "); name a bucket with --s3_uri");
}

}  // namespace tsm::unload
