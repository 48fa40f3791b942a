#include "ts_batchload/copy_part.h"

#include <algorithm>
#include <utility>

#include "tsm/core/text.h"
#include "tsm/timestream/limits.h"

namespace tsm::apps {

using batchload::CopiedEntry;
using batchload::GroupState;
using batchload::SealedGroup;

// The ledger as the copy engine knows it.
class CopyPart::Book final : public copy::CopyBook {
 public:
  explicit Book(CopyPart& part) : part_(part) {}

  bool IsCopied(const run::SpooledFile& file) override {
    return part_.parts_.ledger.IsCopied(file.group, file.ordinal);
  }
  Status Copied(const run::SpooledFile& file, const copy::CopiedFile& copied) override {
    return part_.OnCopied(file, copied);
  }
  Status UploadStarted(const s3::ObjectKey& key, const std::string& upload_id) override {
    return part_.parts_.ledger.UploadStarted(key, upload_id);
  }
  Status UploadEnded(const s3::ObjectKey& key, const std::string& upload_id) override {
    return part_.parts_.ledger.UploadEnded(key, upload_id);
  }

 private:
  CopyPart& part_;
};

CopyPart::CopyPart(const CopyParts& parts) : parts_(parts), there_(parts.plan.tables.size()) {
  parts_.ledger.Look([this](const batchload::LoadState& state) {
    const auto& planned = parts_.plan.groups;
    for (std::size_t i = 0; i < planned.size(); ++i) {
      const GroupState& group = state.group(i);
      open_.push_back(group.state != GroupState::State::kDone);
      remaining_.push_back(
          group.sealed ? 0 : planned[i].files - static_cast<std::uint32_t>(group.copied.size()));
    }
  });
  failed_groups_.resize(open_.size());
}

copy::CopyOptions CopyPart::OptionsOf(const batchload::TableLoad& table) const {
  copy::CopyOptions options = parts_.options;
  options.source_bucket = parts_.plan.source_bucket;
  options.target_bucket = parts_.plan.target_bucket;
  options.inflate = table.gzip && parts_.plan.load;
  return options;
}

Result<std::unique_ptr<SpoolFeed>> CopyPart::OpenFeed(std::size_t table) const {
  return SpoolFeed::Open(parts_.directory, parts_.plan.tables[table],
                         [this](std::size_t group) { return open_[group]; });
}

Status CopyPart::Look(std::stop_token stop) {
  constexpr std::size_t kNamed = 10;
  Book book(*this);
  std::uint64_t foreign = 0;
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < parts_.plan.tables.size(); ++i) {
    const std::vector<std::string> prefixes = PrefixesOf(parts_.plan, i, open_);
    if (prefixes.empty()) continue;
    Result<std::unique_ptr<SpoolFeed>> feed = OpenFeed(i);
    if (!feed) return feed.error();
    Result<copy::TargetLook> look =
        copy::LookAtTarget(parts_.services.target, OptionsOf(parts_.plan.tables[i]),
                           parts_.plan.tables[i].target_prefix, prefixes, **feed, book, stop);
    if (!look) return look.error();
    there_[i] = std::move(look->there);
    if (look->lost > 0) {
      return MakeError(ErrorKind::kProof, WithThousands(look->lost) +
                                              " copies that this run had made are gone, or are "
                                              "not as they were: " +
                                              Join(look->lost_keys, ", ") +
                                              "; begin a new run, it copies what is not there");
    }
    foreign += look->foreign;
    keys.insert(keys.end(), look->foreign_keys.begin(), look->foreign_keys.end());
  }
  if (foreign == 0 || parts_.plan.allow_existing) return Ok();
  keys.resize(std::min(keys.size(), kNamed));
  const std::string more =
      foreign > keys.size() ? " and " + WithThousands(foreign - keys.size()) + " more" : "";
  return MakeError(ErrorKind::kInTheWay,
                   "the destination in s3://" + parts_.plan.target_bucket.str() +
                       " holds files that are not of this source and would be loaded with it: " +
                       Join(keys, ", ") + more +
                       "; delete them, give another --destination_s3_prefix, or copy beside them "
                       "with --allow_existing");
}

Status CopyPart::HandOnComplete() {
  for (std::size_t i = 0; i < open_.size(); ++i) {
    if (!open_[i] || remaining_[i] > 0) continue;
    if (parts_.ledger.Group(i).sealed) {
      parts_.ready.Push(i);
    } else if (Status sealed = Seal(i); !sealed) {
      return sealed;
    }
  }
  return Ok();
}

Status CopyPart::OnCopied(const run::SpooledFile& file, const copy::CopiedFile& copied) {
  Status booked = parts_.ledger.Copied(file.group, file.ordinal,
                                       CopiedEntry{copied.objects, copied.bytes, copied.rows});
  if (!booked) return booked;
  {
    const std::lock_guard lock(mutex_);
    if (--remaining_[file.group] > 0) return Ok();
  }
  return Seal(file.group);
}

Status CopyPart::Seal(std::size_t group) {
  const batchload::LoadGroup& planned = parts_.plan.groups[group];
  const GroupState state = parts_.ledger.Group(group);
  SealedGroup sealed{0, 0, planned.rows};
  std::vector<std::uint64_t> objects;
  std::vector<std::uint64_t> bytes;
  std::uint64_t rows = 0;
  const bool gzip = parts_.plan.tables[planned.table].gzip;
  bool counted = gzip && parts_.plan.load;
  for (const auto& [ordinal, entry] : state.copied) {
    sealed.objects += entry.objects;
    sealed.bytes += entry.bytes;
    rows += entry.rows.value_or(0);
    counted = counted && entry.rows.has_value();
    if (!gzip) continue;
    objects.push_back(entry.objects);
    bytes.push_back(entry.bytes);
  }
  if (counted) sealed.rows = rows;
  if (parts_.plan.load && (sealed.objects > timestream::kMaxBatchLoadTaskFiles ||
                           sealed.bytes > timestream::kMaxBatchLoadTaskBytes)) {
    const std::string why = "inflated it has " + std::to_string(sealed.objects) + " files and " +
                            FormatBytes(sealed.bytes) +
                            ", a batch-load task takes 100 files and 100 GB: unload it without "
                            "gzip, or with a finer --partition";
    TellFailure(group, why);
    return parts_.ledger.CopyFailed(group, why);
  }
  if (Status status = parts_.ledger.SealGroup(group, sealed, objects, bytes); !status)
    return status;
  parts_.ready.Push(group);
  return Ok();
}

void CopyPart::OnFailed(const copy::CopyFailure& failure) {
  const std::size_t group = failure.file.group;
  {
    const std::lock_guard lock(mutex_);
    if (failed_groups_[group]) return;
    failed_groups_[group] = true;
  }
  const std::string why = failure.file.source.str() + ": " + failure.error.Text();
  (void)parts_.ledger.CopyFailed(group, why);  // the journal's failure ends the run by itself
  TellFailure(group, "a file was not copied: " + why);
}

void CopyPart::TellFailure(std::size_t group, const std::string& why) {
  const batchload::LoadGroup& planned = parts_.plan.groups[group];
  const std::string text =
      "group " + planned.id + " (" + planned.prefix + ") is not complete, " + why;
  parts_.services.sink.OnNotice({Severity::kError, text});
  parts_.notifier.Notify(text, std::stop_token());
}

// What a process that was killed left behind: parts that are stored, and paid for.
Status CopyPart::AbortLeftUploads(std::stop_token stop) {
  std::vector<copy::LeftUpload> left;
  parts_.ledger.Look([&](const batchload::LoadState& state) {
    for (const batchload::OpenUpload& upload : state.uploads()) {
      left.push_back({upload.key, upload.upload_id});
    }
  });
  if (left.empty()) return Ok();
  Book book(*this);
  Status aborted = copy::AbortLeftUploads(parts_.services.target, parts_.plan.target_bucket, left,
                                          book, std::move(stop));
  if (!aborted) {
    parts_.services.sink.Warn("uploads that an earlier process left stay, and are paid for: " +
                              aborted.error().Text());
  }
  return Ok();
}

void CopyPart::CopyTable(std::size_t table, const copy::CopyInterrupts& interrupts,
                         CopyResult& result) {
  const batchload::TableLoad& planned = parts_.plan.tables[table];
  Result<std::unique_ptr<SpoolFeed>> feed = OpenFeed(table);
  if (!feed) {
    result.fatal = feed.error();
    return;
  }
  copy::CopyTotals totals;
  for (std::size_t i = 0; i < open_.size(); ++i) {
    if (!open_[i] || parts_.plan.groups[i].table != table) continue;
    totals.files += parts_.plan.groups[i].files;
    totals.bytes += parts_.plan.groups[i].bytes;
  }
  Book book(*this);
  const copy::CopySummary copied = copy::RunCopy(
      OptionsOf(planned), **feed, there_[table], book, parts_.services, totals,
      [this](const copy::CopyFailure& f) { OnFailed(f); }, interrupts);
  result.files += copied.files;
  result.bytes += copied.bytes;
  result.were_there += copied.were_there;
  result.failed += copied.failed;
  result.duration += copied.duration;
  result.interrupted = result.interrupted || copied.interrupted;
  if (copied.fatal) result.fatal = copied.fatal;
}

Status CopyPart::Prove(std::size_t table, std::stop_token stop, CopyResult& result) {
  const batchload::TableLoad& planned = parts_.plan.tables[table];
  if (planned.files == 0) return Ok();
  // A group that is not complete was told already.
  std::vector<bool> complete(open_.size());
  parts_.ledger.Look([&](const batchload::LoadState& state) {
    for (std::size_t i = 0; i < open_.size(); ++i) {
      complete[i] = open_[i] && state.group(i).sealed.has_value();
    }
  });
  Result<std::unique_ptr<SpoolFeed>> feed = SpoolFeed::Open(
      parts_.directory, planned, [&complete](std::size_t group) { return complete[group]; });
  if (!feed) return feed.error();
  const auto became = [this](const run::SpooledFile& file) -> std::optional<copy::CopiedFile> {
    std::optional<copy::CopiedFile> copied;
    parts_.ledger.Look([&](const batchload::LoadState& state) {
      const GroupState& group = state.group(file.group);
      if (file.ordinal >= group.inflated_bytes.size()) return;
      copied.emplace();
      copied->objects = static_cast<std::uint32_t>(group.inflated_objects[file.ordinal]);
      copied->bytes = group.inflated_bytes[file.ordinal];
    });
    return copied;
  };
  Result<std::vector<std::string>> differences = copy::ProveCopies(
      parts_.services.target, OptionsOf(planned), planned.target_prefix, **feed, became, stop);
  if (!differences) return differences.error().With("proving the copies");
  result.differences.insert(result.differences.end(), differences->begin(), differences->end());
  return Ok();
}

CopyResult CopyPart::Run(const copy::CopyInterrupts& interrupts) {
  CopyResult result;
  Status status = HandOnComplete();
  if (status) status = AbortLeftUploads(interrupts.stop);
  const auto ended = [&] { return !status || result.interrupted || result.fatal; };
  for (std::size_t i = 0; i < parts_.plan.tables.size() && !ended(); ++i) {
    CopyTable(i, interrupts, result);
  }
  parts_.ready.Close();
  for (std::size_t i = 0; i < parts_.plan.tables.size() && !ended(); ++i) {
    status = Prove(i, interrupts.stop, result);
  }
  if (!status && status.error().kind == ErrorKind::kCancelled) {
    result.interrupted = true;
  } else if (!status && !result.fatal) {
    result.fatal = status.error();
  }
  return result;
}

}  // namespace tsm::apps
