#include "tsm/run/s3_journal.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "tsm/core/text.h"

namespace tsm::run {
namespace {

constexpr std::string_view kFolder = "journal/";
constexpr std::string_view kHeaderName = "header.json";
constexpr std::string_view kSuffix = ".json";
constexpr std::size_t kDigits = 10;
constexpr char kContentType[] = "application/json";

s3::ObjectKey HeaderKey(const std::string& prefix) {
  return s3::ObjectKey(prefix + std::string(kFolder) + std::string(kHeaderName));
}

s3::ObjectKey EntryKey(const std::string& prefix, std::uint64_t sequence) {
  const std::string digits = std::to_string(sequence);
  return s3::ObjectKey(prefix + std::string(kFolder) + std::string(kDigits - digits.size(), '0') +
                       digits + std::string(kSuffix));
}

// The sequence in an entry's key, or nothing where this is the key of no entry.
std::optional<std::uint64_t> SequenceOf(std::string_view name, std::string_view folder) {
  if (!name.starts_with(folder)) return std::nullopt;
  name.remove_prefix(folder.size());
  if (name.size() != kDigits + kSuffix.size() || !name.ends_with(kSuffix)) return std::nullopt;
  const std::string_view digits = name.substr(0, kDigits);
  if (digits.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  const std::optional<std::int64_t> sequence = ParseInt64(digits);
  if (!sequence || *sequence == 0) return std::nullopt;
  return static_cast<std::uint64_t>(*sequence);
}

std::string UriText(const s3::BucketName& bucket, const s3::ObjectKey& key) {
  return OneLine(s3::S3Uri{bucket, key}.str(), 2 * s3::kMaxKeyBytes);
}

// Reads the entry that a listing named.
Result<JournalEntry> ReadEntry(s3::S3Client& s3, const s3::BucketName& bucket,
                               const s3::ObjectSummary& object, std::uint64_t sequence,
                               std::stop_token stop) {
  if (object.size > kMaxJournalLine) {
    return MakeError(ErrorKind::kBadReply, "this has " + WithThousands(object.size) +
                                               " bytes, a journal entry at most " +
                                               WithThousands(kMaxJournalLine));
  }
  Result<std::string> text = s3.GetObject(bucket, object.key, std::nullopt, std::move(stop));
  if (!text) return std::move(text).error();
  Result<JournalEntry> entry = ParseJournalEntry(*text);
  if (entry && entry->sequence != sequence) {
    return MakeError(ErrorKind::kBadReply, "this holds entry " + std::to_string(entry->sequence));
  }
  return entry;
}

}  // namespace

Status S3Journal::PutOnce(const s3::ObjectKey& key, const std::string& text, std::string* there,
                          std::stop_token stop) {
  s3::PutOptions options;
  options.content_type = kContentType;
  options.only_if_absent = true;
  Result<std::string> etag = s3_.PutObject(bucket_, key, text, options, stop);
  if (etag) return Ok();
  if (etag.error().kind != ErrorKind::kAlreadyExists) return std::move(etag).error();
  Result<std::string> found = s3_.GetObject(bucket_, key, std::nullopt, std::move(stop));
  if (!found) return std::move(found).error();
  if (*found == text) return Ok();
  *there = *std::move(found);
  return std::move(etag).error();
}

Status S3Journal::PutHeader(const JournalHeader& header, std::stop_token stop) {
  const Result<std::string> text = ToJson(header);
  if (!text) return text.error();
  const s3::ObjectKey key = HeaderKey(prefix_);
  std::string there;
  Status put = PutOnce(key, *text, &there, std::move(stop));
  if (put) return put;
  if (put.error().kind != ErrorKind::kAlreadyExists) {
    return std::move(put).error().With("beginning the run's journal in S3");
  }
  const Result<JournalHeader> other = ParseJournalHeader(there);
  return MakeError(ErrorKind::kInTheWay,
                   UriText(bucket_, key) +
                       (other ? " belongs to run " + OneLine(other->run_id, 80) +
                                    " with the plan '" + OneLine(other->plan, 300) + "'"
                              : std::string(" is no journal of a run")) +
                       ": keep this run's state elsewhere");
}

Status S3Journal::Put(const JournalEntry& entry, std::stop_token stop) {
  const std::uint64_t sequence = entry.sequence + offset_;
  if (entry.sequence == 0 || sequence > kMaxS3Sequence || sequence < offset_) {
    return MakeError(ErrorKind::kInvalidInput, "a journal entry in S3 needs a sequence from 1 to " +
                                                   std::to_string(kMaxS3Sequence) + ", this has " +
                                                   std::to_string(sequence));
  }
  JournalEntry stored = entry;
  stored.sequence = sequence;
  const Result<std::string> text = ToJson(stored);
  if (!text) return text.error();
  const s3::ObjectKey key = EntryKey(prefix_, sequence);
  std::string there;
  Status put = PutOnce(key, *text, &there, std::move(stop));
  if (put) return put;
  if (put.error().kind != ErrorKind::kAlreadyExists) {
    return std::move(put).error().With("writing the run's journal to S3");
  }
  return MakeError(ErrorKind::kInTheWay,
                   UriText(bucket_, key) +
                       " was written by another process: this run is being worked on elsewhere");
}

Result<FetchedJournal> S3Journal::Fetch(s3::S3Client& s3, const s3::BucketName& bucket,
                                        const std::string& prefix, const Journal::Visitor& visit,
                                        std::stop_token stop) {
  const s3::ObjectKey header_key = HeaderKey(prefix);
  const Result<std::string> text = s3.GetObject(bucket, header_key, std::nullopt, stop);
  if (!text) return text.error().With("reading the run's journal in S3");
  Result<JournalHeader> header = ParseJournalHeader(*text);
  if (!header) return std::move(header).error().With(UriText(bucket, header_key));

  FetchedJournal fetched{.header = *std::move(header)};
  const std::string folder = prefix + std::string(kFolder);
  Status shown = Ok();
  const auto show = [&](const s3::ObjectSummary& object) {
    const std::optional<std::uint64_t> sequence = SequenceOf(object.key.str(), folder);
    if (!sequence) return true;
    const Result<JournalEntry> entry = ReadEntry(s3, bucket, object, *sequence, stop);
    if (entry && *sequence <= fetched.last_sequence) {
      shown = MakeError(ErrorKind::kBadReply, "the listing is out of order");
    } else {
      shown = entry ? visit(*entry) : Status(entry.error());
    }
    if (!shown) {
      shown = std::move(shown).error().With(UriText(bucket, object.key));
      return false;
    }
    ++fetched.entries;
    fetched.last_sequence = *sequence;
    return true;
  };
  Status listed = s3.ForEachObject(bucket, folder, show, stop);
  if (!listed) return std::move(listed).error().With("reading the run's journal in S3");
  if (!shown) return std::move(shown).error();
  return fetched;
}

}  // namespace tsm::run
