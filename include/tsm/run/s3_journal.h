// The journal of a run with `--state s3`, as far as another machine needs it to go on: S3 cannot
// append, so each entry is an object of its own, `<prefix>journal/<sequence>.json`, put before the
// effect that it announces goes out. Entries that need not outlive the machine (Durability::
// kGrouped) are not put, so sequences have gaps. The run holds its S3Lock while it writes here.
// Thread-safe; the S3Client is the caller's and outlives it.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

#include "tsm/core/journal.h"
#include "tsm/core/result.h"
#include "tsm/s3/s3_client.h"

namespace tsm::run {

// Ten digits name an entry, so that S3's key order is the order of the sequences.
inline constexpr std::uint64_t kMaxS3Sequence = 9'999'999'999;

// What Fetch found beside the entries that it showed.
struct FetchedJournal {
  JournalHeader header;
  std::uint64_t entries = 0;
  std::uint64_t last_sequence = 0;  // 0 where there are no entries
};

class S3Journal {
 public:
  // `prefix` is that of the run's state, with its '/'. `offset` is added to every entry's sequence:
  // a run that goes on here with a local journal of `n` entries passes last_sequence - n where that
  // is more than 0, so that no object is written twice.
  S3Journal(s3::S3Client& s3, s3::BucketName bucket, std::string prefix, std::uint64_t offset = 0)
      : s3_(s3), bucket_(std::move(bucket)), prefix_(std::move(prefix)), offset_(offset) {}

  // `<prefix>journal/header.json`. kInTheWay: another run's is there, named. kInvalidInput as
  // ToJson's.
  Status PutHeader(const JournalHeader& header, std::stop_token stop);

  // An entry that the local journal has given its sequence. What is there already and the same is a
  // success; kInTheWay: another entry is there, so another process writes this journal and the
  // effect must not follow, as after any error. kInvalidInput as ToJson's, or a sequence that is 0
  // or over kMaxS3Sequence.
  Status Put(const JournalEntry& entry, std::stop_token stop);

  // Shows every entry in ascending sequence, offsets included; holds one page of names and one
  // entry at a time. kNotFound: there is no header, so no run. kBadReply: an object is not what its
  // name says. What `visit` returns ends it, with the object's name. Names of another form are left
  // alone.
  static Result<FetchedJournal> Fetch(s3::S3Client& s3, const s3::BucketName& bucket,
                                      const std::string& prefix, const Journal::Visitor& visit,
                                      std::stop_token stop);

 private:
  // kAlreadyExists where another text is there; `there` is then that text.
  Status PutOnce(const s3::ObjectKey& key, const std::string& text, std::string* there,
                 std::stop_token stop);

  s3::S3Client& s3_;
  const s3::BucketName bucket_;
  const std::string prefix_;
  const std::uint64_t offset_;
};

}  // namespace tsm::run
