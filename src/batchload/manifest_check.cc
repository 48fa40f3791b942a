#include "tsm/batchload/manifest_check.h"

#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>

namespace tsm::batchload {
namespace {

constexpr std::string_view kResults = "results/";

// Where the last whole segment "results" begins, or npos.
std::size_t LastResults(std::string_view key) {
  std::size_t at = key.rfind(kResults);
  while (at != std::string_view::npos && at != 0 && key[at - 1] != '/') {
    at = key.rfind(kResults, at - 1);
  }
  return at;
}

std::string_view TailOf(std::string_view key, std::string_view listed_prefix) {
  if (const std::size_t at = LastResults(key); at != std::string_view::npos) {
    return key.substr(at + kResults.size());
  }
  return key.starts_with(listed_prefix) ? key.substr(listed_prefix.size()) : key;
}

std::string ParentOf(std::string_view prefix) {
  if (!prefix.empty()) prefix.remove_suffix(1);  // its closing '/'
  const auto slash = prefix.rfind('/');
  return slash == std::string_view::npos ? "" : std::string(prefix.substr(0, slash + 1));
}

// The listing, by what the manifests can be compared with.
struct Listed {
  std::unordered_map<std::string, DataFile*> by_tail;
  std::map<std::string, std::vector<DataFile*>> by_query;  // QueryId, in order for messages
  std::vector<std::string> nameless;                       // no UNLOAD file's name
};

Listed IndexFiles(std::string_view listed_prefix, LoadPlan& plan) {
  Listed listed;
  for (LoadGroup& group : plan.groups) {
    for (DataFile& file : group.files) {
      const std::string& key = file.key.str();
      listed.by_tail.emplace(TailOf(key, listed_prefix), &file);
      if (const auto query = run::QueryIdOfDataFile(key)) {
        listed.by_query[*query].push_back(&file);
      } else {
        listed.nameless.push_back(key);
      }
    }
  }
  return listed;
}

// Whether the file of the manifest must stand in the listing.
bool IsBelow(std::string_view listed_prefix, const ManifestRoot& root, std::string_view tail) {
  if (!root.exclusive) return true;
  return (root.folder + std::string(kResults) + std::string(tail)).starts_with(listed_prefix);
}

std::string KeysOf(const std::vector<DataFile*>& files) {
  std::vector<std::string> keys;
  keys.reserve(files.size());
  for (const DataFile* file : files) keys.push_back(file->key.str());
  return NameSome(keys, 3);
}

// What was found so far, and the files that a finding already names.
struct Findings {
  std::vector<std::string> lines;
  std::unordered_set<const DataFile*> named;
};

void ApplyOne(std::string_view listed_prefix, const FoundManifest& found, const Listed& listed,
              Findings& findings) {
  for (const run::ManifestFile& file : found.manifest->files) {
    const std::string tail(TailOf(file.uri.key.str(), ""));
    if (!IsBelow(listed_prefix, found.root, tail)) continue;
    const auto match = listed.by_tail.find(tail);
    if (match == listed.by_tail.end()) {
      findings.lines.push_back(found.key.str() + " names " + tail + ", which is missing");
    } else if (match->second->size != file.bytes) {
      findings.named.insert(match->second);
      findings.lines.push_back(match->second->key.str() + " has " +
                               std::to_string(match->second->size) + " bytes, " + found.key.str() +
                               " says " + std::to_string(file.bytes));
    } else {
      match->second->rows = file.rows;
    }
  }
}

}  // namespace

std::vector<ManifestRoot> ManifestRoots(std::string_view listed_prefix, const LoadPlan& plan) {
  std::vector<ManifestRoot> roots;
  std::set<std::string> seen;
  const auto add = [&](std::string folder, bool exclusive) {
    if (seen.insert(folder).second) roots.push_back({std::move(folder), exclusive});
  };
  for (const LoadGroup& group : plan.groups) {
    const std::size_t at = LastResults(group.folder);
    if (at != std::string::npos) add(group.folder.substr(0, at), true);
  }
  if (const std::size_t at = LastResults(listed_prefix); at != std::string_view::npos) {
    add(std::string(listed_prefix.substr(0, at)), true);
  } else {
    add(ParentOf(listed_prefix), false);
  }
  return roots;
}

std::vector<std::string> ApplyManifests(std::string_view listed_prefix,
                                        const std::vector<FoundManifest>& manifests,
                                        LoadPlan& plan) {
  const Listed listed = IndexFiles(listed_prefix, plan);
  Findings findings;
  std::unordered_set<std::string> complete;
  std::unordered_map<std::string, std::string> refused;  // QueryId -> why
  for (const FoundManifest& found : manifests) {
    const std::string query = run::QueryIdOfManifest(found.key.str()).value_or("");
    const bool concerns_us = listed.by_query.count(query) != 0;
    if (!found.root.exclusive && !concerns_us) continue;
    if (found.manifest) {
      complete.insert(query);
      ApplyOne(listed_prefix, found, listed, findings);
    } else if (concerns_us) {
      refused[query] = found.key.str() + ": " + found.manifest.error().message;
    } else {
      findings.lines.push_back(found.key.str() + ": " + found.manifest.error().message);
    }
  }
  for (const auto& [query, files] : listed.by_query) {
    if (complete.count(query) == 0) {
      const auto why = refused.find(query);
      findings.lines.push_back("no complete manifest for " + KeysOf(files) +
                               (why == refused.end() ? "" : " (" + why->second + ")"));
      continue;
    }
    for (const DataFile* file : files) {
      if (file->rows || findings.named.count(file) != 0) continue;
      findings.lines.push_back(file->key.str() + " is not named by the manifest of its query");
    }
  }
  if (!listed.nameless.empty()) {
    findings.lines.push_back("no UNLOAD wrote " + NameSome(listed.nameless, 3) +
                             " (by name), so no manifest tells the rows");
  }
  return std::move(findings.lines);
}

}  // namespace tsm::batchload
