#include "tsm/unload/unload_run.h"

#include <optional>
#include <utility>

#include "tsm/core/text.h"
#include "tsm/core/time_text.h"
#include "tsm/run/manifest.h"
#include "tsm/run/run_record.h"
#include "tsm/timestream/table_schema.h"
#include "tsm/unload/unload_proof.h"
#include "unload_claim.h"
#include "unload_destination.h"
#include "unload_query.h"

namespace tsm::unload {

namespace {

// "20261122T024500Z-4f3a9c": sorts by time, and two runs of one second differ.
std::string MakeRunId(const UnloadServices& services) {
  return FormatAmzDate(services.clock.Now()) + "-" + services.random.Uuid().substr(0, 6);
}

// True where the answer shows that the service did not take the query, or that it has ended. After
// more than one attempt an earlier one may have started it. With a known id the query was taken: a
// refused look at its pages (expired credentials, an invalid token) tells nothing about its end.
bool SurelyNotRunning(const Error& error, const std::string& query_id) {
  if (error.kind == ErrorKind::kQueryFailed) return true;
  if (!query_id.empty()) return false;
  switch (error.kind) {
    case ErrorKind::kValidation:
    case ErrorKind::kAccessDenied:
    case ErrorKind::kCredentials:
    case ErrorKind::kExpiredCredentials:
    case ErrorKind::kClockSkew:
    case ErrorKind::kQuotaExceeded:
    case ErrorKind::kThrottled:
      return error.attempts <= 1;
    default:
      return false;
  }
}

class UnloadRun {
 public:
  UnloadRun(const UnloadOptions& options, const UnloadServices& services, std::stop_token stop)
      : options_(options),
        services_(services),
        stop_(std::move(stop)),
        started_(services.clock.Steady()) {}

  Result<UnloadSummary> Execute();

 private:
  Status Prepare();
  Result<timestream::TableSchema> Describe();
  Status Claim();
  Status Allow();
  Status RunQuery();
  void AfterFailedQuery(const Error& error);
  bool Cancel();
  void TellWhatIsLeft(bool query_is_over);
  Status Prove();
  Result<run::Manifest> ReadManifest();
  Status CheckCounts(const run::Manifest& manifest) const;
  Status CheckObjects(const run::Manifest& manifest);
  Status Close();
  Status CheckForStrangers();

  const UnloadOptions& options_;
  const UnloadServices& services_;
  std::stop_token stop_;
  std::chrono::steady_clock::time_point started_;
  UnloadSummary summary_;
  run::RunRecord record_;
};

Result<UnloadSummary> UnloadRun::Execute() {
  for (auto step : {&UnloadRun::Prepare, &UnloadRun::Claim, &UnloadRun::Allow, &UnloadRun::RunQuery,
                    &UnloadRun::Prove, &UnloadRun::Close, &UnloadRun::CheckForStrangers}) {
    Status done = (this->*step)();
    if (!done) return done.error();
  }
  summary_.elapsed = services_.clock.Steady() - started_;
  return summary_;
}

// Nothing is created before the table is known to be there.
Status UnloadRun::Prepare() {
  Result<sts::CallerIdentity> caller = services_.sts.GetCallerIdentity(stop_);
  if (!caller) return caller.error();
  summary_.account = caller->account;
  summary_.region = services_.region;

  Result<timestream::TableSchema> schema = Describe();
  if (!schema) return schema.error();
  Result<s3::S3Uri> destination = PrepareDestination(options_, services_, summary_.account, stop_);
  if (!destination) return destination.error();
  Result<UnloadPlan> plan = MakeUnloadPlan(options_, *destination, *schema, MakeRunId(services_));
  if (!plan) return plan.error();
  summary_.plan = *plan;
  return Ok();
}

Result<timestream::TableSchema> UnloadRun::Describe() {
  Result<timestream::TableSchema> schema =
      timestream::DescribeSchema(services_.query, options_.table, stop_);
  if (schema) return schema;
  Error error = schema.error();
  // The names were checked, so the statement is good: what it names is not there.
  if (error.kind == ErrorKind::kValidation || error.kind == ErrorKind::kQueryFailed) {
    error.kind = ErrorKind::kNotFound;
  }
  if (error.kind != ErrorKind::kNotFound) return error;
  return std::move(error).With("table " + options_.table.str() + " is not known in " +
                               services_.region);
}

// From here on the destination is ours, or the run ends with kInTheWay.
Status UnloadRun::Claim() {
  const UnloadPlan& plan = summary_.plan;
  record_.run_id = plan.run_id;
  record_.tool_version = services_.tool_version;
  record_.account = summary_.account;
  record_.region = summary_.region;
  record_.source = options_.table;
  record_.from = options_.from;
  record_.end = options_.end;
  record_.partition = std::string(Name(options_.partition));
  record_.sql = plan.sql;
  record_.client_token = services_.random.Uuid();
  record_.started_at = FormatIso8601(services_.clock.Now());

  Status claimed = PutRecord(plan, record_, services_, stop_);
  const bool may_be_there = claimed || claimed.error().kind == ErrorKind::kTransient ||
                            claimed.error().kind == ErrorKind::kCancelled;
  if (claimed) claimed = CheckNothingInTheWay(plan, services_, stop_);
  if (!claimed && may_be_there) DeleteRecord(plan, services_);
  return claimed;
}

// A run that is refused leaves the policy as it is, so not before the claim holds.
Status UnloadRun::Allow() {
  if (options_.iam_role_arn.empty()) return Ok();
  Status allowed = AllowRole(summary_.plan.bucket, options_.iam_role_arn, services_, stop_);
  if (!allowed) DeleteRecord(summary_.plan, services_);
  return allowed;
}

Status UnloadRun::RunQuery() {
  services_.progress.Info("unloading " + options_.table.str() + " to " +
                          summary_.plan.statement.destination.str() + ": " + summary_.plan.sql);
  UnloadQuery query(services_.query, services_.progress, summary_.plan.sql, record_.client_token);
  Result<UnloadReply> reply = query.Run(stop_);
  summary_.query_id = query.query_id();
  if (!reply) {
    AfterFailedQuery(reply.error());
    return reply.error().With("unloading " + options_.table.str());
  }
  summary_.rows = reply->rows;
  summary_.manifest_uri = reply->manifest_uri;
  return Ok();
}

void UnloadRun::AfterFailedQuery(const Error& error) {
  bool over = SurelyNotRunning(error, summary_.query_id);
  if (!over && !summary_.query_id.empty()) over = Cancel();
  TellWhatIsLeft(over);
}

// With a stop of its own: that of the run is what brought us here.
bool UnloadRun::Cancel() {
  Status cancelled = services_.query.CancelQuery(summary_.query_id, std::stop_token());
  if (cancelled) {
    services_.progress.Warn("query " + summary_.query_id + " cancelled");
    return true;
  }
  services_.progress.Warn("query " + summary_.query_id +
                          " could not be cancelled: " + cancelled.error().Text());
  return false;
}

// A failed UNLOAD leaves what it had written. Where that is nothing the claim is given back, so
// that the same command can be run again as it is.
void UnloadRun::TellWhatIsLeft(bool query_is_over) {
  const UnloadPlan& plan = summary_.plan;
  Result<Findings> left = DataFilesOf(plan, "", services_, std::stop_token());
  if (left && left->count == 0 && query_is_over) {
    DeleteRecord(plan, services_);
    services_.progress.Info("nothing was written; the same command can be run again");
    return;
  }
  if (left && left->count > 0) {
    for (std::string& text : left->first) text = "left behind: " + text;
    Tell(*left, Severity::kWarning, services_.progress);
  } else if (!query_is_over) {
    services_.progress.Warn("the query may still be running and write to s3://" +
                            plan.bucket.str() + "/" + plan.results_prefix);
  }
  services_.progress.Warn("the run record " + plan.record_uri.str() +
                          " stays, so that no unload mixes with these files: run again with "
                          "another --s3_uri, or delete the files and the record first");
}

Status UnloadRun::Prove() {
  Status proven = Ok();
  if (summary_.manifest_uri.empty() && summary_.rows == 0) {
    // What the service writes for no rows at all is not documented: then no file may lie there.
    proven = CheckObjects(run::Manifest());
  } else {
    Result<run::Manifest> manifest = ReadManifest();
    proven = manifest ? CheckCounts(*manifest) : Status(manifest.error());
    if (proven) proven = CheckObjects(*manifest);
    if (manifest) {
      summary_.files = manifest->files.size();
      summary_.bytes = manifest->total_bytes;
      summary_.partitions = CountPartitions(*manifest, summary_.plan);
    }
  }
  if (proven) return proven;
  services_.progress.Warn("query " + summary_.query_id + " has ended, but its files in s3://" +
                          summary_.plan.bucket.str() + "/" + summary_.plan.results_prefix +
                          " are not proven; the run record " + summary_.plan.record_uri.str() +
                          " stays in state started");
  return proven.error().With("proving the unload of " + options_.table.str());
}

Result<run::Manifest> UnloadRun::ReadManifest() {
  const std::string where = "manifest " + summary_.manifest_uri;
  Result<s3::S3Uri> uri = s3::S3Uri::Parse(summary_.manifest_uri);
  if (!uri) return MakeError(ErrorKind::kBadReply, where + ": " + uri.error().message);
  Result<std::string> text = services_.s3.GetObject(uri->bucket, uri->key, std::nullopt, stop_);
  if (!text) {
    Error error = text.error();
    // The service named it: without it there is no proof.
    if (error.kind == ErrorKind::kNotFound) error.kind = ErrorKind::kProof;
    return error;
  }
  Result<run::Manifest> manifest = run::ParseManifest(*text);
  if (manifest) return manifest;
  Error error = manifest.error();
  if (error.kind == ErrorKind::kBadReply) error.kind = ErrorKind::kProof;
  return std::move(error).With(where);
}

Status UnloadRun::CheckCounts(const run::Manifest& manifest) const {
  if (manifest.total_rows == summary_.rows) return Ok();
  return MakeError(ErrorKind::kProof, "the query unloaded " + WithThousands(summary_.rows) +
                                          " rows, its manifest has " +
                                          WithThousands(manifest.total_rows) + " (" +
                                          summary_.manifest_uri + ")");
}

Status UnloadRun::CheckObjects(const run::Manifest& manifest) {
  UnloadProof proof(manifest, summary_.plan, summary_.query_id);
  Status listed = services_.s3.ForEachObject(
      summary_.plan.bucket, summary_.plan.results_prefix,
      [&proof](const s3::ObjectSummary& object) {
        proof.See(object);
        return true;
      },
      stop_);
  if (!listed) return listed;
  const std::vector<std::string> problems = proof.Problems();
  if (problems.empty()) return Ok();
  for (const std::string& problem : problems) {
    services_.progress.OnNotice({Severity::kError, problem});
  }
  return MakeError(ErrorKind::kProof, Counted(problems.size(), "difference") +
                                          " between manifest and objects, each named "
                                          "above; the first: " +
                                          problems.front());
}

Status UnloadRun::Close() {
  record_.state = run::RunState::kDone;
  record_.finished_at = FormatIso8601(services_.clock.Now());
  record_.query_id = summary_.query_id;
  record_.manifest_uri = summary_.manifest_uri;
  record_.rows = summary_.rows;
  record_.bytes = summary_.bytes;
  record_.files = summary_.files;
  return PutRecord(summary_.plan, record_, services_, stop_);
}

// A late file of an earlier query, whose record somebody deleted, would load its rows twice.
Status UnloadRun::CheckForStrangers() {
  Result<Findings> strangers =
      DataFilesOfOthers(summary_.plan, summary_.query_id, services_, stop_);
  if (!strangers) return strangers.error();
  if (strangers->count == 0) return Ok();
  for (std::string& text : strangers->first) text = "of another query: " + text;
  Tell(*strangers, Severity::kError, services_.progress);
  return MakeError(ErrorKind::kProof,
                   "beside the proven files of query " + summary_.query_id + " lie " +
                       Counted(strangers->count, "data file") + " of another query in s3://" +
                       summary_.plan.bucket.str() + "/" + summary_.plan.results_prefix +
                       "; the first: " + strangers->first.front());
}

}  // namespace

Result<UnloadSummary> RunUnload(const UnloadOptions& options, const UnloadServices& services,
                                std::stop_token stop) {
  return UnloadRun(options, services, std::move(stop)).Execute();
}

}  // namespace tsm::unload
