// Conditional writes, the lock and the journal in S3, deletes in batches, multipart uploads.
#include <algorithm>
#include <chrono>
#include <set>
#include <vector>

#include "judge.h"
#include "tsm/core/clock.h"
#include "tsm/core/random.h"
#include "tsm/run/s3_journal.h"
#include "tsm/run/s3_lock.h"

namespace tsm {
namespace {

Status Wrong(const std::string& what) { return MakeError(ErrorKind::kBadReply, what); }

void JudgeConditions(Judge& judge, s3::S3Client& s3, const s3::BucketName& bucket,
                     const s3::ObjectKey& key) {
  const std::string name = " [" + key.str() + "]";
  judge.Check("PutObject to be changed" + name,
              s3.PutObject(bucket, key, "first", {.only_if_absent = true}, {}));
  const Result<s3::ObjectContent> first = s3.GetObjectContent(bucket, key, {});
  judge.Check<s3::ObjectContent>(
      "GetObject times" + name, first, [](const s3::ObjectContent& content) {
        const s3::ObjectHead& head = content.head;
        if (content.body != "first" || !head.date || !head.last_modified) return false;
        const auto age = *head.date - *head.last_modified;
        return age > -std::chrono::minutes(1) && age < std::chrono::minutes(1);
      });
  if (!first) return;
  const std::string etag = first->head.etag;
  judge.Check<std::string>("PutObject if match" + name,
                           s3.PutObject(bucket, key, "second", {.if_match = etag}, {}),
                           [&](const std::string& got) { return !got.empty() && got != etag; });
  judge.CheckFails("PutObject if match, changed" + name,
                   AsStatus(s3.PutObject(bucket, key, "third", {.if_match = etag}, {})),
                   ErrorKind::kInTheWay);
  judge.CheckFails("DeleteObject if match, changed" + name,
                   s3.DeleteObject(bucket, key, {.if_match = etag}, {}), ErrorKind::kInTheWay);
  const Result<s3::ObjectHead> second = s3.HeadObject(bucket, key, {});
  judge.Check<s3::ObjectHead>("HeadObject times" + name, second, [](const s3::ObjectHead& head) {
    return head.size == 6 && head.date && head.last_modified;
  });
  if (!second) return;
  judge.Check("DeleteObject if match" + name,
              s3.DeleteObject(bucket, key, {.if_match = second->etag}, {}));
  judge.CheckFails("PutObject if match, gone" + name,
                   AsStatus(s3.PutObject(bucket, key, "x", {.if_match = second->etag}, {})),
                   ErrorKind::kNotFound);
}

// The odd keys and more than fit one call, all gone afterwards.
Status DeleteMany(s3::S3Client& s3, const s3::BucketName& bucket) {
  std::vector<s3::ObjectKey> keys;
  keys.reserve(2 * s3::kMaxDeleteKeys);
  for (const char* key : kOddKeys) keys.emplace_back(std::string("many/") + key);
  for (const char* key : {"a&b", "<c>", "quote\"'", "&amp;"}) {
    keys.emplace_back(std::string("many/") + key);
  }
  for (const s3::ObjectKey& key : keys) {
    if (auto put = s3.PutObject(bucket, key, "x", {}, {}); !put) return put.error();
  }
  if (auto put = s3.PutObject(bucket, s3::ObjectKey("many"), "stays", {}, {}); !put) {
    return put.error();
  }
  // Keys that are not there count as deleted, and make a second call.
  for (int i = 0; i < 1000; ++i) keys.emplace_back("many/none-" + std::to_string(i));
  const auto failures = s3.DeleteObjects(bucket, keys, {});
  if (!failures) return failures.error();
  if (!failures->empty()) return Wrong(failures->front().key.str() + failures->front().message);
  std::string left;
  Status listed = s3.ForEachObject(
      bucket, "many", [&](const s3::ObjectSummary& one) { return left += one.key.str(), true; },
      {});
  if (!listed) return listed;
  return left == "many" ? Ok() : Wrong("not deleted, or too much: " + left);
}

Status AbortAll(s3::S3Client& s3, const s3::BucketName& bucket, std::set<std::string>* keys) {
  Status aborted = Ok();
  Status listed = s3.ForEachMultipartUpload(bucket, "",
                                            [&](const s3::MultipartUpload& upload) {
                                              keys->insert(upload.key.str());
                                              // Twice: the second finds none, which is as well.
                                              for (int i = 0; i < 2 && aborted; ++i) {
                                                aborted = s3.AbortMultipartUpload(
                                                    bucket, upload.key, upload.upload_id, {});
                                              }
                                              return aborted.has_value();
                                            },
                                            {});
  return aborted ? listed : aborted;
}

Result<std::unique_ptr<run::S3Lock>> Lock(s3::S3Client& s3, const s3::BucketName& bucket,
                                          const Clock& clock, const std::string& id) {
  return run::S3Lock::Acquire(s3, bucket, "state/", {.host = "judge", .pid = 1, .id = id}, clock,
                              {});
}

void JudgeLock(Judge& judge, s3::S3Client& s3, const s3::BucketName& bucket) {
  const SystemClock clock;
  const auto lock = Lock(s3, bucket, clock, "one");
  judge.Check("lock", lock);
  judge.CheckFails("lock of another", AsStatus(Lock(s3, bucket, clock, "two")),
                   ErrorKind::kInTheWay);
  judge.Check("lock taken up again", Lock(s3, bucket, clock, "one"));
  if (lock) judge.Check("unlock", (*lock)->Release({}));
}

Status PutAndFetchJournal(s3::S3Client& s3, const s3::BucketName& bucket) {
  run::S3Journal journal(s3, bucket, "state/");
  JournalHeader header;
  header.tool = "judge";
  header.run_id = "r";
  header.fingerprint = "f";
  if (Status put = journal.PutHeader(header, {}); !put) return put;
  for (const std::uint64_t sequence : {12U, 3U}) {
    JournalEntry entry;
    entry.kind = "attempt";
    entry.fields = {{"sql", "SELECT 'ü\n'"}};
    entry.sequence = sequence;
    if (Status put = journal.Put(entry, {}); !put) return put;
    if (Status again = journal.Put(entry, {}); !again) return again;
  }
  std::string seen;
  const auto fetched = run::S3Journal::Fetch(s3, bucket, "state/",
                                             [&](const JournalEntry& entry) {
                                               seen += std::to_string(entry.sequence) +
                                                       std::string(entry.Field("sql")) + ";";
                                               return Ok();
                                             },
                                             {});
  if (!fetched) return fetched.error();
  return seen == "3SELECT 'ü\n';12SELECT 'ü\n';" ? Ok() : Wrong(seen);
}

}  // namespace

void JudgeState(Judge& judge, s3::S3Client& s3, const s3::BucketName& bucket) {
  for (const char* key : kOddKeys) JudgeConditions(judge, s3, bucket, s3::ObjectKey(key));
  judge.Check("DeleteObjects", DeleteMany(s3, bucket));
  std::set<std::string> keys;
  judge.Check("AbortMultipartUpload", AbortAll(s3, bucket, &keys));
  for (const std::string& key : keys) judge.Check("ListMultipartUploads [" + key + "]", Ok());
  keys.clear();
  judge.Check("ListMultipartUploads after all were aborted", AbortAll(s3, bucket, &keys));
  judge.Check("no upload is left", keys.empty() ? Ok() : Wrong(*keys.begin()));
  JudgeLock(judge, s3, bucket);
  judge.Check("journal", PutAndFetchJournal(s3, bucket));
}

}  // namespace tsm
