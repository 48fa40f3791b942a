// What attempts leave in S3: the manifest that proves one, the files of those that failed. Knows
// which objects may be deleted: only what lies under a failed attempt's own prefix, or carries its
// QueryId.
// https://docs.aws.amazon.com/timestream/latest/developerguide/export-unload-best-practices.html
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tsm/core/result.h"
#include "tsm/run/manifest.h"
#include "tsm/unload/unload_run.h"
#include "tsm/unload/unload_state.h"

namespace tsm::unload {

struct FoundManifest {
  std::string query_id;
  std::string uri;
};

// The manifest that lies where this attempt's would: with a prefix of its own any (the journaled
// query's first), beside a flat attempt only the journaled query's. Nothing where there is none.
Result<std::optional<FoundManifest>> FindManifest(const Attempt& attempt,
                                                  const UnloadServices& services,
                                                  std::stop_token stop);

// Reads and parses. kProof where it is not there, is no manifest or does not add up.
Result<run::Manifest> ReadManifest(const std::string& uri, const UnloadServices& services,
                                   std::stop_token stop);

// Lists what lies below the attempt's results/ and holds it against the manifest. Data files of
// other queries would be loaded with these: under a prefix of its own they can only be of its own
// repeated first call, and are deleted. kProof: what differs, each difference told to the sink.
Status CheckObjects(const Attempt& attempt, const std::string& query_id,
                    const run::Manifest& manifest, const UnloadServices& services,
                    std::stop_token stop);

struct Cleaned {
  std::uint64_t deleted = 0;           // objects and incomplete multipart uploads
  std::vector<std::string> remaining;  // uris that could not be deleted, with why
};

// Deletes what a failed or replaced attempt left: with a prefix of its own all below it, incomplete
// multipart uploads too; of a flat one the objects of its QueryId, and nothing where that is not
// known. kBadReply, and nothing deleted, where a prefix of its own is no attempt's folder.
Result<Cleaned> CleanAttempt(const Attempt& attempt, const UnloadServices& services,
                             std::stop_token stop);

// Deletes these; what remains is told in the result.
Result<Cleaned> DeleteKeys(const s3::BucketName& bucket, const std::vector<s3::ObjectKey>& keys,
                           const UnloadServices& services, std::stop_token stop);

}  // namespace tsm::unload
