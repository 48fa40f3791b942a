// Where each service is: the endpoint that the operator configured, else AWS's public host of the
// region. Values and pure functions but for nothing; resolved once, then asked per region.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "tsm/aws/environment.h"
#include "tsm/aws/shared_config.h"
#include "tsm/core/result.h"

namespace tsm::aws {

// The services that the toolkit calls, sign-in services included; the order indexes tables.
enum class Service { kS3, kSts, kSns, kTimestreamWrite, kTimestreamQuery, kSso, kSsoOidc };
inline constexpr std::size_t kServiceCount = 7;

struct Endpoint {
  std::string scheme;     // "https" or "http"
  std::string host;       // with ":port" where given
  std::string base_path;  // "" or "/prefix"
  // Configured by flag, environment or profile: S3 uses path style unless told otherwise, and
  // Timestream's endpoint discovery is not asked.
  bool custom = false;
};

// "http://host[:port][/path]" or https. `origin` ("--endpoint-url", "AWS_ENDPOINT_URL_S3") and
// `kind` go into the error.
Result<Endpoint> ParseEndpointUrl(std::string_view url, const std::string& origin, ErrorKind kind);

// A partition of AWS: regions that share a DNS suffix.
struct Partition {
  std::string_view id;                // "aws", "aws-cn", "aws-us-gov", …
  std::string_view dns_suffix;        // "amazonaws.com"
  std::string_view dualstack_suffix;  // "api.aws"
};
// By the region's prefix; a prefix that is not known is partition aws, as in AWS's own tools.
const Partition& PartitionOf(std::string_view region);

// Lower-case letters, digits and '-', at most 63 characters: it becomes part of a host name.
bool IsRegionName(std::string_view name);

struct EndpointFlags {
  std::string all;     // --endpoint-url
  std::string query;   // --query-endpoint (Timestream Query)
  std::string ingest;  // --ingest-endpoint (Timestream Write)
  std::string s3;      // --s3-endpoint
};

class EndpointResolver {
 public:
  // AWS's public endpoints alone.
  EndpointResolver() = default;
  // Everything at one place (tests, judges).
  explicit EndpointResolver(const Endpoint& everything);

  // Per service: its own flag, --endpoint-url, AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the
  // profile's services section, the profile's endpoint_url. AWS_IGNORE_CONFIGURED_ENDPOINT_URLS and
  // ignore_configured_endpoint_urls leave the flags alone. FIPS (AWS_USE_FIPS_ENDPOINT,
  // use_fips_endpoint) and dual stack (AWS_USE_DUALSTACK_ENDPOINT, use_dualstack_endpoint) choose
  // among the public hosts; a configured endpoint stands as it is. --endpoint-url leaves SSO and
  // its OIDC alone, which stand-ins for AWS don't have. kInvalidInput for a flag, kConfiguration
  // for the others: the setting is named with its origin.
  static Result<EndpointResolver> Make(const EndpointFlags& flags, const Environment& environment,
                                       const SharedConfig& config, const Profile& profile);

  // For Timestream without a configured endpoint this is the regional host that answers
  // DescribeEndpoints, not the cell that takes the calls. S3 with FIPS in aws-cn has no host: the
  // name given here does not resolve, and ResolveSettings refuses it beforehand.
  Endpoint Resolve(Service service, std::string_view region) const;

  bool fips() const { return fips_; }
  bool dualstack() const { return dualstack_; }

 private:
  std::array<std::optional<Endpoint>, kServiceCount> configured_;
  bool fips_ = false;
  bool dualstack_ = false;
};

}  // namespace tsm::aws
