#include "attempt_files.h"

#include <utility>

#include "tsm/core/text.h"
#include "tsm/unload/unload_proof.h"

namespace tsm::unload {

namespace {

// One DeleteObjects call's worth: no longer list is held.
constexpr std::size_t kBatch = 1000;

std::string UriOf(const s3::BucketName& bucket, const s3::ObjectKey& key) {
  return s3::S3Uri{bucket, key}.str();
}

// Whose name says that this query wrote it: data file, manifest or metadata.
bool IsOf(const std::string& query_id, const std::string& key) {
  const std::size_t slash = key.rfind('/');
  const std::string_view name =
      slash == std::string::npos ? std::string_view(key) : std::string_view(key).substr(slash + 1);
  return name.size() > query_id.size() && name.starts_with(query_id) &&
         name[query_id.size()] == '_';
}

// What lies below such a folder is the attempt's; below any other it may be anybody's.
bool LiesInAttemptFolder(const Attempt& attempt) {
  const std::string_view key = attempt.to.key.str();
  const std::size_t slash = key.rfind('/');
  return slash != std::string_view::npos && IsAttemptFolder(key.substr(slash + 1)) &&
         (key.substr(0, slash) == "results" || key.substr(0, slash).ends_with("/results"));
}

class Cleaner {
 public:
  Cleaner(const Attempt& attempt, const UnloadServices& services, std::stop_token stop)
      : attempt_(attempt), services_(services), stop_(std::move(stop)) {}

  Result<Cleaned> Run() {
    if (attempt_.flat && attempt_.query_id.empty()) return cleaned_;
    if (!attempt_.flat && !LiesInAttemptFolder(attempt_)) {
      return MakeError(ErrorKind::kBadReply, "nothing is deleted below " + attempt_.to.str() +
                                                 ": it is no folder of an attempt's own");
    }
    if (Status done = DeleteBelow(attempt_.flat ? attempt_.results_prefix() : attempt_.folder());
        !done) {
      return done.error();
    }
    if (attempt_.flat) {
      // Manifest and metadata lie beside results/.
      if (Status done = DeleteBelow(attempt_.folder() + attempt_.query_id + "_"); !done) {
        return done.error();
      }
    }
    if (Status done = AbortUploads(); !done) return done.error();
    return cleaned_;
  }

 private:
  bool IsOurs(const std::string& key) const {
    return !attempt_.flat || IsOf(attempt_.query_id, key);
  }

  Status DeleteBelow(const std::string& prefix) {
    std::vector<s3::ObjectKey> batch;
    Status deleted = Ok();
    Status listed = services_.s3.ForEachObject(
        attempt_.to.bucket, prefix,
        [&](const s3::ObjectSummary& object) {
          if (!IsOurs(object.key.str())) return true;
          batch.push_back(object.key);
          if (batch.size() < kBatch) return true;
          deleted = Delete(batch);
          return static_cast<bool>(deleted);
        },
        stop_);
    if (!listed) return listed;
    return deleted ? Delete(batch) : deleted;
  }

  Status Delete(std::vector<s3::ObjectKey>& batch) {
    if (batch.empty()) return Ok();
    Result<Cleaned> done = DeleteKeys(attempt_.to.bucket, batch, services_, stop_);
    if (!done) return done.error();
    cleaned_.deleted += done->deleted;
    cleaned_.remaining.insert(cleaned_.remaining.end(), done->remaining.begin(),
                              done->remaining.end());
    batch.clear();
    return Ok();
  }

  // An S3 that can't list them, or does not let us, keeps them: the bucket's lifecycle rule is what
  // AWS advises for those.
  Status AbortUploads() {
    Status aborted = Ok();
    Status listed = services_.s3.ForEachMultipartUpload(
        attempt_.to.bucket, attempt_.flat ? attempt_.results_prefix() : attempt_.folder(),
        [&](const s3::MultipartUpload& upload) {
          if (IsOurs(upload.key.str())) aborted = Abort(upload);
          return static_cast<bool>(aborted);
        },
        stop_);
    if (!listed && listed.error().kind == ErrorKind::kCancelled) return listed;
    if (!listed) {
      cleaned_.remaining.push_back("incomplete multipart uploads below " + attempt_.to.str() +
                                   " (" + listed.error().Text() + ")");
    }
    return aborted;
  }

  // Only a stop is an error: of everything else the next upload may fare better.
  Status Abort(const s3::MultipartUpload& upload) {
    Status aborted =
        services_.s3.AbortMultipartUpload(attempt_.to.bucket, upload.key, upload.upload_id, stop_);
    if (!aborted && aborted.error().kind == ErrorKind::kCancelled) return aborted;
    if (aborted) {
      ++cleaned_.deleted;
    } else {
      cleaned_.remaining.push_back("incomplete multipart upload of " +
                                   UriOf(attempt_.to.bucket, upload.key) + " (" +
                                   aborted.error().Text() + ")");
    }
    return Ok();
  }

  const Attempt& attempt_;
  const UnloadServices& services_;
  std::stop_token stop_;
  Cleaned cleaned_;
};

// Beside a flat attempt they may be anybody's.
Status RemoveStrangers(const Attempt& attempt, const std::vector<s3::ObjectKey>& strangers,
                       const UnloadServices& services, std::stop_token stop) {
  if (strangers.empty()) return Ok();
  const std::string bucket = "s3://" + attempt.to.bucket.str() + "/";
  if (!attempt.flat) {
    Result<Cleaned> cleaned = DeleteKeys(attempt.to.bucket, strangers, services, std::move(stop));
    if (!cleaned) return cleaned.error();
    if (cleaned->remaining.empty()) return Ok();
  }
  for (const s3::ObjectKey& key : strangers) {
    services.progress.OnNotice({Severity::kError, "of another query: " + bucket + key.str()});
  }
  return MakeError(ErrorKind::kProof,
                   "beside the files of this query lie " + std::to_string(strangers.size()) +
                       " of another; the first: " + bucket + strangers.front().str());
}

}  // namespace

Result<std::optional<FoundManifest>> FindManifest(const Attempt& attempt,
                                                  const UnloadServices& services,
                                                  std::stop_token stop) {
  if (attempt.flat && attempt.query_id.empty()) return std::optional<FoundManifest>();
  const std::string prefix = attempt.folder() + (attempt.flat ? attempt.query_id + "_" : "");
  std::optional<FoundManifest> found;
  s3::ListOptions options;
  options.delimiter = "/";  // data files, below results/, are not walked
  std::string token;
  do {
    Result<s3::ListPage> page =
        services.s3.ListObjects(attempt.to.bucket, prefix, token, options, stop);
    if (!page) return page.error().With("looking for the manifest of an attempt");
    for (const s3::ObjectSummary& object : page->objects) {
      const auto query_id = run::QueryIdOfManifest(object.key.str());
      if (!query_id) continue;
      if (found && *query_id != attempt.query_id) continue;
      found = FoundManifest{*query_id, UriOf(attempt.to.bucket, object.key)};
    }
    token = page->next_token;
  } while (!token.empty());
  return found;
}

Result<run::Manifest> ReadManifest(const std::string& manifest_uri, const UnloadServices& services,
                                   std::stop_token stop) {
  const std::string where = "manifest " + manifest_uri;
  Result<s3::S3Uri> uri = s3::S3Uri::Parse(manifest_uri);
  if (!uri) return MakeError(ErrorKind::kProof, where + ": " + uri.error().message);
  Result<std::string> text = services.s3.GetObject(uri->bucket, uri->key, std::nullopt, stop);
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

Result<Cleaned> CleanAttempt(const Attempt& attempt, const UnloadServices& services,
                             std::stop_token stop) {
  return Cleaner(attempt, services, std::move(stop)).Run();
}

Result<Cleaned> DeleteKeys(const s3::BucketName& bucket, const std::vector<s3::ObjectKey>& keys,
                           const UnloadServices& services, std::stop_token stop) {
  Result<std::vector<s3::DeleteFailure>> failures = services.s3.DeleteObjects(bucket, keys, stop);
  if (!failures) return failures.error().With("deleting what a failed attempt left");
  Cleaned cleaned;
  cleaned.deleted = keys.size() - failures->size();
  for (const s3::DeleteFailure& failure : *failures) {
    cleaned.remaining.push_back(UriOf(bucket, failure.key) + " (" + failure.code + ")");
  }
  return cleaned;
}

Status CheckObjects(const Attempt& attempt, const std::string& query_id,
                    const run::Manifest& manifest, const UnloadServices& services,
                    std::stop_token stop) {
  UnloadProof proof(manifest, attempt, query_id);
  Status listed = services.s3.ForEachObject(
      attempt.to.bucket, attempt.results_prefix(),
      [&proof](const s3::ObjectSummary& object) {
        proof.See(object);
        return true;
      },
      stop);
  if (!listed) return listed;
  const std::vector<std::string> problems = proof.Problems();
  for (const std::string& problem : problems) {
    services.progress.OnNotice({Severity::kError, problem});
  }
  if (!problems.empty()) {
    return MakeError(
        ErrorKind::kProof,
        std::to_string(problems.size()) +
            " differences between manifest and objects, each named above; the first: " +
            problems.front());
  }
  return RemoveStrangers(attempt, proof.strangers(), services, std::move(stop));
}

}  // namespace tsm::unload
