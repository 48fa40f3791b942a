// Holds a listing against the manifests of the UNLOADs that wrote it: only what a complete manifest
// names is whole, and only its row counts can prove the load. Pure; the caller lists and reads.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tsm/batchload/load_plan.h"
#include "tsm/core/result.h"
#include "tsm/run/manifest.h"

namespace tsm::batchload {

// A folder in which manifests are looked for.
struct ManifestRoot {
  std::string folder;  // "" or ends in '/'
  // Every manifest here wrote below the listed prefix; else (a folder that merely lies above it)
  // only those of listed files count.
  bool exclusive = true;
};

struct FoundManifest {
  ManifestRoot root;
  s3::ObjectKey key;
  Result<run::Manifest> manifest;
};

// Where the manifests of these groups lie: what precedes the last `results/` of the listed prefix
// (its parent folder where there is none), and what precedes it in the files' own keys.
std::vector<ManifestRoot> ManifestRoots(std::string_view listed_prefix, const LoadPlan& plan);

// Sets DataFile::rows from the manifests and gives what is wrong, one line per finding, empty where
// all is proven: a file whose QueryId has no complete manifest, a file that a manifest names below
// the listed prefix and that is missing or of another size, a file that its own manifest does not
// name. Keys are compared by what follows their last `results/`, so that files may have been
// copied.
std::vector<std::string> ApplyManifests(std::string_view listed_prefix,
                                        const std::vector<FoundManifest>& manifests,
                                        LoadPlan& plan);

}  // namespace tsm::batchload
