#include "source_record.h"

#include <algorithm>
#include <utility>

#include "found_file.h"
#include "load_places.h"
#include "tsm/core/text.h"

namespace tsm::batchload {

namespace {

constexpr std::string_view kResults = "results/";

// A record or an index as it was found.
struct Candidate {
  s3::ObjectKey key;
  std::optional<run::RunRecord> record;
  std::optional<run::RunIndex> index;

  std::string folder() const { return std::string(FolderOf(key.str())); }
  const std::string& run_id() const { return record ? record->run_id : index->run_id; }
};

std::string ParentOf(std::string_view prefix) {
  if (!prefix.empty()) prefix.remove_suffix(1);  // its closing '/'
  return std::string(FolderOf(prefix));
}

// "<database>/<table>/" of a table's folder below the index.
std::string TableFolder(const timestream::TableRef& table) {
  return table.database + "/" + table.table + "/";
}

std::string Describe(const Candidate& candidate) {
  if (candidate.index) {
    const run::RunIndex& index = *candidate.index;
    return index.run_id + " (" + std::to_string(index.records.size()) + " tables" +
           (index.state == run::RunState::kDone ? ")" : ", not finished)");
  }
  const run::RunRecord& record = *candidate.record;
  const bool done = record.state == run::RunState::kDone;
  std::string text = record.run_id + " (" + record.source.str() + ", " +
                     (done ? "finished " + record.finished_at : "not finished");
  if (record.from && record.end) {
    text += ", " + ShortTime(*record.from) + " to " + ShortTime(*record.end);
  }
  if (done) text += ", " + WithThousands(record.rows) + " rows";
  return text + ")";
}

std::string DescribeAll(const std::vector<Candidate>& candidates) {
  std::vector<std::string> texts;
  texts.reserve(candidates.size());
  for (const Candidate& candidate : candidates) texts.push_back(Describe(candidate));
  return NameSome(texts, 10);
}

// The record lies in S3 as an operator's other files do: a damaged one is no answer of a service.
Error Damaged(Error error, const std::string& uri) {
  if (error.kind == ErrorKind::kBadReply) {
    error.kind = ErrorKind::kInTheWay;
    error.message +=
        "; put it back as ts-unload wrote it, or move it away: without a record the "
        "prefix is listed";
  }
  return std::move(error).With(uri);
}

Error NotFinished(const std::string& run_id, const std::string& uri) {
  return MakeError(ErrorKind::kInTheWay, "the unload " + run_id + " has not finished (" + uri +
                                             "): finish it with ts-unload resume " + run_id +
                                             ", then load");
}

class Finder {
 public:
  Finder(const SourceRequest& request, s3::S3Client& source, ProgressSink& sink,
         std::stop_token stop)
      : request_(request), source_(source), sink_(sink), stop_(std::move(stop)) {}

  Result<std::vector<FoundRecord>> Run() {
    if (Status found = LookIn(request_.prefix); !found) return found.error();
    if (!request_.prefix.empty()) {
      Status above = LookIn(ParentOf(request_.prefix));
      // Whoever may only see the prefix itself can still load it.
      if (!above && above.error().kind != ErrorKind::kAccessDenied) return above.error();
      if (!above) {
        sink_.Info("a run record of ts-unload is looked for only in " + Uri(request_.prefix) +
                   ": the folder above it can't be listed (" + above.error().code + ")");
      }
    }
    if (!request_.unload_run.empty()) return Choose();
    if (candidates_.empty()) return std::vector<FoundRecord>();
    if (candidates_.size() == 1) return Open(candidates_.front());
    return MakeError(ErrorKind::kInvalidInput,
                     "several unloads left their record for " + Uri(request_.prefix) + ": " +
                         DescribeAll(candidates_) +
                         "; choose with --unload_run RUN which of them is loaded");
  }

 private:
  std::string Uri(const std::string& key) const {
    return s3::S3Uri{request_.bucket, s3::ObjectKey(key)}.str();
  }

  Result<std::string> Read(const s3::ObjectKey& key) {
    Result<std::string> body = source_.GetObject(request_.bucket, key, std::nullopt, stop_);
    if (!body) return body.error().With("reading the run record");
    return body;
  }

  Status LookIn(const std::string& folder) {
    s3::ListOptions options;
    options.delimiter = "/";
    std::string token;
    std::vector<s3::ObjectKey> keys;
    do {
      Result<s3::ListPage> page = source_.ListObjects(
          request_.bucket, folder + std::string(run::kRunRecordPrefix), token, options, stop_);
      if (!page) return page.error().With("looking for a run record");
      for (const s3::ObjectSummary& object : page->objects) {
        if (run::IsRunRecordKey(object.key.str())) keys.push_back(object.key);
      }
      token = page->next_token;
    } while (!token.empty());
    for (const s3::ObjectKey& key : keys) {
      if (Status read = Consider(key); !read) return read;
    }
    return Ok();
  }

  Status Consider(const s3::ObjectKey& key) {
    Result<std::string> body = Read(key);
    if (!body) return body.error();
    Candidate candidate;
    candidate.key = key;
    if (run::IsRunIndex(*body)) {
      Result<run::RunIndex> index = run::ParseRunIndex(*body);
      if (!index) return Damaged(index.error(), Uri(key.str()));
      candidate.index = *std::move(index);
    } else {
      Result<run::RunRecord> record = run::ParseRunRecord(*body);
      if (!record) return Damaged(record.error(), Uri(key.str()));
      candidate.record = *std::move(record);
    }
    const bool known =
        std::any_of(candidates_.begin(), candidates_.end(),
                    [&](const Candidate& other) { return other.run_id() == candidate.run_id(); });
    if (!known && Concerns(candidate)) candidates_.push_back(std::move(candidate));
    return Ok();
  }

  bool HoldsPrefix(const std::string& folder) const {
    return folder.starts_with(request_.prefix) ||
           (folder + std::string(kResults)).starts_with(request_.prefix);
  }

  bool Concerns(const Candidate& candidate) const {
    if (candidate.record) return HoldsPrefix(candidate.folder());
    return std::any_of(candidate.index->records.begin(), candidate.index->records.end(),
                       [&](const auto& entry) {
                         return HoldsPrefix(candidate.folder() + TableFolder(entry.first));
                       });
  }

  Result<std::vector<FoundRecord>> Choose() {
    for (const Candidate& candidate : candidates_) {
      if (candidate.run_id() == request_.unload_run) return Open(candidate);
    }
    return MakeError(ErrorKind::kInvalidInput,
                     "--unload_run " + request_.unload_run +
                         ": there is no record of that unload in " + Uri(request_.prefix) +
                         " or above it; " +
                         (candidates_.empty() ? "there is none at all"
                                              : "there is " + DescribeAll(candidates_)));
  }

  Result<std::vector<FoundRecord>> Open(const Candidate& candidate) {
    std::vector<FoundRecord> found;
    if (candidate.record) {
      Status added = Add(*candidate.record, candidate.key, found);
      if (!added) return added.error();
      return found;
    }
    const run::RunIndex& index = *candidate.index;
    if (index.state != run::RunState::kDone) {
      return NotFinished(index.run_id, Uri(candidate.key.str()));
    }
    for (const auto& [table, written] : index.records) {
      const std::string folder = candidate.folder() + TableFolder(table);
      if (!HoldsPrefix(folder)) continue;
      const s3::ObjectKey key(folder + std::string(NameOf(candidate.key.str())));
      Result<std::string> body = Read(key);
      if (!body && body.error().kind == ErrorKind::kNotFound) {
        return MakeError(ErrorKind::kInTheWay, "the index " + Uri(candidate.key.str()) +
                                                   " names the record of " + table.str() +
                                                   ", and there is none at " + Uri(key.str()));
      }
      if (!body) return body.error();
      Result<run::RunRecord> record = run::ParseRunRecord(*body);
      if (!record) return Damaged(record.error(), Uri(key.str()));
      if (Status added = Add(*std::move(record), key, found); !added) return added.error();
    }
    return found;
  }

  Status Add(run::RunRecord record, const s3::ObjectKey& key, std::vector<FoundRecord>& found) {
    if (record.state != run::RunState::kDone) return NotFinished(record.run_id, Uri(key.str()));
    FoundRecord one;
    one.uri = Uri(key.str());
    one.folder = FolderOf(key.str());
    one.origin = one.folder;
    for (const run::RecordSlice& slice : record.slices) {
      Result<s3::S3Uri> to = s3::S3Uri::Parse(slice.to);
      if (!to) return to.error().With(one.uri + " slice " + slice.id);
      std::string folder = to->key.str();
      if (!folder.empty() && !folder.ends_with('/')) folder += '/';
      // "<origin>results/<slice>-<attempt>/"
      if (FoundRecord::IsNested(slice)) folder = ParentOf(ParentOf(folder));
      one.origin = std::move(folder);
    }
    if (one.origin != one.folder) {
      sink_.Info("the unload of " + one.uri + " went to the key prefix '" + one.origin +
                 "'; its files are looked for where the record lies now");
    }
    one.record = std::move(record);
    found.push_back(std::move(one));
    return Ok();
  }

  const SourceRequest& request_;
  s3::S3Client& source_;
  ProgressSink& sink_;
  std::stop_token stop_;
  std::vector<Candidate> candidates_;
};

}  // namespace

bool FoundRecord::IsNested(const run::RecordSlice& slice) {
  std::string_view to = slice.to;
  if (to.ends_with('/')) to.remove_suffix(1);
  return !slice.attempt.empty() &&
         to.ends_with("/" + std::string(kResults) + slice.id + "-" + slice.attempt);
}

std::string FoundRecord::ResultsOf(const run::RecordSlice& slice) const {
  const std::string own =
      IsNested(slice) ? std::string(kResults) + slice.id + "-" + slice.attempt + "/" : "";
  return folder + own + std::string(kResults);
}

std::string FoundRecord::KeyNow(const std::string& key) const {
  return key.starts_with(origin) ? folder + key.substr(origin.size()) : key;
}

Result<std::vector<FoundRecord>> FindRecords(const SourceRequest& request, s3::S3Client& source,
                                             ProgressSink& sink, std::stop_token stop) {
  return Finder(request, source, sink, std::move(stop)).Run();
}

}  // namespace tsm::batchload
