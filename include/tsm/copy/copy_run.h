// Copies files from bucket to bucket: inside S3 by CopyObject, in parts by UploadPartCopy where
// they are large, or through this machine where one principal can't read and write both sides or
// where gzip is inflated on the way. Many at once; S3's answers (SlowDown) lower and raise how
// many. A file that can't be copied fails alone; the others go on. Constant memory: files come from
// a feed and are not kept. Blocks; its threads end before it returns.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tsm/core/clock.h"
#include "tsm/core/progress.h"
#include "tsm/core/random.h"
#include "tsm/core/result.h"
#include "tsm/run/file_spool.h"
#include "tsm/s3/s3_client.h"

namespace tsm::copy {

struct CopyOptions {
  s3::BucketName source_bucket;
  s3::BucketName target_bucket;
  std::size_t concurrency = 64;  // requests at once, of all files together, at first
  // Raised to that while S3 never asks to slow down; less than `concurrency`: not raised. Only
  // whole copies inside S3 are so many at once; parts, and what is streamed, have a thread each.
  std::size_t most_concurrency = 0;
  std::uint64_t part_bytes = 524'288'000;  // files above it are copied in parts of this size
  bool streamed = false;                   // through this machine: two principals
  bool inflate = false;                    // gzip to CSV; implies streamed
  std::size_t stream_workers = 4;          // files at once where streamed
  std::uint64_t stream_part_bytes = 16ULL * 1024 * 1024;
  std::uint64_t inflated_file_bytes = 1'000'000'000;  // a new object from here on
  // How the gzip files' CSV was written; equal ones: quotes are doubled, nothing else is escaped.
  char csv_quote = '"';
  char csv_escape = '\\';
  // Of the copies: "" as the target bucket's default, else "AES256" or "aws:kms".
  std::string encryption;
  std::string kms_key_id;                  // with aws:kms; "" the account's aws/s3 key
  bool bucket_owner_full_control = false;  // ACL: the bucket is another account's
  // A file whose copy was throttled or met passing failures is tried again, at a lower rate, until
  // nothing at all has moved for this long.
  std::chrono::nanoseconds give_up_after = std::chrono::hours(24);
};

// What a file has become. Not inflated: one object of the file's size.
struct CopiedFile {
  std::uint32_t objects = 1;  // inflated: named by InflatedKey(target, 0 … objects - 1)
  std::uint64_t bytes = 0;
  std::optional<std::uint64_t> rows;  // of inflated ones: counted
  bool was_there = false;             // an equal copy lay there already
};

// "…/x.csv.gz" or "….gz" -> "…/x-0001.csv": the objects of an inflated file.
s3::ObjectKey InflatedKey(const s3::ObjectKey& target, std::uint32_t object);

// What a streamed copy holds at most, in bytes, the program itself included; for people.
std::uint64_t StreamedMemory(const CopyOptions& options);

// Where files come from, in the order of their targets. Called by one thread at a time.
class FileFeed {
 public:
  virtual ~FileFeed() = default;
  virtual Result<std::optional<run::SpooledFile>> Next() = 0;
};

// The run's memory of its copies. Thread-safe. An error of any of these ends the run.
class CopyBook {
 public:
  virtual ~CopyBook() = default;
  // Copied before, by this run's own journal.
  virtual bool IsCopied(const run::SpooledFile& file) = 0;
  virtual Status Copied(const run::SpooledFile& file, const CopiedFile& copied) = 0;
  // A multipart upload begins or is over (completed or aborted); on the disk when it returns.
  virtual Status UploadStarted(const s3::ObjectKey& key, const std::string& upload_id) = 0;
  virtual Status UploadEnded(const s3::ObjectKey& key, const std::string& upload_id) = 0;
};

struct CopyFailure {
  run::SpooledFile file;
  Error error;
};

struct CopySummary {
  std::uint64_t files = 0;  // of the feed that are now copied
  std::uint64_t bytes = 0;
  std::uint64_t were_there = 0;  // of them not copied again
  std::uint64_t failed = 0;
  std::vector<CopyFailure> failures;  // the first hundred
  std::chrono::nanoseconds duration{0};
  bool interrupted = false;
  // What would have failed every further copy alike (credentials, the journal): the run ended.
  std::optional<Error> fatal;
};

struct CopyServices {
  s3::S3Client& source;  // whose credentials read
  s3::S3Client& target;  // whose credentials write (and, unless streamed, read too)
  const Clock& clock;
  Random& random;
  ProgressSink& sink;
  std::function<Status()>
      tick;  // now and then, from any thread: what keeps a lock alive; may be null
};

struct CopyInterrupts {
  std::stop_token drain;  // no new file is begun
  std::stop_token stop;   // what is under way is given up
};

// Totals for the progress line; 0: not known.
struct CopyTotals {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};

// Looked at before the first copy, by one listing of the target prefix merged with the feed.
struct TargetLook {
  std::uint64_t equal = 0;                // files whose copy lies there, equal in size and ETag
  std::uint64_t different = 0;            // lies there, but not (comparably) equal: copied again
  std::uint64_t foreign = 0;              // objects that are no file's copy
  std::vector<std::string> foreign_keys;  // the first of them
  std::vector<bool> there;                // by the feed's order: equal
  // Files that the book has as copied, but that do not lie there, or not with their size. RunCopy
  // believes the book: let it forget what is to be copied again.
  std::uint64_t lost = 0;
  std::vector<std::string> lost_keys;  // the first of them
};
// `prefixes`: below which foreign objects count (the groups' prefixes), sorted; the listing is of
// `listed_prefix`. Folder markers of the S3 console (empty, '/' at the end) do not count.
Result<TargetLook> LookAtTarget(s3::S3Client& target, const CopyOptions& options,
                                const std::string& listed_prefix,
                                const std::vector<std::string>& prefixes, FileFeed& feed,
                                CopyBook& book, std::stop_token stop);

// `there`: of LookAtTarget; those files are booked as copied without a request. `failed` is told of
// each file that gave up, one at a time, for CopySummary keeps only the first.
CopySummary RunCopy(const CopyOptions& options, FileFeed& feed, const std::vector<bool>& there,
                    CopyBook& book, const CopyServices& services, const CopyTotals& totals,
                    const std::function<void(const CopyFailure&)>& failed,
                    const CopyInterrupts& interrupts);

// A multipart upload of an earlier process: the book knows it as started and not as ended.
struct LeftUpload {
  s3::ObjectKey key;
  std::string upload_id;
};
// Aborts them and books that; what can't be aborted stays in the book, and the first reason is
// given once all were tried. An upload that is no longer there counts as aborted.
Status AbortLeftUploads(s3::S3Client& target, const s3::BucketName& bucket,
                        const std::vector<LeftUpload>& uploads, CopyBook& book,
                        std::stop_token stop);

// The proof: one listing of the target prefix merged with the feed; what is missing or of another
// size, a line each (the first hundred). Inflated files are proven by their objects' summed bytes.
Result<std::vector<std::string>> ProveCopies(
    s3::S3Client& target, const CopyOptions& options, const std::string& listed_prefix,
    FileFeed& feed, const std::function<std::optional<CopiedFile>(const run::SpooledFile&)>& copied,
    std::stop_token stop);

}  // namespace tsm::copy
