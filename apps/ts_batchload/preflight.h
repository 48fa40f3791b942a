// Looks at what the run needs before it changes anything (buckets and their regions, database,
// table), and creates what was asked for and is missing.
#pragma once

#include <stop_token>

#include "ts_batchload/services.h"
#include "ts_batchload/settings.h"
#include "tsm/core/result.h"

namespace tsm::apps {

// What does not exist yet and is to be created.
struct Missing {
  bool target_bucket = false;
  bool error_bucket = false;
  bool database = false;
  bool table = false;
};

// Reads only. kInvalidInput where something is missing without its create flag, or lies in another
// region than the table's: batch load reads and reports only there.
// https://docs.aws.amazon.com/timestream/latest/developerguide/batch-load-prerequisites.html
Result<Missing> LookAround(const BatchLoadSettings& settings, const BatchLoadServices& services,
                           std::stop_token stop);

// Creates them, buckets first. What another run created meanwhile is used.
Status CreateMissing(const Missing& missing, const BatchLoadSettings& settings,
                     const BatchLoadServices& services, std::stop_token stop);

}  // namespace tsm::apps
