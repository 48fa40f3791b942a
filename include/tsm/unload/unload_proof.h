// Holds a manifest against the objects that really lie below results/: every file present with its
// size, and nothing there that the manifest does not name. Fed with a listing object by object, so
// no listing is held. Refers to the manifest, which outlives it; used by one thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tsm/run/manifest.h"
#include "tsm/s3/s3_client.h"
#include "tsm/unload/unload_plan.h"

namespace tsm::unload {

class UnloadProof {
 public:
  UnloadProof(const run::Manifest& manifest, const UnloadPlan& plan, std::string query_id);

  // One object of the listing below plan.results_prefix; others than data files are passed over.
  void See(const s3::ObjectSummary& object);

  // After the last object: one line per difference, each with its key. Empty: proven.
  std::vector<std::string> Problems();

 private:
  struct Expected {
    std::uint64_t bytes = 0;
    bool seen = false;
  };
  std::string bucket_;
  std::string query_id_;
  std::map<std::string_view, Expected> files_;  // by key
  std::vector<std::string> problems_;
};

// In how many folders below results/ the manifest's files lie; results/ itself does not count.
std::uint64_t CountPartitions(const run::Manifest& manifest, const UnloadPlan& plan);

}  // namespace tsm::unload
