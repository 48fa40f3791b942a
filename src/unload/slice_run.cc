#include "slice_run.h"

#include <algorithm>
#include <utility>

#include "tsm/core/text.h"
#include "tsm/core/time_text.h"
#include "tsm/unload/unload_proof.h"
#include "tsm/unload/unload_statement.h"

namespace tsm::unload {

namespace {

using std::chrono::minutes;

// "A pagination token can be used … for a duration of up to 1 hour"; some minutes less, for this
// clock is not the service's.
// https://docs.aws.amazon.com/timestream/latest/developerguide/API_query_Query.html
constexpr std::chrono::nanoseconds kTokenLife = minutes(55);
// "If you submit a Query request with the same client token outside of the 5-minute idempotency
// window" it is refused.
constexpr std::chrono::nanoseconds kClientTokenLife = minutes(4);
// So long after its first call a refusal may be of the client token.
constexpr std::chrono::nanoseconds kMayBeRepeated = std::chrono::seconds(30);
constexpr std::size_t kMaxUnknownFailures = 2;  // of one slice, before it is split or given up
constexpr std::size_t kMaxUnknownSplits = 3;    // one in another
// A year in pieces of two hours, a day in pieces of 20 s: what is too large then is no matter of
// size.
constexpr std::size_t kMaxSplits = 12;
constexpr std::size_t kMaxAttempts = 50;  // of one slice: something is wrong beyond luck
// In a row, half a minute: the service then has nothing to say of this query, but may of another.
constexpr std::size_t kMaxSetbacks = 5;

// Since the last retry, without those of which it is not known whether the service ever took them:
// a service that throttles for hours is a matter of --give_up_after alone.
std::size_t TakenAttempts(const SliceState& slice) {
  const auto first = slice.attempts.begin() + static_cast<std::ptrdiff_t>(slice.forgiven);
  return static_cast<std::size_t>(
      std::count_if(first, slice.attempts.end(), [](const Attempt& attempt) {
        return !attempt.query_id.empty() || attempt.state != Attempt::State::kReplaced;
      }));
}

}  // namespace

SliceRun::SliceRun(RunContext& context, SliceRef ref, bool may_be_flat, std::size_t setbacks)
    : context_(context), ref_(std::move(ref)), may_be_flat_(may_be_flat), setbacks_(setbacks) {}

Result<SliceOutcome> SliceRun::Execute() {
  const SliceState slice = context_.ledger.Slice(ref_);
  if (const Attempt* open = slice.open()) return PickUp(*open);
  return Start();
}

// Contracts 3: adopt, go on paging, repeat the first call, or else a new attempt under a new
// prefix, to which a late writer of the old one can do no harm.
Result<SliceOutcome> SliceRun::PickUp(const Attempt& attempt) {
  taken_up_ = true;
  Result<std::optional<SliceOutcome>> adopted = Adopt(attempt);
  if (!adopted) return adopted.error();
  if (*adopted) return **adopted;
  const UnixNanos now = context_.Now();
  UnloadCall call{SqlOf(attempt), attempt.client_token, attempt.next_token, attempt.query_id};
  if (!attempt.next_token.empty() && now - attempt.next_token_at < kTokenLife.count()) {
    return Follow(attempt, std::move(call));
  }
  call.next_token.clear();
  if (attempt.query_id.empty() && now - attempt.started < kClientTokenLife.count()) {
    if (!context_.starts.Acquire(context_.drain())) return SliceOutcome::kStopped;
    return Follow(attempt, std::move(call));
  }
  return Replace(attempt, attempt.query_id.empty() ? "whether the service took it is not known"
                                                   : "its pages can't be followed any more");
}

// Nothing where there is no complete manifest, or one that its objects do not bear out.
Result<std::optional<SliceOutcome>> SliceRun::Adopt(const Attempt& attempt) {
  using Adopted = std::optional<SliceOutcome>;
  Result<std::optional<FoundManifest>> found =
      FindManifest(attempt, context_.services, context_.stop());
  if (!found) {
    Result<SliceOutcome> after = AfterFailure(attempt, UnloadCall{}, found.error());
    if (!after) return after.error();
    return Adopted(*after);
  }
  if (!*found) return Adopted();
  const UnloadReply reply{0, (*found)->uri};
  Result<SliceDone> done = Check(attempt, (*found)->query_id, reply, /*rows_are_replied=*/false);
  if (!done) {
    if (done.error().kind != ErrorKind::kProof) return done.error();
    context_.services.progress.Warn("the manifest " + (*found)->uri +
                                    " is not adopted: " + done.error().message);
    return Adopted();
  }
  context_.services.progress.Info("slice " + ref_.slice +
                                  " was finished meanwhile: " + (*found)->uri);
  Result<SliceOutcome> finished = Finish(*done);
  if (!finished) return finished.error();
  return Adopted(*finished);
}

Status SliceRun::Cancel(const Attempt& attempt) {
  if (attempt.query_id.empty()) return Ok();
  // With no stop of its own: the run's is what may have brought us here.
  Status cancelled = context_.services.query.CancelQuery(attempt.query_id, std::stop_token());
  if (!cancelled) {
    context_.services.progress.Warn("query " + attempt.query_id +
                                    " could not be cancelled: " + cancelled.error().Text());
  }
  return cancelled;
}

Result<SliceOutcome> SliceRun::Replace(const Attempt& attempt, const std::string& note) {
  (void)Cancel(attempt);
  return Supersede(attempt, note);
}

Result<SliceOutcome> SliceRun::Supersede(const Attempt& attempt, const std::string& note) {
  // It may have ended just before it was cancelled.
  Result<std::optional<SliceOutcome>> adopted = Adopt(attempt);
  if (!adopted) return adopted.error();
  if (*adopted) return **adopted;
  if (Status written = context_.ledger.ReplaceAttempt(ref_, attempt.id, note); !written) {
    return written.error();
  }
  context_.progress.AttemptEnded(ref_, attempt.id, "replaced", note);
  // Of one that the service may never have taken nothing is heard: --give_up_after goes on.
  moved_ = moved_ || !attempt.query_id.empty();
  return Start();
}

Attempt SliceRun::NewAttempt() {
  const TablePlan& table = context_.table(ref_);
  const SliceState slice = context_.ledger.Slice(ref_);
  Attempt attempt;
  attempt.id = context_.services.random.Uuid().substr(0, 6);
  attempt.client_token = context_.services.random.Uuid();
  attempt.flat = may_be_flat_ && slice.attempts.empty() && slice.slice.part.empty();
  attempt.to = attempt.flat ? table.destination
                            : s3::S3Uri{table.destination.bucket,
                                        s3::ObjectKey(table.results_prefix() +
                                                      AttemptFolder(ref_.slice, attempt.id))};
  return attempt;
}

Result<SliceOutcome> SliceRun::Start() {
  taken_up_ = false;
  const SliceState slice = context_.ledger.Slice(ref_);
  if (TakenAttempts(slice) >= kMaxAttempts) {
    return GiveUp("gave up after " + std::to_string(kMaxAttempts) + " attempts", /*proof=*/false);
  }
  if (!context_.starts.Acquire(context_.drain())) return SliceOutcome::kStopped;
  const Attempt attempt = NewAttempt();
  const std::string sql = SqlOf(attempt);
  if (Status announced = context_.ledger.StartAttempt(ref_, attempt, sql); !announced) {
    return announced.error();
  }
  context_.progress.SliceStarted(ref_, attempt);
  return Follow(attempt, UnloadCall{sql, attempt.client_token, "", ""});
}

Result<SliceOutcome> SliceRun::Follow(const Attempt& attempt, UnloadCall call) {
  Result<UnloadReply> reply = FollowUnload(
      context_.services.query, context_.services.clock, call,
      [&](const timestream::QueryPage& page) { return SeePage(attempt.id, page); },
      context_.stop());
  const SliceState slice = context_.ledger.Slice(ref_);
  const Attempt* now = slice.open();
  if (now == nullptr) return SliceOutcome::kStopped;  // the ledger refused an entry: the run ends
  if (!reply) {
    // A query that failed for want of a permission says so whenever it is asked, also once the
    // permission is there.
    if (taken_up_ && reply.error().kind == ErrorKind::kAccessDenied) {
      return Replace(*now, reply.error().message);
    }
    call.next_token = now->next_token;
    return AfterFailure(*now, call, reply.error());
  }
  return Prove(*now, now->query_id, *reply);
}

Status SliceRun::SeePage(const std::string& attempt_id, const timestream::QueryPage& page) {
  moved_ = true;
  const SliceState slice = context_.ledger.Slice(ref_);
  const Attempt* attempt = slice.open();
  if (attempt != nullptr && attempt->query_id.empty()) {
    if (Status taken = context_.ledger.TookQuery(ref_, attempt_id, page.query_id); !taken) {
      return taken;
    }
    context_.starts.SpeedUp();
    context_.progress.QueryKnown(ref_, attempt_id, page.query_id);
  }
  if (!page.next_token.empty()) {
    const auto scanned =
        static_cast<std::uint64_t>(std::max<std::int64_t>(page.status.bytes_scanned, 0));
    const double percent = page.status.progress_percentage;
    if (Status seen = context_.ledger.SawPage(ref_, attempt_id, page.next_token, percent, scanned);
        !seen) {
      return seen;
    }
    context_.progress.SliceProgress(ref_, attempt_id, percent, scanned);
  }
  return context_.Tick();
}

Result<SliceOutcome> SliceRun::AfterFailure(const Attempt& attempt, const UnloadCall& call,
                                            const Error& error) {
  last_trouble_ = error.Text();
  switch (error.kind) {
    case ErrorKind::kCancelled:
      return AfterStop(attempt);
    case ErrorKind::kQueryFailed:
      return AfterQueryFailure(attempt, error);
    case ErrorKind::kValidation:
      return AfterRefusal(attempt, call, error);
    case ErrorKind::kThrottled:
    case ErrorKind::kTransient:
    case ErrorKind::kQuotaExceeded:
      return AfterPassing(attempt, error);
    default:
      return Error(error).With("unloading slice " + ref_.slice + " of " +
                               context_.table(ref_).table().str());
  }
}

Result<SliceOutcome> SliceRun::AfterStop(const Attempt& attempt) {
  if (!context_.cancels_queries() || attempt.query_id.empty()) return SliceOutcome::kStopped;
  if (!Cancel(attempt)) return SliceOutcome::kStopped;
  const std::string note = "cancelled by the operator";
  if (Status failed = context_.ledger.FailAttempt(ref_, attempt.id, note); !failed) {
    return failed.error();
  }
  context_.progress.AttemptEnded(ref_, attempt.id, "cancelled", note);
  return SliceOutcome::kStopped;
}

Result<SliceOutcome> SliceRun::EndAttempt(const Attempt& attempt, const std::string& note,
                                          SliceOutcome outcome) {
  if (Status failed = context_.ledger.FailAttempt(ref_, attempt.id, note); !failed) {
    return failed.error();
  }
  context_.progress.AttemptEnded(ref_, attempt.id, "failed", note);
  moved_ = true;
  return outcome;
}

Result<SliceOutcome> SliceRun::AfterQueryFailure(const Attempt& attempt, const Error& error) {
  const FailureCause cause = CauseOf(error);
  if (IsTooLarge(cause)) return Split(attempt, cause, error.message);
  if (cause == FailureCause::kS3Throttling) {
    context_.starts.SlowDown();
    return EndAttempt(attempt, error.message, SliceOutcome::kAgain);
  }
  if (FailedAttempts() + 1 < kMaxUnknownFailures) {
    return EndAttempt(attempt, error.message, SliceOutcome::kAgain);
  }
  if (context_.ledger.Slice(ref_).slice.part.size() < kMaxUnknownSplits) {
    return Split(attempt, cause, error.message);
  }
  Result<SliceOutcome> ended = EndAttempt(attempt, error.message, SliceOutcome::kFailed);
  if (!ended) return ended;
  return GiveUp(error.Text(), /*proof=*/false);
}

// A refused first call was not taken; a refused later page says that its token is of no use any
// more, not that the query has ended.
Result<SliceOutcome> SliceRun::AfterRefusal(const Attempt& attempt, const UnloadCall& call,
                                            const Error& error) {
  const FailureCause cause = CauseOf(error);
  if (IsTooLarge(cause)) return Split(attempt, cause, error.message);
  if (!call.next_token.empty()) return Replace(attempt, error.message);
  // Only an attempt taken up again can have a client token that is too old.
  const bool repeated = context_.Now() - attempt.started > kMayBeRepeated.count();
  if (repeated && attempt.query_id.empty()) return Replace(attempt, error.message);
  Result<SliceOutcome> ended = EndAttempt(attempt, error.message, SliceOutcome::kStopped);
  if (!ended) return ended;
  const std::string& where = context_.table(ref_).select.where;
  return Error(error).With("starting the UNLOAD of slice " + ref_.slice +
                           (where.empty() ? "" : ", --where " + OneLine(where, 200)));
}

// A query that the service can cancel but not tell of has failed in a way that it does not say.
Result<SliceOutcome> SliceRun::AfterPassing(const Attempt& attempt, const Error& error) {
  const bool throttled = error.kind != ErrorKind::kTransient;
  if (throttled) context_.starts.SlowDown();
  context_.services.progress.Warn("slice " + ref_.slice + " waits: " + error.Text());
  if (!throttled && !moved_ && setbacks_ >= kMaxSetbacks && !attempt.query_id.empty() &&
      Cancel(attempt)) {
    return Supersede(attempt, error.message);
  }
  return SliceOutcome::kAgain;
}

Result<SliceOutcome> SliceRun::Split(const Attempt& attempt, FailureCause cause,
                                     const std::string& note) {
  const SliceState slice = context_.ledger.Slice(ref_);
  const TablePlan& table = context_.table(ref_);
  // Where the limit of partitions was hit more of them hold rows than the survey knew.
  const Survey* survey =
      table.survey && cause != FailureCause::kPartitions ? &*table.survey : nullptr;
  const auto halves = SplitSlice(slice.slice, table.select.partition, survey);
  Result<SliceOutcome> ended = EndAttempt(attempt, note, SliceOutcome::kSplit);
  if (!ended) return ended;
  if (!halves || slice.slice.part.size() >= kMaxSplits) {
    return GiveUp(note + " (and its time, " +
                      FormatDuration(std::chrono::nanoseconds(slice.slice.end - slice.slice.from)) +
                      ", is not split any further)",
                  /*proof=*/false);
  }
  if (Status split = context_.ledger.SplitSlice(ref_, halves->first, halves->second, note);
      !split) {
    return split.error();
  }
  context_.progress.SliceSplit(ref_, halves->first, halves->second, note);
  return SliceOutcome::kSplit;
}

Result<SliceOutcome> SliceRun::Prove(const Attempt& attempt, const std::string& query_id,
                                     const UnloadReply& reply) {
  Result<SliceDone> done = Check(attempt, query_id, reply, /*rows_are_replied=*/true);
  if (done) return Finish(*done);
  const Error& error = done.error();
  if (error.kind != ErrorKind::kProof) return AfterFailure(attempt, UnloadCall{}, error);
  Result<SliceOutcome> ended =
      EndAttempt(attempt, "its proof failed: " + error.message, SliceOutcome::kFailed);
  if (!ended) return ended;
  return GiveUp(error.message, /*proof=*/true);
}

Result<SliceDone> SliceRun::Check(const Attempt& attempt, const std::string& query_id,
                                  const UnloadReply& reply, bool rows_are_replied) {
  SliceDone done;
  done.attempt = attempt.id;
  done.query_id = query_id;
  done.manifest_uri = reply.manifest_uri;
  run::Manifest manifest;
  // What the service writes for no rows at all is not documented: then no file may lie there.
  if (!reply.manifest_uri.empty() || reply.rows > 0) {
    Result<run::Manifest> read =
        ReadManifest(reply.manifest_uri, context_.services, context_.stop());
    if (!read) return read.error();
    manifest = *std::move(read);
  }
  if (rows_are_replied && manifest.total_rows != reply.rows) {
    return MakeError(ErrorKind::kProof, "the query unloaded " + WithThousands(reply.rows) +
                                            " rows, its manifest has " +
                                            WithThousands(manifest.total_rows) + " (" +
                                            reply.manifest_uri + ")");
  }
  Status proven = CheckObjects(attempt, query_id, manifest, context_.services, context_.stop());
  if (!proven) return proven.error();
  context_.partition_rows.Add(ref_, attempt, manifest);
  done.rows = manifest.total_rows;
  done.bytes = manifest.total_bytes;
  done.files = manifest.files.size();
  return done;
}

Result<SliceOutcome> SliceRun::GiveUp(const std::string& why, bool proof) {
  if (Status failed = context_.ledger.FailSlice(ref_, why, proof); !failed) return failed.error();
  context_.progress.SliceFailed(ref_, why);
  return SliceOutcome::kFailed;
}

Result<SliceOutcome> SliceRun::Finish(const SliceDone& done) {
  moved_ = true;
  if (Status finished = context_.ledger.FinishSlice(ref_, done); !finished) {
    return finished.error();
  }
  context_.progress.SliceDone(ref_, done);
  return SliceOutcome::kDone;
}

std::string SliceRun::SqlOf(const Attempt& attempt) const {
  const SliceState slice = context_.ledger.Slice(ref_);
  return StatementOf(context_.plan, context_.table(ref_), slice.slice.from, slice.slice.end,
                     attempt.to)
      .ToSql();
}

// Of unknown cause, since the last retry.
std::size_t SliceRun::FailedAttempts() const {
  const SliceState slice = context_.ledger.Slice(ref_);
  std::size_t failed = 0;
  for (std::size_t i = slice.forgiven; i < slice.attempts.size(); ++i) {
    const Attempt& attempt = slice.attempts[i];
    const Error error = MakeError(ErrorKind::kQueryFailed, attempt.note);
    if (attempt.state == Attempt::State::kFailed && CauseOf(error) == FailureCause::kUnknown) {
      ++failed;
    }
  }
  return failed;
}

}  // namespace tsm::unload
