// The composition root: owns clock, randomness, transport and credentials and hands out the service
// clients. Made once in main, after the flags were checked and before the first request.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "common/session_options.h"
#include "tsm/aws/client.h"
#include "tsm/aws/config.h"
#include "tsm/core/clock.h"
#include "tsm/core/progress.h"
#include "tsm/core/random.h"
#include "tsm/http/transport.h"
#include "tsm/s3/s3_client.h"
#include "tsm/sns/sns_client.h"
#include "tsm/sts/sts_client.h"
#include "tsm/timestream/query_client.h"
#include "tsm/timestream/write_client.h"

namespace tsm::apps {

class Session {
 public:
  // Resolves region, credentials and endpoints; no request. `program` names the user agent. With a
  // verbosity over 0 each request and its answer is told to `trace`, which outlives the session.
  static Result<std::unique_ptr<Session>> Open(const SessionOptions& options,
                                               const std::string& program,
                                               ProgressSink* trace = nullptr);

  const std::string& region() const { return region_; }
  const Clock& clock() const { return clock_; }
  Random& random() { return random_; }
  s3::S3Client& s3() { return *s3_; }
  sts::StsClient& sts() { return *sts_; }
  sns::SnsClient& sns() { return *sns_; }
  // Made on demand: a program that does not use one of the two needs no endpoint for it.
  Result<timestream::QueryClient*> query();
  Result<timestream::WriteClient*> write();

 private:
  Session() = default;
  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<http::Transport> curl_;
  std::unique_ptr<http::Transport> traced_;  // around curl_; null where nothing is traced
  std::string region_;
  std::string endpoint_flag_;
  aws::Environment environment_;
  std::unique_ptr<aws::Client> client_;
  std::unique_ptr<s3::S3Client> s3_;
  std::unique_ptr<sts::StsClient> sts_;
  std::unique_ptr<sns::SnsClient> sns_;
  std::unique_ptr<timestream::QueryClient> query_;
  std::unique_ptr<timestream::WriteClient> write_;
};

}  // namespace tsm::apps
