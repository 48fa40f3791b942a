#include "support/fake_unloads.h"

#include <algorithm>

#include "tsm/core/text.h"

namespace tsm::test {

using timestream::PartitionUnit;

namespace {

FakeUnloads::Taken Refuse(const std::string& code, const std::string& message) {
  return {nullptr, {400, code, message}};
}

std::string FolderName(const SqlUnload& parsed, const FakeGrouping& grouping,
                       const FakeGroup& group) {
  std::string name;
  std::size_t column = 0;
  for (const std::string& alias : parsed.partitioned_by) {
    // The time's partition stands first.
    if (name.empty() && grouping.unit != PartitionUnit::kNone) {
      name = alias + "=" + timestream::PartitionText(grouping.unit, group.start) + "/";
      continue;
    }
    name += alias + "=" + grouping.columns[column]->values[group.values[column]] + "/";
    ++column;
  }
  return name;
}

// By what the statement's partitioned_by groups; kValidation where it names no item.
Result<FakeGrouping> GroupingOf(const SqlUnload& parsed, const FakeTable& table) {
  FakeGrouping grouping;
  for (const std::string& alias : parsed.partitioned_by) {
    const auto item =
        std::find_if(parsed.select.items.begin(), parsed.select.items.end(),
                     [&](const SqlItem& candidate) { return candidate.name == alias; });
    if (item == parsed.select.items.end()) {
      return MakeError(ErrorKind::kValidation, "partitioned_by names no column: " + alias);
    }
    if (item->kind == SqlItem::Kind::kPartition) {
      grouping.unit = item->unit;
      continue;
    }
    const FakeColumn* column = table.Find(item->column);
    if (column == nullptr || column->values.empty()) {
      return MakeError(ErrorKind::kValidation, "no column " + item->column);
    }
    grouping.columns.push_back(column);
  }
  return grouping;
}

std::vector<ResultFolder> FoldersOf(const SqlUnload& parsed, const FakeTable& table,
                                    const FakeGrouping& grouping) {
  std::vector<ResultFolder> folders;
  for (const FakeGroup& group : table.Group(parsed.select.range, grouping)) {
    folders.push_back({FolderName(parsed, grouping, group), group.rows});
  }
  std::sort(folders.begin(), folders.end(),
            [](const ResultFolder& a, const ResultFolder& b) { return a.name < b.name; });
  return folders;
}

}  // namespace

void FakeUnloads::Settle(UnixNanos now) {
  for (;;) {
    const auto first = std::min_element(
        running_.begin(), running_.end(),
        [&](std::size_t a, std::size_t b) { return executions_[a].ends < executions_[b].ends; });
    if (first == running_.end() || executions_[*first].ends > now) return;
    FakeExecution& execution = executions_[*first];
    End(execution,
        execution.fate.failure.empty() ? FakeExecution::State::kDone
                                       : FakeExecution::State::kFailed,
        execution.ends);
  }
}

void FakeUnloads::End(FakeExecution& execution, FakeExecution::State state, UnixNanos now) {
  execution.state = state;
  execution.ends = now;
  running_.erase(std::remove(running_.begin(), running_.end(), execution.start.number - 1),
                 running_.end());
  if (state == FakeExecution::State::kDone) {
    WriteAll(execution, now);
  } else {
    WritePart(execution, state == FakeExecution::State::kFailed ? execution.fate.written
                                                                : rules.written_by_failed);
  }
}

void FakeUnloads::WriteAll(FakeExecution& execution, UnixNanos now) {
  FakeBucket& bucket = buckets_[execution.bucket];
  ResultSet& result = *execution.result;
  if (result.rows() == 0 && !rules.manifest_of_nothing) return;
  bucket.objects[result.manifest_key()] = {"", execution.result, now};
  bucket.objects[result.metadata_key()] = {"{\"ColumnInfo\":[]}", nullptr, now};
  if (result.files() == 0) return;
  if (execution.fate.lose_a_file) result.removed.insert(result.files() - 1);
  if (result.removed.size() < result.files()) bucket.sets.push_back(execution.result);
}

// What lies below the results and has no manifest. The set of all files stays as it is.
void FakeUnloads::WritePart(FakeExecution& execution, double share) {
  FakeBucket& bucket = buckets_[execution.bucket];
  const auto files = static_cast<std::uint64_t>(static_cast<double>(execution.result->files()) *
                                                std::clamp(share, 0.0, 1.0));
  if (files > 0) {
    auto part = std::make_shared<ResultSet>(*execution.result);
    for (std::uint64_t file = files; file < part->files(); ++file) part->removed.insert(file);
    bucket.sets.push_back(part);
  }
  if (rules.leaves_uploads && execution.result->files() > 0) {
    bucket.uploads.emplace(execution.result->Key(execution.result->files() - 1),
                           "upload-" + execution.query_id);
  }
}

UnloadFate FakeUnloads::FateOf(const UnloadStart& start) const {
  if (rules.fate) {
    if (auto fate = rules.fate(start)) return *std::move(fate);
  }
  UnloadFate fate;
  fate.written = rules.written_by_failed;
  if (start.partitions > rules.max_partitions) {
    fate.failure = "The number of partitions exceeds the limit of " +
                   std::to_string(rules.max_partitions) + " of an UNLOAD";
    fate.after = rules.partitions_fail_after;
  } else if (rules.memory_partitions && start.partitions > *rules.memory_partitions) {
    fate.failure = "The query computation exceeds maximum available memory";
    fate.after = rules.memory_fails_after;
  } else if (rules.timeout_rows && start.rows > *rules.timeout_rows) {
    fate.failure = "The query timed out";
    fate.after = rules.timeout;
  }
  return fate;
}

FakeUnloads::Taken FakeUnloads::Start(const std::string& sql, const SqlUnload& parsed,
                                      const FakeTable& table, const std::string& client_token,
                                      UnixNanos now) {
  const auto known = by_token_.find(client_token);
  if (!client_token.empty() && known != by_token_.end()) {
    FakeExecution& execution = executions_[known->second];
    if (now - execution.started > rules.client_token_window.count()) {
      return Refuse("ValidationException", "The client token was used more than 5 minutes ago");
    }
    if (execution.sql != sql) {
      return Refuse("ValidationException", "The client token was used with another query");
    }
    return {&execution, {}};
  }
  const Result<FakeGrouping> grouping = GroupingOf(parsed, table);
  if (!grouping) return Refuse("ValidationException", grouping.error().message);
  if (buckets_.count(parsed.bucket) == 0) {
    return Refuse("ValidationException", "The bucket does not exist: " + parsed.bucket);
  }
  if (last_start_ && now - *last_start_ < (rules.start_interval - rules.start_tolerance).count()) {
    ++throttled_;
    return Refuse("ThrottlingException", "Rate exceeded: 1 UNLOAD a second");
  }
  last_start_ = now;
  std::vector<ResultFolder> folders = FoldersOf(parsed, table, *grouping);

  FakeExecution execution;
  execution.sql = sql;
  execution.client_token = client_token;
  execution.to = "s3://" + parsed.bucket + "/" + parsed.folder;
  execution.bucket = parsed.bucket;
  execution.started = now;
  execution.start = {executions_.size() + 1, parsed.select.table, parsed.select.range,
                     folders.size(), 0};
  for (const ResultFolder& folder : folders) execution.start.rows += folder.rows;
  std::string number = std::to_string(execution.start.number);
  execution.query_id = "AEDACA" + number.insert(0, 10 - number.size(), '0');
  execution.result = std::make_shared<ResultSet>(parsed.bucket, parsed.folder, execution.query_id,
                                                 std::move(folders), table.bytes_per_row,
                                                 table.files_per_partition);
  execution.fate = FateOf(execution.start);
  const auto rows = static_cast<std::int64_t>(execution.start.rows);
  execution.ends = now + (execution.fate.failure.empty() ? rules.base + rules.per_row * rows
                                                         : execution.fate.after)
                             .count();
  running_.push_back(executions_.size());
  if (!client_token.empty()) by_token_[client_token] = executions_.size();
  by_query_[execution.query_id] = executions_.size();
  executions_.push_back(std::move(execution));
  return {&executions_.back(), {}};
}

std::string FakeUnloads::NextToken(FakeExecution& execution, UnixNanos now) {
  execution.issued = now;
  return "UNLOAD-" + execution.query_id + "-" + std::to_string(execution.page + 1);
}

FakeUnloads::Taken FakeUnloads::UsePage(const std::string& next_token, const std::string& sql,
                                        UnixNanos now) {
  const auto invalid = [] { return Refuse("ValidationException", "Invalid pagination token"); };
  const std::vector<std::string_view> parts = Split(next_token, '-');
  FakeExecution* execution = parts.size() == 3 ? Find(std::string(parts[1])) : nullptr;
  if (execution == nullptr || execution->sql != sql) return invalid();
  const auto page = ParseInt64(parts[2]).value_or(0);
  // A token goes bad once the one behind it was used.
  if (page == execution->page + 1) {
    ++execution->page;
    execution->uses = 0;
  } else if (page != execution->page) {
    return invalid();
  }
  if (++execution->uses > rules.next_token_uses) return invalid();
  if (now - execution->issued > rules.next_token_life.count()) return invalid();
  return {execution, {}};
}

FakeExecution* FakeUnloads::Find(const std::string& query_id) {
  const auto found = by_query_.find(query_id);
  return found == by_query_.end() ? nullptr : &executions_[found->second];
}

bool FakeUnloads::Cancel(const std::string& query_id, UnixNanos now) {
  FakeExecution* execution = Find(query_id);
  if (execution == nullptr) return false;
  if (execution->state == FakeExecution::State::kCancelled) return true;
  if (execution->state != FakeExecution::State::kRunning) return false;
  End(*execution, FakeExecution::State::kCancelled, now);
  return true;
}

}  // namespace tsm::test
