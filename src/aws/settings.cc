#include "tsm/aws/settings.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <utility>

#include "tsm/aws/setting.h"
#include "tsm/core/text.h"
#include "tsm/http/proxy.h"

namespace tsm::aws {

namespace {

// What the resolving functions look into.
struct Places {
  const Environment& environment;
  const SharedConfig& config;
  const Profile& profile;

  std::optional<Setting> Find(std::string_view variable, std::string_view key) const {
    return FindSetting(environment, variable, profile, key);
  }
};

Status ResolveRetries(const Places& places, ClientSettings& settings) {
  if (const auto mode = places.Find("AWS_RETRY_MODE", "retry_mode")) {
    const std::string name = ToLowerAscii(TrimAscii(mode->value));
    // AWS keeps "legacy" for old programs; its attempts and delays are those of standard here.
    if (name != "standard" && name != "adaptive" && name != "legacy") {
      return BadSetting(*mode, "standard, adaptive or legacy");
    }
    settings.adaptive = name == "adaptive";
  }
  const auto attempts =
      IntOr(places.Find("AWS_MAX_ATTEMPTS", "max_attempts"), settings.retry.max_attempts, 1, 1000);
  if (!attempts) return attempts.error();
  settings.retry.max_attempts = *attempts;
  return Ok();
}

Status ResolveS3(const Profile& profile, S3Settings& s3) {
  const auto in_block = [&](std::string_view key) -> std::optional<Setting> {
    auto value = profile.GetInBlock("s3", key);
    if (!value) return std::nullopt;
    return Setting{
        .value = std::move(*value),
        .origin = std::string(key) + " in s3 of profile '" + OneLine(profile.name, 100) + "'"};
  };
  if (const auto style = in_block("addressing_style")) {
    const std::string name = ToLowerAscii(style->value);
    if (name == "auto") {
      s3.addressing = AddressingStyle::kAuto;
    } else if (name == "path") {
      s3.addressing = AddressingStyle::kPath;
    } else if (name == "virtual") {
      s3.addressing = AddressingStyle::kVirtual;
    } else {
      return BadSetting(*style, "auto, path or virtual");
    }
  }
  const auto sign = BoolOr(in_block("payload_signing_enabled"), s3.sign_payload);
  if (!sign) return sign.error();
  s3.sign_payload = *sign;
  return Ok();
}

// The SDK guide's name of the variable and the one that botocore and Java read.
Result<bool> IsDiscoveryDisabled(const Places& places) {
  std::optional<Setting> setting = places.Find("AWS_ENABLE_ENDPOINT_DISCOVERY", "");
  if (!setting)
    setting = places.Find("AWS_ENDPOINT_DISCOVERY_ENABLED", "endpoint_discovery_enabled");
  if (!setting || ToLowerAscii(TrimAscii(setting->value)) == "auto") return false;
  const auto enabled = ParseBool(*setting);
  if (!enabled) return BadSetting(*setting, "true, false or auto");
  return !*enabled;
}

// "" or why the file can't be read.
std::string Unreadable(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  char first = 0;
  if (file && file.read(&first, 1)) return "";
  return errno != 0 ? std::strerror(errno) : "it is empty";
}

Status ResolveTls(const ClientFlags& flags, const Places& places, http::CurlOptions& http) {
  http.verify_tls = !flags.no_verify_ssl;
  if (flags.no_verify_ssl && !flags.ca_bundle.empty()) {
    return MakeError(ErrorKind::kInvalidInput,
                     "--ca-bundle says whom to trust and --no-verify-ssl trusts everybody; give "
                     "one of them");
  }
  // Left alone where nothing is verified: a bundle that is gone may be why.
  if (flags.no_verify_ssl) return Ok();
  std::optional<Setting> bundle = places.Find("AWS_CA_BUNDLE", "ca_bundle");
  ErrorKind kind = ErrorKind::kConfiguration;
  if (!flags.ca_bundle.empty()) {
    bundle = Setting{.value = flags.ca_bundle, .origin = "--ca-bundle"};
    kind = ErrorKind::kInvalidInput;
  }
  if (!bundle) return Ok();
  const std::string path = ExpandHome(bundle->value, places.environment);
  const std::string wrong = Unreadable(path);
  if (!wrong.empty()) {
    return MakeError(kind, bundle->origin + ": " + OneLine(path, 200) +
                               " can't be read as a file of certificates: " + wrong);
  }
  http.ca_bundle = path;
  return Ok();
}

// The URL as it stands, once it is known that the transport can use it. Its name and password are
// never in a message.
Result<std::string> CheckedProxy(const Setting& setting) {
  const std::string_view url = TrimAscii(setting.value);
  const Result<http::Proxy> proxy = http::ParseProxy(url);
  if (!proxy) return proxy.error().With(setting.origin);
  return std::string(url);
}

// https://docs.aws.amazon.com/sdkref/latest/guide/feature-proxy.html — lower case goes first, as
// everywhere else that reads these variables.
Status ResolveProxies(const Environment& environment, http::Proxies& proxies) {
  const auto either = [&](const char* lower, const char* upper) -> std::optional<Setting> {
    for (const char* name : {lower, upper}) {
      if (auto value = environment.Get(name)) return Setting{std::move(*value), name};
    }
    return std::nullopt;
  };
  if (const auto proxy = either("http_proxy", "HTTP_PROXY")) {
    auto url = CheckedProxy(*proxy);
    if (!url) return std::move(url).error();
    proxies.http = std::move(*url);
  }
  if (const auto proxy = either("https_proxy", "HTTPS_PROXY")) {
    auto url = CheckedProxy(*proxy);
    if (!url) return std::move(url).error();
    proxies.https = std::move(*url);
  }
  if (const auto none = either("no_proxy", "NO_PROXY")) proxies.no_proxy = none->value;
  return Ok();
}

// https://docs.aws.amazon.com/sdkref/latest/guide/feature-appid.html
Result<std::string> ResolveAppId(const Places& places) {
  const auto setting = places.Find("AWS_SDK_UA_APP_ID", "sdk_ua_app_id");
  if (!setting) return std::string();
  const std::string& id = setting->value;
  const bool good = id.size() <= 50 && std::all_of(id.begin(), id.end(), [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                             (c >= '0' && c <= '9') ||
                             std::string_view("!$%&'*+-.,^_`|~").find(c) != std::string_view::npos;
                    });
  if (!good) return BadSetting(*setting, "at most 50 letters, digits and any of !$%&'*+-.,^_`|~");
  return id;
}

// S3 is the one service here without FIPS hosts in a partition; a name that does not resolve would
// not say so.
Status CheckFips(const EndpointResolver& endpoints, const std::string& region) {
  const bool none = endpoints.fips() && PartitionOf(region).id == "aws-cn" &&
                    !endpoints.Resolve(Service::kS3, region).custom;
  if (!none) return Ok();
  return MakeError(ErrorKind::kConfiguration,
                   "AWS_USE_FIPS_ENDPOINT or use_fips_endpoint is true, but S3 has no FIPS "
                   "endpoint in region " +
                       region);
}

}  // namespace

Result<std::string> ResolveRegion(const std::string& flag, const Environment& environment,
                                  const SharedConfig& config, const Profile& profile) {
  const auto checked = [](const Setting& region, ErrorKind kind) -> Result<std::string> {
    if (IsRegionName(region.value)) return region.value;
    return MakeError(kind, region.origin + ": '" + OneLine(region.value, 60) +
                               "' is not a region; expected a name like us-east-1");
  };
  if (!flag.empty()) return checked({flag, "--region"}, ErrorKind::kInvalidInput);
  if (const auto region = environment.Get("AWS_REGION")) {
    return checked({*region, "AWS_REGION"}, ErrorKind::kConfiguration);
  }
  if (const auto region = FindSetting(environment, "AWS_DEFAULT_REGION", profile, "region")) {
    return checked(*region, ErrorKind::kConfiguration);
  }
  return MakeError(ErrorKind::kConfiguration,
                   "no region: --region was not given, AWS_REGION and AWS_DEFAULT_REGION are not "
                   "set, and profile '" +
                       OneLine(profile.name, 100) + "' " +
                       (profile.found ? "names none in " : "does not exist in ") +
                       config.files().config_path);
}

Result<ClientSettings> ResolveSettings(const ClientFlags& flags, const Environment& environment) {
  const auto config = SharedConfig::Load(environment);
  if (!config) return config.error();
  const auto profile = config->ChooseProfile(environment, flags.profile);
  if (!profile) return profile.error();
  const Places places{environment, *config, *profile};

  ClientSettings settings;
  settings.profile = profile->name;
  auto region = ResolveRegion(flags.region, environment, *config, *profile);
  if (!region) return std::move(region).error();
  settings.region = std::move(*region);
  auto endpoints = EndpointResolver::Make(flags.endpoints, environment, *config, *profile);
  if (!endpoints) return std::move(endpoints).error();
  settings.endpoints = std::move(*endpoints);
  auto discovery_disabled = IsDiscoveryDisabled(places);
  if (!discovery_disabled) return std::move(discovery_disabled).error();
  settings.discovery_disabled = *discovery_disabled;
  auto app_id = ResolveAppId(places);
  if (!app_id) return std::move(app_id).error();
  settings.app_id = std::move(*app_id);
  for (const Status& step :
       {CheckFips(settings.endpoints, settings.region), ResolveTls(flags, places, settings.http),
        ResolveProxies(environment, settings.http.proxies), ResolveRetries(places, settings),
        ResolveS3(*profile, settings.s3)}) {
    if (!step) return step.error();
  }
  auto credentials = PlanCredentials(environment, *config, *profile, !flags.profile.empty());
  if (!credentials) return std::move(credentials).error();
  settings.credentials = std::move(*credentials);
  return settings;
}

}  // namespace tsm::aws
