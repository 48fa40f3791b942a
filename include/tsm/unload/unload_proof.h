// Holds a manifest against the objects that really lie below an attempt's results/: every file
// present with its size, and what else lies there. Fed with a listing object by object, so no
// listing is held. Refers to the manifest, which outlives it; used by one thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tsm/run/manifest.h"
#include "tsm/s3/s3_client.h"
#include "tsm/unload/unload_state.h"

namespace tsm::unload {

class UnloadProof {
 public:
  // `query_id`: whose manifest it is.
  UnloadProof(const run::Manifest& manifest, const Attempt& attempt, std::string query_id);

  // One object of the listing below attempt.results_prefix(); others than data files are passed
  // over, and so is, beside a flat attempt, what lies in the folders of nested ones.
  void See(const s3::ObjectSummary& object);

  // After the last object: one line per difference between manifest and objects, each with its key.
  // Empty: proven.
  std::vector<std::string> Problems() const;

  // Data files that another query wrote, which would be loaded with these.
  const std::vector<s3::ObjectKey>& strangers() const { return strangers_; }

 private:
  struct Expected {
    std::uint64_t bytes = 0;
    bool seen = false;
  };
  std::string bucket_;
  std::string results_prefix_;
  bool flat_;
  std::string query_id_;
  std::map<std::string_view, Expected> files_;  // by key
  std::vector<std::string> problems_;
  std::vector<s3::ObjectKey> strangers_;
};

// "0007ab-k3f9a2": the folder below results/ that an attempt of a slice has to itself.
std::string AttemptFolder(std::string_view slice, std::string_view attempt);
bool IsAttemptFolder(std::string_view segment);

}  // namespace tsm::unload
