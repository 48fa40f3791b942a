// The composition root: owns clock, randomness, transport and credentials and hands out the service
// clients. Made once in main, after the flags were checked and before the first request.
#pragma once

#include <memory>
#include <string>

#include "common/session_options.h"
#include "tsm/aws/adaptive_limiter.h"
#include "tsm/aws/client.h"
#include "tsm/aws/clock_skew.h"
#include "tsm/aws/settings.h"
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
  // Resolves region, credentials' source and endpoints; no request. `program` names the user agent.
  // Warnings go to `sink`, and where the options ask for it each request with its answer; it
  // outlives the session.
  static Result<std::unique_ptr<Session>> Open(const SessionOptions& options,
                                               const std::string& program, ProgressSink& sink);

  const std::string& region() const { return settings_.region; }
  const Clock& clock() const { return clock_; }
  Random& random() { return random_; }
  s3::S3Client& s3() { return *target_.s3; }
  // The side that files are read from: the same as s3() but where --source_region, --source_profile
  // or --source_role_arn say otherwise.
  s3::S3Client& source_s3() { return source_.s3 ? *source_.s3 : *target_.s3; }
  // Who reads there is somebody else, so nobody can copy inside S3.
  bool two_principals() const { return two_principals_; }
  sts::StsClient& sts() { return *sts_; }
  sns::SnsClient& sns() { return *sns_; }
  // kConfiguration where the endpoint would have to be discovered and discovery is switched off: a
  // program that does not use one of the two needs no endpoint for it.
  Result<timestream::QueryClient*> query();
  Result<timestream::WriteClient*> write();

 private:
  // A client with its own credentials and region, and S3 on it.
  struct Side {
    std::unique_ptr<aws::Client> client;
    std::unique_ptr<s3::S3Client> s3;
  };

  Session() : limiter_(clock_) {}
  http::Transport& transport();
  std::shared_ptr<aws::CredentialsProvider> MakeCredentials(const aws::CredentialsPlan& plan);
  Status OpenSource(const SessionOptions& options,
                    std::shared_ptr<aws::CredentialsProvider> credentials);
  Side MakeSide(std::shared_ptr<aws::CredentialsProvider> credentials, const std::string& region);
  Result<aws::Endpoint> TimestreamEndpoint(aws::Service service, const char* flag) const;

  SystemClock clock_;
  SystemRandom random_;
  aws::ClockSkew skew_;
  aws::AdaptiveLimiter limiter_;
  aws::ClientSettings settings_;
  std::string program_;
  std::string user_agent_;
  std::unique_ptr<http::Transport> curl_;
  std::unique_ptr<http::Transport> traced_;  // around curl_; null where nothing is traced
  Side target_;
  Side source_;  // empty where both sides are one
  bool two_principals_ = false;
  std::unique_ptr<sts::StsClient> sts_;
  std::unique_ptr<sns::SnsClient> sns_;
  std::unique_ptr<timestream::QueryClient> query_;
  std::unique_ptr<timestream::WriteClient> write_;
};

}  // namespace tsm::apps
