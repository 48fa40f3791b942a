#include "tsm/unload/unload_proof.h"

#include <set>
#include <utility>

#include "tsm/core/text.h"

namespace tsm::unload {

UnloadProof::UnloadProof(const run::Manifest& manifest, const UnloadPlan& plan,
                         std::string query_id)
    : bucket_(plan.bucket.str()), query_id_(std::move(query_id)) {
  for (const run::ManifestFile& file : manifest.files) {
    const std::string& key = file.uri.key.str();
    if (file.uri.bucket != plan.bucket || !key.starts_with(plan.results_prefix)) {
      problems_.push_back(file.uri.str() + ": named by the manifest, but outside s3://" + bucket_ +
                          "/" + plan.results_prefix);
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
  if (!run::IsDataFile(key)) return;
  const auto query_id = run::QueryIdOfDataFile(key);
  if (query_id == query_id_) {
    problems_.push_back(uri + ": written by this query, but not named by its manifest");
  } else {
    problems_.push_back(uri + ": not of this query, but " +
                        (query_id ? "of query " + *query_id : "of no query that its name tells"));
  }
}

std::vector<std::string> UnloadProof::Problems() {
  std::vector<std::string> problems = problems_;
  for (const auto& [key, expected] : files_) {
    if (!expected.seen) {
      problems.push_back("s3://" + bucket_ + "/" + std::string(key) +
                         ": named by the manifest, but not there");
    }
  }
  return problems;
}

std::uint64_t CountPartitions(const run::Manifest& manifest, const UnloadPlan& plan) {
  std::set<std::string_view> folders;
  for (const run::ManifestFile& file : manifest.files) {
    const std::string_view key = file.uri.key.str();
    if (!key.starts_with(plan.results_prefix)) continue;
    const std::string_view rest = key.substr(plan.results_prefix.size());
    const auto slash = rest.rfind('/');
    if (slash != std::string_view::npos) folders.insert(rest.substr(0, slash));
  }
  return folders.size();
}

}  // namespace tsm::unload
