// The two metadata services: of the container and of the instance.
#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "plan_parts.h"
#include "tsm/aws/endpoints.h"
#include "tsm/aws/setting.h"
#include "tsm/core/text.h"

namespace tsm::aws {

namespace {

// Where an answer without TLS is taken for the container's: this machine, ECS and EKS.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
bool MayGoPlain(const std::string& host) {
  if (ToLowerAscii(host) == "localhost") return true;
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) {
    return ntohl(v4.s_addr) >> 24 == 127 || host == "169.254.170.2" || host == "169.254.170.23";
  }
  in6_addr v6{};
  in6_addr eks{};
  inet_pton(AF_INET6, "fd00:ec2::23", &eks);
  if (inet_pton(AF_INET6, host.c_str(), &v6) != 1) return false;
  return IN6_IS_ADDR_LOOPBACK(&v6) || std::memcmp(&v6, &eks, sizeof v6) == 0;
}

// The host of an endpoint without port and brackets.
std::string BareHost(const std::string& host) {
  if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.find(':'));
}

bool HasControls(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

// The whole URL where it may be asked; `text` may have a query, which no endpoint has.
Result<std::string> CheckedFullUri(const std::string& text) {
  constexpr const char* kVariable = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
  const std::string url(TrimAscii(text));
  const std::size_t query = std::min(url.find('?'), url.size());
  const auto endpoint = ParseEndpointUrl(std::string_view(url).substr(0, query), kVariable,
                                         ErrorKind::kConfiguration);
  // The URL is not repeated: its path may be what opens the door.
  if (!endpoint) {
    return MakeError(
        ErrorKind::kConfiguration,
        std::string(kVariable) + ": it is no URL of the form http[s]://host[:port]/path");
  }
  const bool clean = std::all_of(url.begin() + static_cast<std::ptrdiff_t>(query), url.end(),
                                 [](char c) { return c > ' ' && c < 0x7F && c != '#'; });
  if (!clean) {
    return MakeError(
        ErrorKind::kConfiguration,
        std::string(kVariable) + ": its query holds blanks, control characters or '#'");
  }
  if (endpoint->scheme == "https" || MayGoPlain(BareHost(endpoint->host))) return url;
  return MakeError(ErrorKind::kConfiguration,
                   std::string(kVariable) +
                       ": http is only for localhost, a loopback address, "
                       "169.254.170.2, 169.254.170.23 and [fd00:ec2::23], not for " +
                       OneLine(endpoint->host, 100) + "; use https");
}

}  // namespace

Result<std::optional<Container>> ContainerOf(const Environment& environment) {
  Container plan;
  if (const auto relative = environment.Get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")) {
    const std::string path(TrimAscii(*relative));
    // Without its slash it would go on the host's name.
    const bool good = path.starts_with('/') && std::all_of(path.begin(), path.end(), [](char c) {
                        return c > ' ' && c < 0x7F && c != '#';
                      });
    if (!good) {
      return MakeError(
          ErrorKind::kConfiguration,
          "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: it is no path that begins with '/'");
    }
    plan.url = "http://169.254.170.2" + path;
  } else if (const auto full = environment.Get("AWS_CONTAINER_CREDENTIALS_FULL_URI")) {
    auto url = CheckedFullUri(*full);
    if (!url) return url.error();
    plan.url = std::move(*url);
  } else {
    return std::optional<Container>();
  }
  plan.token_file = environment.Get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").value_or("");
  plan.token = environment.Get("AWS_CONTAINER_AUTHORIZATION_TOKEN").value_or("");
  if (plan.token_file.empty() && HasControls(plan.token)) {
    return MakeError(ErrorKind::kConfiguration,
                     "AWS_CONTAINER_AUTHORIZATION_TOKEN: it holds line ends or control characters, "
                     "which no header may");
  }
  return std::optional(std::move(plan));
}

Result<std::optional<Instance>> InstanceOf(const Environment& environment, const Profile& profile) {
  if (const auto disabled = environment.Get("AWS_EC2_METADATA_DISABLED")) {
    const auto off = ParseBool({.value = *disabled, .origin = "AWS_EC2_METADATA_DISABLED"});
    if (!off) return off.error();
    if (*off) return std::optional<Instance>();
  }
  const auto setting = [&](std::string_view variable, std::string_view key) {
    return FindSetting(environment, variable, profile, key);
  };
  Instance plan;
  if (const auto mode =
          setting("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ec2_metadata_service_endpoint_mode")) {
    const std::string lower = ToLowerAscii(TrimAscii(mode->value));
    if (lower != "ipv4" && lower != "ipv6") return BadSetting(*mode, "IPv4 or IPv6");
    if (lower == "ipv6") plan.endpoint = "http://[fd00:ec2::254]";
  }
  if (const auto given =
          setting("AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint")) {
    const auto endpoint = ParseEndpointUrl(given->value, given->origin, ErrorKind::kConfiguration);
    if (!endpoint) return endpoint.error();
    plan.endpoint = endpoint->scheme + "://" + endpoint->host + endpoint->base_path;
  }
  const auto v1_disabled =
      BoolOr(setting("AWS_EC2_METADATA_V1_DISABLED", "ec2_metadata_v1_disabled"), false);
  if (!v1_disabled) return v1_disabled.error();
  plan.v1_disabled = *v1_disabled;
  const auto seconds =
      IntOr(setting("AWS_METADATA_SERVICE_TIMEOUT", "metadata_service_timeout"), 1, 1, 300);
  if (!seconds) return seconds.error();
  plan.timeout = std::chrono::seconds(*seconds);
  const auto attempts = IntOr(
      setting("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "metadata_service_num_attempts"), 1, 1, 100);
  if (!attempts) return attempts.error();
  plan.attempts = *attempts;
  return std::optional(plan);
}

}  // namespace tsm::aws
