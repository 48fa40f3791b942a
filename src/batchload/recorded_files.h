// The files that a run record vouches for: each slice's manifest held against a listing of what
// lies below the slice's results. One manifest is held at a time.
#pragma once

#include <stop_token>

#include "file_collector.h"
#include "source_record.h"
#include "tsm/batchload/plan_source.h"
#include "tsm/core/result.h"

namespace tsm::batchload {

// kInvalidInput where batch load can't read what the unload wrote, with the remedy.
Status CheckFormat(const FoundRecord& found, bool copy);

// What does not agree goes to the findings; a manifest that is forbidden is an error, but with
// Verify::kNone. Files of a slice without a usable manifest are known by their QueryId, without
// rows.
Status CollectRecorded(const FoundRecord& found, const SourceRequest& request, s3::S3Client& source,
                       FileCollector& files, std::stop_token stop);

}  // namespace tsm::batchload
