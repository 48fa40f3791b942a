// How UNLOAD writes its files: the WITH options that have nothing to do with which rows they hold.
// Plain value, checked once by Check; every limit is the documented one.
// https://docs.aws.amazon.com/timestream/latest/developerguide/export-unload-concepts.html
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tsm/core/result.h"

namespace tsm::unload {

enum class FileFormat { kCsv, kParquet };
enum class Compression { kNone, kGzip };
enum class Encryption { kSseS3, kSseKms };

std::string_view Name(FileFormat format);        // "CSV", "PARQUET"
std::string_view Name(Compression compression);  // "NONE", "GZIP"
std::string_view Name(Encryption encryption);    // "SSE_S3", "SSE_KMS"

// The flags' texts; "" is "not given".
struct FormatInput {
  std::string format;       // csv | parquet, any case
  std::string compression;  // none | gzip
  std::string encryption;   // sse_s3 | sse_kms
  std::string kms_key;
  std::string field_delimiter;  // one ASCII character; "\t" spelled out is a tab
  std::string escaped_by;
  std::string include_header;  // true | false
  std::string max_file_size;   // X[MB|GB], 16MB to 78GB, decimals allowed
};

struct UnloadFormat {
  FileFormat format = FileFormat::kCsv;
  Compression compression = Compression::kNone;
  Encryption encryption = Encryption::kSseS3;
  std::string kms_key;  // "": the account's own key for S3
  char field_delimiter = ',';
  char escaped_by = '\\';
  bool include_header = true;
  // Best for batch load are files of 100 MB to 1 GB; sizes are approximate, so the 5 GB that batch
  // load accepts at most stay far away.
  // https://docs.aws.amazon.com/timestream/latest/developerguide/batch-load-best-practices.html
  std::string max_file_size = "1GB";

  // kInvalidInput names the flag, its value and the documented limit: also a kms_key without
  // SSE_KMS, CSV options with PARQUET, a delimiter that equals the quote or the escape, a header
  // with a line end as delimiter.
  static Result<UnloadFormat> Check(const FormatInput& input);

  // "format = 'CSV', compression = 'NONE', max_file_size = '1GB', include_header = 'true'": what
  // stands in WITH (...) after partitioned_by. Options at the service's default that the original
  // does not write are left out.
  std::string ToSql() const;

  // Why batch load can't read such files as they are, one line each; empty where it can. (Gzip is
  // inflated by ts-batchload's copy, and said so.)
  std::vector<std::string> BatchLoadRemarks() const;
};

// What a batch load may separate values by: comma, '|', ';', tab, blank.
// https://docs.aws.amazon.com/timestream/latest/developerguide/batch-load-preparing-data-file.html
bool IsBatchLoadDelimiter(char delimiter);

}  // namespace tsm::unload
