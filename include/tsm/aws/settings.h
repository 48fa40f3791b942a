// Everything that flags, environment and profile say about how to call AWS, resolved once before
// the first request, with AWS's precedence: flag, then environment, then profile.
// https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html
#pragma once

#include <string>

#include "tsm/aws/credentials/plan.h"
#include "tsm/aws/endpoints.h"
#include "tsm/aws/environment.h"
#include "tsm/aws/retry.h"
#include "tsm/aws/shared_config.h"
#include "tsm/core/result.h"
#include "tsm/http/curl_transport.h"

namespace tsm::aws {

// As given on the command line; "" or false where not.
struct ClientFlags {
  std::string region;
  std::string profile;
  EndpointFlags endpoints;
  std::string ca_bundle;
  bool no_verify_ssl = false;
};

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
enum class AddressingStyle {
  kAuto,     // virtual-host, but path style at configured endpoints and for names with a dot
  kPath,     // always https://host/bucket/key
  kVirtual,  // always https://bucket.host/key
};

struct S3Settings {
  AddressingStyle addressing = AddressingStyle::kAuto;
  // payload_signing_enabled = false leaves the body out of the signature over https.
  bool sign_payload = true;
};

struct ClientSettings {
  std::string region;
  std::string profile;  // its name
  CredentialsPlan credentials;
  EndpointResolver endpoints;
  S3Settings s3;
  RetryPolicy retry;                // AWS_MAX_ATTEMPTS, max_attempts
  bool adaptive = false;            // AWS_RETRY_MODE, retry_mode
  bool discovery_disabled = false;  // AWS_ENABLE_ENDPOINT_DISCOVERY=false and kin
  http::CurlOptions http;           // AWS_CA_BUNDLE, ca_bundle, HTTPS_PROXY, NO_PROXY
  std::string app_id;               // AWS_SDK_UA_APP_ID, sdk_ua_app_id: ends the user agent
};

// Reads the shared files and looks whether the CA bundle can be read; no request. kInvalidInput for
// a flag, kConfiguration for the other places, kCredentials as PlanCredentials; each names the
// setting, its origin and what is allowed.
Result<ClientSettings> ResolveSettings(const ClientFlags& flags, const Environment& environment);

// --region, AWS_REGION, AWS_DEFAULT_REGION, `region` of the profile; kConfiguration names all four.
Result<std::string> ResolveRegion(const std::string& flag, const Environment& environment,
                                  const SharedConfig& config, const Profile& profile);

}  // namespace tsm::aws
