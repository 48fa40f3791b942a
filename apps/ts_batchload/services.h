// What the pipeline works with: clients, clock and sink of the session, which outlives it.
#pragma once

#include <string>

#include "tsm/core/clock.h"
#include "tsm/core/progress.h"
#include "tsm/core/random.h"
#include "tsm/s3/s3_client.h"
#include "tsm/sns/sns_client.h"
#include "tsm/timestream/write_client.h"

namespace tsm::apps {

struct BatchLoadServices {
  s3::S3Client& s3;         // the target's side: buckets, copies, reports
  s3::S3Client& source_s3;  // the side that files are copied from; may be the same client
  timestream::WriteClient& write;
  sns::SnsClient& sns;
  const Clock& clock;
  Random& random;
  ProgressSink& sink;
  std::string region;  // of the table
};

}  // namespace tsm::apps
