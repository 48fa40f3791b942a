#include "tsm/unload/unload_proof.h"

#include <algorithm>
#include <utility>

#include "tsm/core/text.h"

namespace tsm::unload {

namespace {

// By its alias an access point names another bucket's objects: which of both names the service
// writes into the manifest is not verified, so only keys are compared then.
bool IsAlias(const std::string& bucket) { return bucket.ends_with("-s3alias"); }

}  // namespace

UnloadProof::UnloadProof(const run::Manifest& manifest, const Attempt& attempt,
                         std::string query_id)
    : bucket_(attempt.to.bucket.str()),
      results_prefix_(attempt.results_prefix()),
      flat_(attempt.flat),
      query_id_(std::move(query_id)) {
  const bool any_bucket = IsAlias(bucket_);
  for (const run::ManifestFile& file : manifest.files) {
    const std::string& key = file.uri.key.str();
    const bool here = any_bucket || file.uri.bucket == attempt.to.bucket;
    if (!here || !key.starts_with(results_prefix_)) {
      problems_.push_back(file.uri.str() + ": named by the manifest, but outside s3://" + bucket_ +
                          "/" + results_prefix_);
    } else if (!files_.emplace(key, Expected{file.bytes}).second) {
      problems_.push_back(file.uri.str() + ": named twice by the manifest");
    }
  }
}

void UnloadProof::See(const s3::ObjectSummary& object) {
  const std::string& key = object.key.str();
  const std::string uri = "s3://" + bucket_ + "/" + key;
  const auto file = files_.find(key);
  if (file != files_.end()) {
    file->second.seen = true;
    if (file->second.bytes != object.size) {
      problems_.push_back(uri + ": " + WithThousands(object.size) + " bytes, the manifest says " +
                          WithThousands(file->second.bytes));
    }
    return;
  }
  if (!run::IsDataFile(key) || !key.starts_with(results_prefix_)) return;
  if (flat_) {
    const std::string_view rest = std::string_view(key).substr(results_prefix_.size());
    const std::size_t slash = rest.find('/');
    if (slash != std::string_view::npos && IsAttemptFolder(rest.substr(0, slash))) return;
  }
  if (run::QueryIdOfDataFile(key) == query_id_) {
    problems_.push_back(uri + ": written by this query, but not named by its manifest");
  } else {
    strangers_.push_back(object.key);
  }
}

std::vector<std::string> UnloadProof::Problems() const {
  std::vector<std::string> problems = problems_;
  for (const auto& [key, expected] : files_) {
    if (!expected.seen) {
      problems.push_back("s3://" + bucket_ + "/" + std::string(key) +
                         ": named by the manifest, but not there");
    }
  }
  return problems;
}

std::string AttemptFolder(std::string_view slice, std::string_view attempt) {
  return std::string(slice) + "-" + std::string(attempt);
}

bool IsAttemptFolder(std::string_view segment) {
  const std::size_t dash = segment.find('-');
  if (dash == std::string_view::npos || dash < 4 || segment.size() - dash != 7) return false;
  std::size_t digits = 0;
  while (digits < dash && segment[digits] >= '0' && segment[digits] <= '9') ++digits;
  const auto all = [&](std::size_t from, std::size_t to, auto test) {
    return std::all_of(segment.begin() + static_cast<std::ptrdiff_t>(from),
                       segment.begin() + static_cast<std::ptrdiff_t>(to), test);
  };
  return digits >= 4 && all(digits, dash, [](char c) { return c == 'a' || c == 'b'; }) &&
         all(dash + 1, segment.size(),
             [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z'); });
}

}  // namespace tsm::unload
