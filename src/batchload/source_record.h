// Finds the records of ts-unload that tell what lies below a source prefix.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "tsm/batchload/plan_source.h"
#include "tsm/core/result.h"
#include "tsm/run/run_record.h"
#include "tsm/s3/s3_client.h"

namespace tsm::batchload {

struct FoundRecord {
  run::RunRecord record;
  std::string uri;     // where it was found
  std::string folder;  // key prefix of that place: "" or ends in '/'
  // The record's own place when it was written. Another one where the whole was copied since: then
  // manifests and files are looked for where the record lies now.
  std::string origin;

  // Whether the slice's UNLOAD had a folder of its own.
  static bool IsNested(const run::RecordSlice& slice);
  // Key prefixes, as they lie now: of the slice's results, and a key that the record names.
  std::string ResultsOf(const run::RecordSlice& slice) const;
  std::string KeyNow(const std::string& key) const;
};

// One, or as many as an index names (in its order); none: nothing vouches for the prefix. Looked
// for in the prefix and in the folder above it, where only what tells of the prefix counts.
// kInvalidInput: several, or not the one that --unload_run names; what there is is named.
// kInTheWay: of an unload that has not finished.
Result<std::vector<FoundRecord>> FindRecords(const SourceRequest& request, s3::S3Client& source,
                                             ProgressSink& sink, std::stop_token stop);

}  // namespace tsm::batchload
