#include "ts_unload/s3_state.h"

#include <utility>
#include <vector>

#include "ts_unload/stored_unload.h"
#include "tsm/run/state_dir.h"

namespace tsm::apps {

namespace {

constexpr const char* kLockName = "lock";  // as s3_lock.h has it

Result<std::unique_ptr<run::S3Lock>> TakeLock(const S3StatePlace& place, std::stop_token stop) {
  return run::S3Lock::Acquire(place.s3, place.bucket, place.prefix, run::ThisProcess(place.random),
                              place.clock, std::move(stop));
}

s3::ObjectKey PlanKey(const S3StatePlace& place) {
  return s3::ObjectKey(place.prefix + kPlanFileName);
}

}  // namespace

Result<std::unique_ptr<S3State>> S3State::Begin(const S3StatePlace& place,
                                                const std::string& plan_text,
                                                const JournalHeader& header, std::stop_token stop) {
  Result<std::unique_ptr<run::S3Lock>> lock = TakeLock(place, stop);
  if (!lock) return lock.error();
  std::unique_ptr<S3State> state(new S3State(*std::move(lock), place, 0));
  s3::PutOptions options;
  options.content_type = "application/json";
  Result<std::string> put =
      place.s3.PutObject(place.bucket, PlanKey(place), plan_text, options, stop);
  if (!put) return put.error().With("writing the plan beside the data");
  if (Status begun = state->journal_.PutHeader(header, stop); !begun) return begun.error();
  return state;
}

Result<std::unique_ptr<S3State>> S3State::TakeOver(const S3StatePlace& place,
                                                   const std::filesystem::path& directory,
                                                   std::stop_token stop) {
  Result<std::string> plan = place.s3.GetObject(place.bucket, PlanKey(place), std::nullopt, stop);
  if (!plan) return plan.error().With("reading the plan beside the data");
  Result<std::unique_ptr<run::S3Lock>> lock = TakeLock(place, stop);
  if (!lock) return lock.error();

  // The file is made whole before it takes the place of what was there.
  std::string text;
  std::uint64_t entries = 0;
  Result<run::FetchedJournal> fetched = run::S3Journal::Fetch(
      place.s3, place.bucket, place.prefix,
      [&](const JournalEntry& entry) -> Status {
        JournalEntry numbered = entry;  // S3 may have gaps, a file has none
        numbered.sequence = ++entries;
        Result<std::string> line = ToJson(numbered);
        if (!line) return line.error();
        text += *line + "\n";
        return Ok();
      },
      stop);
  if (!fetched) return fetched.error().With("reading the journal beside the data");
  Result<std::string> header = ToJson(fetched->header);
  if (!header) return header.error();
  Status written = run::WriteFileDurably(directory / kPlanFileName, *plan);
  if (written) {
    written = run::WriteFileDurably(directory / kJournalFileName, *header + "\n" + text);
  }
  if (!written) return written.error();
  const std::uint64_t offset =
      fetched->last_sequence > entries ? fetched->last_sequence - entries : 0;
  return std::unique_ptr<S3State>(new S3State(*std::move(lock), place, offset));
}

Status S3State::Put(const JournalEntry& entry, std::stop_token stop) {
  return journal_.Put(entry, std::move(stop));
}

Status S3State::Discard(std::stop_token stop) {
  std::vector<s3::ObjectKey> keys;
  Status listed = place_.s3.ForEachObject(
      place_.bucket, place_.prefix,
      [&](const s3::ObjectSummary& object) {
        if (object.key.str() != place_.prefix + kLockName) keys.push_back(object.key);
        return keys.size() < s3::kMaxDeleteKeys;
      },
      stop);
  if (!listed) return listed;
  const auto failures = place_.s3.DeleteObjects(place_.bucket, keys, stop);
  return failures ? Ok() : Status(failures.error());
}

void S3State::Release() { (void)lock_->Release(std::stop_token()); }

}  // namespace tsm::apps
