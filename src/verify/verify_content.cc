// The half of verify_table.h that compares content.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "column_map.h"
#include "fact_compare.h"
#include "slice_content.h"
#include "tsm/core/text.h"
#include "tsm/run/content_queries.h"
#include "tsm/timestream/ask_rows.h"
#include "tsm/timestream/query_sql.h"
#include "tsm/timestream/table_schema.h"
#include "visibility_wait.h"

namespace tsm::verify {

namespace {

constexpr std::size_t kMaxTold = 100;
constexpr std::size_t kShownBytes = 80;

// One partition of a slice, of either table.
struct PartitionFacts {
  std::uint64_t rows = 0;
  std::map<std::string, Facts, std::less<>> columns;
};
using SliceFacts = std::map<std::string, PartitionFacts, std::less<>>;

void AddTo(SliceFacts& facts, const run::PartitionContent& content) {
  PartitionFacts& partition = facts[content.partition];
  partition.rows = content.rows;
  for (const run::ContentFact& fact : content.facts) {
    partition.columns[fact.column][fact.aggregate] = fact.value;
  }
}

std::uint64_t RowsAt(const SliceFacts& facts, const std::string& partition) {
  const auto found = facts.find(partition);
  return found == facts.end() ? 0 : found->second.rows;
}

std::uint64_t RowsOf(const SliceFacts& facts) {
  std::uint64_t rows = 0;
  for (const auto& [name, partition] : facts) rows += partition.rows;
  return rows;
}

const Facts& FactsAt(const PartitionFacts& partition, const std::string& column) {
  static const Facts none;
  const auto found = partition.columns.find(column);
  return found == partition.columns.end() ? none : found->second;
}

std::string ValueOf(const Facts& facts, const std::string& aggregate) {
  const auto found = facts.find(aggregate);
  return found == facts.end() ? "nothing" : OneLine(found->second, kShownBytes);
}

// Whether some partition has fewer rows in the target and none has more: what may still fill.
bool MayStillFill(const SliceFacts& source, const SliceFacts& target) {
  for (const auto& [name, partition] : target) {
    if (partition.rows > RowsAt(source, name)) return false;
  }
  return std::any_of(source.begin(), source.end(), [&](const auto& partition) {
    return partition.second.rows > RowsAt(target, partition.first);
  });
}

class ContentRun {
 public:
  ContentRun(const ContentRequest& request, s3::S3Client& source, const VerifyServices& services,
             std::stop_token stop)
      : request_(request),
        source_(source),
        services_(services),
        stop_(std::move(stop)),
        wait_(services, request.wait, request.poll_interval) {}

  Result<ContentVerdict> Run() {
    if (Status mapped = MapTable(); !mapped) return mapped.error();
    const std::vector<ContentSlice> slices = ContentSlices(request_.record);
    for (std::size_t i = 0; i < slices.size(); ++i) {
      if (Status compared = CompareSlice(slices[i]); !compared) {
        return compared.error().With("comparing the content of slice " + slices[i].id);
      }
      services_.sink.OnProgress({.phase = "verify",
                                 .done = i + 1,
                                 .total = slices.size(),
                                 .rows_done = rows_,
                                 .fraction = {},
                                 .left = {},
                                 .detail = ""});
    }
    verdict_.partitions = partitions_.size();
    verdict_.not_compared = map_.not_compared;
    return std::move(verdict_);
  }

 private:
  Status MapTable() {
    const run::RunRecord& record = request_.record;
    if (record.content_prefix.empty()) {
      return MakeError(ErrorKind::kInvalidInput,
                       "the run record of " + record.source.str() +
                           " names no aggregates to compare with, for its unload was made without "
                           "--verify content; unload it again with that, or prove the load by "
                           "--verify count");
    }
    if (record.verified == "expired") {
      services_.sink.Warn("rows of " + record.source.str() +
                          " expired while they were unloaded: at its old end the target holds "
                          "more than the source's aggregates tell");
    }
    unit_ = timestream::ParsePartitionUnit(record.partition).value_or(unit_);
    timestream::TableSchema schema;
    const auto describe = [&]() -> Status {
      Result<timestream::TableSchema> found =
          timestream::DescribeSchema(services_.query, request_.table, stop_);
      if (!found) return found.error();
      schema = *std::move(found);
      return Ok();
    };
    Status described = TryPatiently(PatienceOf(services_), describe, stop_);
    if (!described) return described.error().With("describing " + request_.table.str());
    Result<ColumnMap> map = MapColumns(record, request_.model, schema);
    if (!map) return map.error();
    map_ = *std::move(map);
    return Ok();
  }

  Result<std::string> ReadObject(const ContentSlice& slice) {
    const s3::S3Uri uri{request_.bucket,
                        s3::ObjectKey(request_.record.content_prefix + slice.id + ".jsonl")};
    std::string body;
    const auto get = [&]() -> Status {
      Result<std::string> got = source_.GetObject(uri.bucket, uri.key, std::nullopt, stop_);
      if (!got) return got.error();
      body = *std::move(got);
      return Ok();
    };
    Status read = TryPatiently(PatienceOf(services_), get, stop_);
    if (read) return body;
    if (read.error().kind == ErrorKind::kNotFound) {
      return read.error().With(
          "the source's aggregates are gone, which its unload with --verify "
          "content had left at " +
          uri.str());
    }
    return read.error().With("reading the source's aggregates at " + uri.str());
  }

  Status CompareSlice(const ContentSlice& slice) {
    Result<std::string> body = ReadObject(slice);
    if (!body) return body.error();
    SliceContent content(*std::move(body));
    run::ContentScope scope{request_.table, unit_,
                            " WHERE " + timestream::TimeSql(slice.from, slice.end)};
    for (bool first = true;; first = false) {
      Result<std::vector<run::PartitionContent>> lines = content.NextQuestion();
      if (!lines) return lines.error();
      // Rows where none were are looked for too.
      if (lines->empty() && !first) return Ok();
      if (Status compared = CompareQuestion(scope, *lines, first); !compared) return compared;
      if (services_.tick) {
        if (Status kept = services_.tick(); !kept) return kept;
      }
    }
  }

  Status CompareQuestion(const run::ContentScope& scope,
                         const std::vector<run::PartitionContent>& lines, bool first) {
    SliceFacts source;
    for (const run::PartitionContent& line : lines) AddTo(source, line);
    std::vector<ComparedColumn> columns;
    if (!source.empty()) {
      for (const auto& [name, facts] : source.begin()->second.columns) {
        if (const ComparedColumn* column = map_.Find(name)) columns.push_back(*column);
      }
    }
    if (columns.empty() && !first) return Ok();
    Result<SliceFacts> target = AskTarget(scope, columns);
    while (target && first && MayStillFill(source, *target) && !wait_.over()) {
      const std::string seen = WithThousands(RowsOf(*target)) + " of " +
                               WithThousands(RowsOf(source)) +
                               " rows of a slice are to be seen "
                               "in " +
                               request_.table.str() + " so far";
      if (Status waited = wait_.Wait(seen, stop_); !waited) return waited;
      target = AskTarget(scope, columns);
    }
    if (!target) return target.error();
    if (first) CompareRows(source, *target);
    for (const auto& [name, partition] : source) {
      const auto found = target->find(name);
      if (found == target->end()) continue;
      for (const ComparedColumn& column : columns) {
        CompareColumn(name, column, FactsAt(partition, column.source),
                      FactsAt(found->second, column.target));
      }
    }
    return Ok();
  }

  Result<SliceFacts> AskTarget(const run::ContentScope& scope,
                               const std::vector<ComparedColumn>& columns) {
    std::vector<run::ContentColumn> asked;
    for (const ComparedColumn& column : columns) {
      if (!column.missing) asked.push_back({column.target, column.type});
    }
    SliceFacts facts;
    for (const std::vector<run::ContentColumn>& chunk : run::ContentChunks(scope, asked)) {
      std::vector<run::PartitionContent> rows;
      timestream::RowQuestion question;
      question.sql = run::ContentSql(scope, chunk);
      question.begin = [&] { rows.clear(); };
      question.row = [&](const timestream::QueryPage& page, const timestream::Row& row) -> Status {
        Result<run::PartitionContent> content = run::ParseContentRow(chunk, page, row);
        if (!content) return content.error();
        rows.push_back(*std::move(content));
        return Ok();
      };
      Status answered = timestream::AskRows(services_.query, services_.random,
                                            PatienceOf(services_), question, stop_);
      if (!answered) return answered.error().With("asking for the content of " + scope.table.str());
      for (const run::PartitionContent& row : rows) AddTo(facts, row);
    }
    return facts;
  }

  void CompareRows(const SliceFacts& source, const SliceFacts& target) {
    verdict_.waited_out = verdict_.waited_out || MayStillFill(source, target);
    std::set<std::string> names;
    for (const SliceFacts* facts : {&source, &target}) {
      for (const auto& [name, partition] : *facts) names.insert(name);
    }
    for (const std::string& name : names) {
      const std::uint64_t was = RowsAt(source, name);
      const std::uint64_t is = RowsAt(target, name);
      rows_ += is;
      ++verdict_.facts;
      if (was != is) Tell(name + " rows: " + std::to_string(was), std::to_string(is) + " now");
    }
    partitions_.merge(names);
  }

  void CompareColumn(const std::string& partition, const ComparedColumn& column,
                     const Facts& source, const Facts& target) {
    std::string what = partition + " " + OneLine(column.source, kShownBytes);
    if (column.target != column.source) {
      what += " (loaded as " + OneLine(column.target, kShownBytes) + ")";
    }
    if (column.missing) {
      ++verdict_.facts;
      const std::string values = ValueOf(source, "count");
      if (values != "0") Tell(what + " count: " + values, "the target has no such column");
      return;
    }
    std::set<std::string> aggregates{"count"};
    if (!column.type.empty()) {
      for (const Facts* facts : {&source, &target}) {
        for (const auto& [name, value] : *facts) aggregates.insert(name);
      }
    }
    for (const std::string& aggregate : aggregates) {
      const Comparison compared = Compare(column.type, aggregate, source, target);
      if (compared == Comparison::kUndecidable) continue;
      ++verdict_.facts;
      if (compared == Comparison::kEqual) continue;
      Tell(what + " " + aggregate + ": " + ValueOf(source, aggregate),
           ValueOf(target, aggregate) + " now");
    }
  }

  // "2024-02-26 temperature sum: 12.5", "12.0 now".
  void Tell(const std::string& was, const std::string& is) {
    if (verdict_.different++ >= kMaxTold) return;
    verdict_.differences.push_back(was + " unloaded, " + is);
  }

  const ContentRequest& request_;
  s3::S3Client& source_;
  const VerifyServices& services_;
  const std::stop_token stop_;
  VisibilityWait wait_;
  timestream::PartitionUnit unit_ = timestream::PartitionUnit::kNone;
  ColumnMap map_;
  std::set<std::string> partitions_;
  std::uint64_t rows_ = 0;
  ContentVerdict verdict_;
};

}  // namespace

Result<ContentVerdict> VerifyContent(const ContentRequest& request, s3::S3Client& source,
                                     const VerifyServices& services, std::stop_token stop) {
  return ContentRun(request, source, services, std::move(stop)).Run();
}

}  // namespace tsm::verify
