#include "tsm/batchload/plan_source.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

#include "file_collector.h"
#include "listed_files.h"
#include "load_groups.h"
#include "load_places.h"
#include "recorded_files.h"
#include "source_record.h"
#include "table_spool.h"
#include "tsm/core/text.h"

namespace tsm::batchload {

namespace {

Error Refuse(std::string why) { return MakeError(ErrorKind::kInvalidInput, std::move(why)); }

Status CheckRequest(const SourceRequest& request) {
  const bool copies = request.copy || request.copy_only;
  if (request.group_by == GroupBy::kPacked && request.copy_only) {
    return Refuse("--group_by packed arranges files for loading, and --copy_only loads nothing");
  }
  if (request.copy_only && !request.unload_run.empty()) {
    return Refuse(
        "--unload_run chooses the record of what is loaded, and --copy_only copies all that lies "
        "below the prefix");
  }
  if (request.group_by == GroupBy::kPacked && !copies) {
    return Refuse(
        "--group_by packed puts the files into folders of its own, so it needs a bucket to copy "
        "them to: --copy_s3_bucket");
  }
  if (request.safe_prefixes && !copies) {
    return Refuse(
        "--safe_prefixes renames the folders of the copies, so it needs a bucket to copy to: "
        "--copy_s3_bucket");
  }
  return Ok();
}

Layout LayoutOf(const SourceRequest& request) {
  if (request.copy_only) return Layout::kCopyOnly;
  if (!request.copy) return Layout::kInPlace;
  return request.group_by == GroupBy::kPacked ? Layout::kPacked : Layout::kFolders;
}

class Planner {
 public:
  Planner(const SourceRequest& request, s3::S3Client& source, ProgressSink& sink,
          std::stop_token stop)
      : request_(request), source_(source), sink_(sink), stop_(std::move(stop)) {}

  Result<PlannedSource> Run() {
    Result<std::vector<FoundRecord>> records = std::vector<FoundRecord>();
    if (!request_.copy_only) records = FindRecords(request_, source_, sink_, stop_);
    if (!records) return records.error();
    if (records->empty()) {
      if (Status planned = PlanTable(nullptr); !planned) return planned.error();
    }
    if (Status named = CheckTargets(*records); !named) return named.error();
    for (const FoundRecord& record : *records) {
      if (Status planned = PlanTable(&record); !planned) return planned.error();
    }
    if (Status apart = CheckPrefixes(); !apart) return apart.error();
    return std::move(planned_);
  }

 private:
  std::string Listed() const {
    return s3::S3Uri{request_.bucket, s3::ObjectKey(request_.prefix)}.str();
  }

  Result<timestream::TableRef> TargetOf(const FoundRecord* found) const {
    if (request_.copy_only) return timestream::TableRef();
    std::string database = request_.target_database;
    std::string table = request_.target_table;
    if (found != nullptr) {
      if (database.empty()) database = found->record.source.database;
      if (table.empty()) table = found->record.source.table;
    }
    if (found == nullptr && (database.empty() || table.empty())) {
      if (request_.unrecorded.table.empty()) {
        return Refuse("no record of ts-unload tells what lies under " + Listed() +
                      ", so --database and --table must name the table to load");
      }
      return request_.unrecorded;
    }

    return timestream::TableRef::Make(database, table);
  }

  // Before anything is listed.
  Status CheckTargets(const std::vector<FoundRecord>& records) const {
    if (records.size() > 1 && !request_.target_table.empty()) {
      return Refuse("under " + Listed() + " lie " + std::to_string(records.size()) +
                    " tables, which keep their names: leave away --table, or give one table's own "
                    "prefix");
    }
    std::map<timestream::TableRef, std::string> sources;
    for (const FoundRecord& record : records) {
      if (Status format = CheckFormat(record, request_.copy); !format) return format;
      Result<timestream::TableRef> target = TargetOf(&record);
      if (!target) return target.error();
      const auto [other, added] = sources.emplace(*target, record.record.source.str());
      if (added) continue;
      return Refuse(other->second + " and " + record.record.source.str() +
                    " would both be loaded into " + target->str() +
                    ": load them one by one, each with its own prefix and --table");
    }
    return Ok();
  }

  GroupRules RulesOf(const FoundRecord* found) const {
    GroupRules rules;
    rules.layout = LayoutOf(request_);
    rules.first_group = planned_.groups.size();
    if (rules.layout != Layout::kInPlace) rules.destination_prefix = request_.destination_prefix;
    rules.safe_prefixes = request_.safe_prefixes;
    rules.packed_folder = request_.destination_prefix + request_.run_id + "/";
    if (request_.safe_prefixes) rules.packed_folder = SafeFolder(rules.packed_folder);
    if (found == nullptr) return rules;
    rules.gzip = found->record.format.compression == "GZIP";
    if (!found->record.partition_alias.empty()) {
      rules.partition_alias = found->record.partition_alias;
    }
    for (const run::RecordSlice& slice : found->record.slices) {
      rules.slice_labels.push_back(SliceLabel(slice));
    }
    return rules;
  }

  Status Collect(const FoundRecord* found, GroupRules& rules, FileCollector& files) {
    if (request_.copy_only) return CollectAll(request_, source_, files, stop_);
    if (found == nullptr) return CollectListed(request_, source_, rules, files, stop_);
    return CollectRecorded(*found, request_, source_, files, stop_);
  }

  // Findings stop the plan, unless nothing is to be proven; then no row is expected either.
  Status Judge(const FileCollector& files, const std::string& listed) {
    if (request_.copy_only) return Ok();
    if (request_.verify == Verify::kNone) {
      sink_.Warn("--verify none: what is loaded from " + listed + " is not proven" +
                 (files.findings.empty() ? "" : "; " + files.findings.Text()));
      return Ok();
    }
    if (files.findings.empty()) return Ok();
    return MakeError(ErrorKind::kInTheWay,
                     "what lies under " + listed +
                         " is not what complete manifests name: " + files.findings.Text() +
                         "; unload again into an empty place, or load all the same with --verify "
                         "none");
  }

  Status PlanTable(const FoundRecord* found) {
    Result<timestream::TableRef> target = TargetOf(found);
    if (!target) return target.error();
    TableLoad table;
    table.target = *std::move(target);
    table.listed = Listed();
    if (found != nullptr) Describe(*found, table);
    GroupRules rules = RulesOf(found);
    FileCollector files(rules, request_.run_directory, sink_);
    if (Status collected = Collect(found, rules, files); !collected) return collected;
    if (Status judged = Judge(files, table.listed); !judged) return judged;
    table.gzip = rules.gzip;
    table.files = files.files();
    table.bytes = files.bytes();
    if (files.findings.empty() && !request_.copy_only) table.rows = files.rows();
    table.spool = SpoolName(planned_.tables.size());
    PlaceCounter places(found == nullptr ? nullptr : &found->record);
    TableSpool spool{rules, request_.run_directory, table, planned_.tables.size()};
    if (Status written = spool.Write(files.spool(), planned_.groups, places); !written) {
      return written;
    }
    if (table.rows) table.places = places.Finish();
    AddFacts(found, files, table);
    planned_.tables.push_back(std::move(table));
    return Ok();
  }

  void Describe(const FoundRecord& found, TableLoad& table) const {
    table.source = found.record.source;
    table.record_uri = found.uri;
    table.listed = s3::S3Uri{request_.bucket, s3::ObjectKey(found.folder)}.str();
    if (!found.record.content_prefix.empty()) {
      table.content_prefix = found.KeyNow(found.record.content_prefix);
    }
    table.from = found.record.from;
    table.end = found.record.end;
  }

  void AddFacts(const FoundRecord* found, const FileCollector& files, const TableLoad& table) {
    SourceFacts facts;
    if (found != nullptr) {
      facts.record = found->record;
      facts.record->content_prefix = table.content_prefix;
      facts.column_separator = found->record.format.field_delimiter;
      facts.escape_char = found->record.format.escaped_by;
    }
    if (files.sample()) {
      facts.sample = files.sample()->key;
      facts.sample_bytes = files.sample()->size;
    }
    planned_.facts.push_back(std::move(facts));
  }

  // What lies below a group's prefix is loaded, so it may be no other group's.
  Status CheckPrefixes() const {
    if (request_.copy_only) return Ok();
    std::vector<std::size_t> order(planned_.groups.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto prefix = [this](std::size_t i) -> const std::string& {
      return planned_.groups[i].prefix;
    };
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return prefix(a) < prefix(b); });
    for (std::size_t i = 1; i < order.size(); ++i) {
      if (!prefix(order[i]).starts_with(prefix(order[i - 1]))) continue;
      return Refuse("a batch-load task on " + prefix(order[i - 1]) +
                    " would load what belongs to another, " + prefix(order[i]) +
                    ": give another prefix in the target bucket, or --group_by packed");
    }
    return Ok();
  }

  const SourceRequest& request_;
  s3::S3Client& source_;
  ProgressSink& sink_;
  std::stop_token stop_;
  PlannedSource planned_;
};

}  // namespace

std::string SpoolName(std::size_t table) { return "files-" + std::to_string(table) + ".spool"; }

Result<PlannedSource> PlanSource(const SourceRequest& request, s3::S3Client& source,
                                 ProgressSink& sink, std::stop_token stop) {
  if (Status legal = CheckRequest(request); !legal) return legal.error();
  return Planner(request, source, sink, std::move(stop)).Run();
}

}  // namespace tsm::batchload
