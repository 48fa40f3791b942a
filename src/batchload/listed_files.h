// The files below a prefix that no run record tells of: the listing held against the manifests of
// the UNLOADs that wrote it. Only what a complete manifest names is whole, and only its row counts
// can prove the load. Both are sorted in the run directory and merged: memory grows with UNLOADs,
// not with files.
#pragma once

#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "file_collector.h"
#include "tsm/batchload/plan_source.h"
#include "tsm/core/result.h"

namespace tsm::batchload {

// A folder in which manifests are looked for.
struct ManifestRoot {
  std::string folder;  // "" or ends in '/'
  // Every manifest here wrote below the listed prefix; else (a folder that merely lies above it)
  // only those of listed files count.
  bool exclusive = true;
};

// What precedes the last `results/` of the listed prefix (its parent folder where there is none),
// and of the files' own folders.
std::vector<ManifestRoot> ManifestRoots(std::string_view listed_prefix,
                                        const std::vector<std::string>& folders);

// What follows the last whole segment `results`, so that files may have been copied elsewhere; else
// what follows `listed_prefix`.
std::string_view TailOf(std::string_view key, std::string_view listed_prefix);

// Files are listed before their rules are known in full: `gzip` of the rules is set when all have
// been seen.
// To the findings go: a file whose QueryId has no complete manifest, a file that a manifest names
// below the prefix and that is missing or of another size, a file that its manifest does not name.
// kInvalidInput: there is no data file, or some that batch load can't read.
Status CollectListed(const SourceRequest& request, s3::S3Client& source, GroupRules& rules,
                     FileCollector& files, std::stop_token stop);

// Every object but the console's folder markers: for --copy_only.
Status CollectAll(const SourceRequest& request, s3::S3Client& source, FileCollector& files,
                  std::stop_token stop);

}  // namespace tsm::batchload
