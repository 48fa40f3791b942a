#include "leftovers.h"

#include <algorithm>
#include <utility>

#include "attempt_files.h"
#include "tsm/core/text.h"
#include "tsm/core/time_text.h"
#include "tsm/run/manifest.h"
#include "tsm/unload/unload_proof.h"

namespace tsm::unload {

namespace {

// An UNLOAD ends after an hour at the latest.
// https://docs.aws.amazon.com/timestream/latest/developerguide/export-unload-limits.html
constexpr std::chrono::nanoseconds kLongestQuery = std::chrono::hours(1);

bool LeavesFiles(const Attempt& attempt) {
  return !attempt.cleaned &&
         (attempt.state == Attempt::State::kFailed || attempt.state == Attempt::State::kReplaced);
}

std::string PlaceOf(const Attempt& attempt) {
  if (!attempt.flat) return "s3://" + attempt.to.bucket.str() + "/" + attempt.folder();
  return "s3://" + attempt.to.bucket.str() + "/" + attempt.results_prefix() +
         (attempt.query_id.empty() ? " (QueryId unknown)" : "…" + attempt.query_id + "_…");
}

// A query that was seen to fail, or that the service was told to cancel, writes nothing any more;
// of one that was only given up that is not known.
bool MayStillWrite(const Attempt& attempt, UnixNanos now) {
  return attempt.state == Attempt::State::kReplaced && attempt.query_id.empty() &&
         now - attempt.started < kLongestQuery.count();
}

// Beside the destination itself nothing may be deleted without a QueryId: what may be this
// attempt's is named. Nothing else can lie there, for a flat attempt begins where there is nothing,
// and only as the first one of its slice.
void NameFlatFiles(RunContext& context, const Attempt& attempt, std::vector<std::string>& left) {
  constexpr std::size_t kMaxNamed = 10;
  std::size_t count = 0;
  Status listed = context.services.s3.ForEachObject(
      attempt.to.bucket, attempt.results_prefix(),
      [&](const s3::ObjectSummary& object) {
        const std::string& key = object.key.str();
        const std::string_view rest = std::string_view(key).substr(attempt.results_prefix().size());
        const bool nested = IsAttemptFolder(rest.substr(0, std::min(rest.find('/'), rest.size())));
        if (nested || !run::IsDataFile(key)) return true;
        if (++count <= kMaxNamed) {
          left.push_back("no record vouches for " + s3::S3Uri{attempt.to.bucket, object.key}.str() +
                         ", of an UNLOAD whose QueryId was never known: delete it");
        }
        return true;
      },
      context.stop());
  if (!listed) left.push_back("not looked through: " + PlaceOf(attempt));
  if (count > kMaxNamed) {
    left.push_back("and " + WithThousands(count - kMaxNamed) + " more such files below " +
                   PlaceOf(attempt));
  }
}

void Sweep(RunContext& context, const SliceRef& ref, const Attempt& attempt, bool last,
           std::vector<std::string>& left) {
  if (context.conduct.settings.keep_partial) {
    if (last) left.push_back("kept: files of a failed attempt below " + PlaceOf(attempt));
    return;
  }
  Result<Cleaned> cleaned = CleanAttempt(attempt, context.services, context.stop());
  if (!cleaned) {
    left.push_back("not cleaned: " + PlaceOf(attempt) + " (" + cleaned.error().Text() + ")");
    return;
  }
  if (cleaned->deleted > 0) {
    context.services.progress.Info("deleted " + WithThousands(cleaned->deleted) +
                                   (cleaned->deleted == 1 ? " object" : " objects") +
                                   " of an attempt that does not count below " + PlaceOf(attempt));
  }
  for (const std::string& remaining : cleaned->remaining) left.push_back("left: " + remaining);
  if (last && attempt.flat && attempt.query_id.empty()) NameFlatFiles(context, attempt, left);
  if (MayStillWrite(attempt, context.Now())) {
    left.push_back("an UNLOAD whose start was never confirmed may write below " + PlaceOf(attempt) +
                   " until " + FormatTimestamp(attempt.started + kLongestQuery.count()) +
                   "; no record names what it writes, delete it then");
    return;
  }
  // A table's last sweep is long enough after the last failure for what the service still had in
  // its hands to have come; only then is it written down.
  if (last && cleaned->remaining.empty()) (void)context.ledger.CleanedAttempt(ref, attempt.id);
}

}  // namespace

void SweepSlice(RunContext& context, const SliceRef& ref) {
  const SliceState slice = context.ledger.Slice(ref);
  std::vector<std::string> left;  // told by the last sweep
  for (const Attempt& attempt : slice.attempts) {
    if (LeavesFiles(attempt)) Sweep(context, ref, attempt, /*last=*/false, left);
  }
}

std::vector<std::string> SweepTable(RunContext& context, std::size_t table) {
  std::vector<std::pair<SliceRef, Attempt>> found;
  context.ledger.Look([&](const UnloadState& state) {
    for (const auto& [id, slice] : state.table(table).slices) {
      for (const Attempt& attempt : slice.attempts) {
        if (LeavesFiles(attempt)) found.emplace_back(SliceRef{table, id}, attempt);
      }
    }
  });
  std::vector<std::string> left;
  for (const auto& [ref, attempt] : found) Sweep(context, ref, attempt, /*last=*/true, left);
  return left;
}

}  // namespace tsm::unload
