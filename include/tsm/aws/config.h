// Region, credentials and endpoints as flags, environment and profile give them, with AWS's
// precedence: flag, then environment, then profile.
// https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "tsm/aws/credentials.h"
#include "tsm/aws/environment.h"
#include "tsm/aws/profile.h"
#include "tsm/core/result.h"

namespace tsm::aws {

// The services that the toolkit calls; the order indexes tables.
enum class Service { kS3, kSts, kSns, kTimestreamWrite, kTimestreamQuery };

// Flag, AWS_REGION, AWS_DEFAULT_REGION, `region` of the profile; kConfiguration names all four.
Result<std::string> ResolveRegion(const std::string& flag, const Environment& environment,
                                  const Profile& profile);

// AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (skipped where `profile_was_given` by flag), then the
// profile's static keys. kCredentials names each place and why it gave nothing. A key without its
// secret is an error, not a reason to look further.
Result<std::shared_ptr<CredentialsProvider>> ResolveCredentials(const Environment& environment,
                                                                const Profile& profile,
                                                                bool profile_was_given);

struct Endpoint {
  std::string scheme;     // "https" or "http"
  std::string host;       // with ":port" where given
  std::string base_path;  // "" or "/prefix"
  bool custom = false;    // given by flag or environment: S3 uses path style, no discovery
};

// Flag, AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, else AWS's public host of the region
// (partitions aws, aws-cn, aws-us-gov by the region's prefix). Timestream without a configured
// endpoint is kConfiguration: its cells are found by endpoint discovery, which this version does
// not do.
Result<Endpoint> ResolveEndpoint(Service service, const std::string& region,
                                 const std::string& flag, const Environment& environment);

}  // namespace tsm::aws
