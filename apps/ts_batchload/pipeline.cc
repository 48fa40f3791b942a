#include "ts_batchload/pipeline.h"

#include <map>

#include "ts_batchload/preflight.h"
#include "ts_batchload/source.h"
#include "tsm/batchload/failure_notifier.h"
#include "tsm/batchload/load_plan.h"
#include "tsm/copy/copy_run.h"
#include "tsm/core/text.h"

namespace tsm::apps {
namespace {

using batchload::LoadFailure;
using batchload::LoadGroup;
using batchload::LoadPlan;

// A stopped task waits this many polls before its first resume: a minute at the default interval.
constexpr int kPollsBeforeResume = 6;

// Where the group's task finds its files.
std::string TaskPrefix(const BatchLoadSettings& settings, const LoadGroup& group) {
  return settings.copy ? settings.destination_prefix + group.folder : group.folder;
}

copy::CopyOptions CopyOptionsOf(const BatchLoadSettings& settings) {
  copy::CopyOptions options;
  options.source_bucket = settings.source_bucket;
  options.target_bucket = settings.target_bucket;
  options.target_prefix = settings.destination_prefix;
  options.concurrency = settings.copy_concurrency;
  return options;
}

Result<copy::CopyPlan> PlanCopies(const BatchLoadSettings& settings, const LoadPlan& plan) {
  std::vector<copy::CopySource> sources;
  for (std::size_t group = 0; group < plan.groups.size(); ++group) {
    for (const batchload::DataFile& file : plan.groups[group].files) {
      sources.push_back({file.key, file.size, file.etag, group});
    }
  }
  return copy::PlanCopy(CopyOptionsOf(settings), std::move(sources));
}

// Files of others in the folders that are to be loaded would be loaded too.
Status CheckDestination(const BatchLoadSettings& settings, const BatchLoadServices& services,
                        const LoadPlan& plan, const copy::CopyPlan& copies, std::stop_token stop) {
  constexpr std::size_t kNamed = 10;
  std::vector<std::string> folders;
  for (const LoadGroup& group : plan.groups) folders.push_back(TaskPrefix(settings, group));
  Result<copy::ForeignObjects> foreign =
      copy::FindForeign(services.s3, CopyOptionsOf(settings), copies, folders, kNamed, stop);
  if (!foreign) return foreign.error();
  if (foreign->count == 0) return Ok();
  std::string keys = Join(foreign->keys, ", ");
  if (foreign->count > foreign->keys.size()) {
    keys += " and " + WithThousands(foreign->count - foreign->keys.size()) + " more";
  }
  return MakeError(
      ErrorKind::kInTheWay,
      "the destination s3://" + settings.target_bucket.str() + "/" + settings.destination_prefix +
          " holds files that are not of this source and would be loaded with it: " + keys +
          "; delete them or give another --destination_s3_prefix");
}

// One failure per group: its first file's error, and how many more failed.
std::map<std::size_t, LoadFailure> CopyFailures(const BatchLoadSettings& settings,
                                                const LoadPlan& plan,
                                                const copy::CopySummary& copied) {
  std::map<std::size_t, LoadFailure> failures;
  std::map<std::size_t, std::size_t> counts;
  for (const copy::CopyFailure& failure : copied.failures) {
    if (++counts[failure.group] > 1) continue;
    failures[failure.group] = {TaskPrefix(settings, plan.groups[failure.group]), "", failure.error};
  }
  for (const auto& [group, count] : counts) {
    const std::string what =
        count == 1 ? "not loaded, a file was not copied"
                   : "not loaded, " + std::to_string(count) + " files were not copied, the first";
    failures[group].error = std::move(failures[group].error).With(what);
  }
  return failures;
}

class Pipeline {
 public:
  Pipeline(const BatchLoadSettings& settings, const BatchLoadServices& services,
           std::stop_token stop)
      : settings_(settings),
        services_(services),
        stop_(std::move(stop)),
        notifier_(services.sns, settings.topic, services.sink),
        parts_{services.write,  services.s3,   services.clock,
               services.random, services.sink, notifier_} {}

  Result<BatchLoadOutcome> Run() {
    if (Status ready = Prepare(); !ready) return ready.error();
    if (settings_.copy) {
      if (Status copied = Copy(); !copied) return copied.error();
      // The copies may have taken long enough for somebody else to begin.
      if (!Ended()) End(WaitForIdleTable());
    }
    if (!Ended()) Load();
    return Finish();
  }

 private:
  bool Ended() const { return outcome_.interrupted || outcome_.fatal; }

  // From the first copy on an error ends the run with its summary, which lists what failed so far.
  void End(const Status& status) {
    if (status) return;
    outcome_.interrupted = status.error().kind == ErrorKind::kCancelled;
    if (!outcome_.interrupted) outcome_.fatal = status.error();
  }

  // Everything up to the first copy or task.
  Status Prepare() {
    if (!settings_.notice.empty()) services_.sink.Warn(settings_.notice);
    Result<Missing> missing = LookAround(settings_, services_, stop_);
    if (!missing) return missing.error();
    Result<LoadPlan> plan = FindSource(settings_, services_, stop_);
    if (!plan) return plan.error();
    plan_ = std::move(*plan);
    if (settings_.copy) {
      Result<copy::CopyPlan> copies = PlanCopies(settings_, plan_);
      if (!copies) return copies.error();
      copies_ = std::move(*copies);
      if (!missing->target_bucket) {
        Status clear = CheckDestination(settings_, services_, plan_, copies_, stop_);
        if (!clear) return clear;
      }
    }
    DescribePlan();
    if (Status created = CreateMissing(*missing, settings_, services_, stop_); !created) {
      return created;
    }
    return WaitForIdleTable();
  }

  void DescribePlan() {
    outcome_.source = plan_.listed;
    outcome_.table = settings_.table.str() + " in " + services_.region;
    outcome_.groups = plan_.groups.size();
    outcome_.files = plan_.files();
    outcome_.bytes = plan_.bytes();
    outcome_.rows = plan_.rows();
    services_.sink.Info(
        WithThousands(outcome_.files) + " files, " + FormatBytes(outcome_.bytes) + ", in " +
        WithThousands(outcome_.groups) + " groups" +
        (outcome_.rows ? ", " + WithThousands(*outcome_.rows) + " rows by their manifests" : ""));
  }

  Status WaitForIdleTable() {
    return batchload::WaitForIdleTable(settings_.table, settings_.poll_interval, parts_, stop_);
  }

  Status Copy() {
    Result<copy::CopySummary> copied = copy::RunCopy(
        services_.s3, CopyOptionsOf(settings_), copies_, services_.clock, services_.sink, stop_);
    if (!copied) return copied.error();
    outcome_.copied = true;
    outcome_.copied_files = copied->files;
    outcome_.copied_bytes = copied->bytes;
    outcome_.copy_time = copied->duration;
    outcome_.interrupted = copied->interrupted;
    outcome_.fatal = copied->fatal;
    failed_ = CopyFailures(settings_, plan_, *copied);
    if (Ended()) return Ok();
    for (const auto& [group, failure] : failed_) {
      const std::string text = failure.prefix + ": " + failure.error.Text();
      services_.sink.OnNotice({Severity::kError, text});
      notifier_.Notify("The batch load into " + settings_.table.str() + " leaves out s3://" +
                           settings_.target_bucket.str() + "/" + text,
                       stop_);
    }
    return Ok();
  }

  void Load() {
    batchload::LoadOptions options;
    options.table = settings_.table;
    options.bucket = settings_.target_bucket;
    options.report_bucket = settings_.error_bucket;
    options.data_model_json = model::ToRequestJson(settings_.data_model);
    options.csv = settings_.csv;
    options.slots = settings_.slots;
    options.poll_interval = settings_.poll_interval;
    options.create_interval = settings_.create_interval;
    options.resume_backoff = settings_.poll_interval * kPollsBeforeResume;
    std::vector<batchload::LoadUnit> units;
    for (std::size_t i = 0; i < plan_.groups.size(); ++i) {
      if (failed_.count(i) != 0) continue;
      const LoadGroup& group = plan_.groups[i];
      units.push_back({TaskPrefix(settings_, group), group.bytes(), group.rows()});
    }
    outcome_.load = batchload::RunLoad(options, units, parts_, stop_);
    outcome_.interrupted = outcome_.load.interrupted;
    outcome_.fatal = outcome_.load.fatal;
  }

  BatchLoadOutcome Finish() {
    for (auto& [group, failure] : failed_) outcome_.failures.push_back(std::move(failure));
    for (const LoadFailure& failure : outcome_.load.failures) outcome_.failures.push_back(failure);
    return std::move(outcome_);
  }

  const BatchLoadSettings& settings_;
  const BatchLoadServices& services_;
  std::stop_token stop_;
  batchload::FailureNotifier notifier_;
  batchload::LoadParts parts_;
  LoadPlan plan_;
  copy::CopyPlan copies_;
  std::map<std::size_t, LoadFailure> failed_;  // groups that were not copied, by their number
  BatchLoadOutcome outcome_;
};

}  // namespace

Result<BatchLoadOutcome> RunPipeline(const BatchLoadSettings& settings,
                                     const BatchLoadServices& services, std::stop_token stop) {
  return Pipeline(settings, services, std::move(stop)).Run();
}

}  // namespace tsm::apps
