#include "tsm/aws/endpoints.h"

#include <algorithm>
#include <utility>

#include "tsm/aws/setting.h"
#include "tsm/core/text.h"

namespace tsm::aws {

namespace {

// Names of each service, indexed by Service.
struct ServiceNames {
  std::string_view variable;  // AWS_ENDPOINT_URL_<this>
  std::string_view section;   // of its block in a services section
};
constexpr std::array<ServiceNames, kServiceCount> kNames = {{
    {"AWS_ENDPOINT_URL_S3", "s3"},
    {"AWS_ENDPOINT_URL_STS", "sts"},
    {"AWS_ENDPOINT_URL_SNS", "sns"},
    {"AWS_ENDPOINT_URL_TIMESTREAM_WRITE", "timestream_write"},
    {"AWS_ENDPOINT_URL_TIMESTREAM_QUERY", "timestream_query"},
    {"AWS_ENDPOINT_URL_SSO", "sso"},
    {"AWS_ENDPOINT_URL_SSO_OIDC", "sso_oidc"},
}};

constexpr std::size_t Index(Service service) { return static_cast<std::size_t>(service); }

struct PartitionRule {
  std::string_view prefix;  // of its regions' names
  Partition partition;
};
// As botocore's data/partitions.json has them; the last one takes every other region.
constexpr std::array<PartitionRule, 8> kPartitions = {{
    {"cn-", {"aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn"}},
    {"us-gov-", {"aws-us-gov", "amazonaws.com", "api.aws"}},
    {"us-iso-", {"aws-iso", "c2s.ic.gov", "api.aws.ic.gov"}},
    {"us-isob-", {"aws-iso-b", "sc2s.sgov.gov", "api.aws.scloud"}},
    {"eu-isoe-", {"aws-iso-e", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"}},
    {"us-isof-", {"aws-iso-f", "csp.hci.ic.gov", "api.aws.hci.ic.gov"}},
    {"eusc-", {"aws-eusc", "amazonaws.eu", "api.amazonwebservices.eu"}},
    {"", {"aws", "amazonaws.com", "api.aws"}},
}};

// The labels before the region.
std::string Prefix(Service service, const Partition& partition, bool fips, bool dualstack) {
  const std::string mark = fips ? "-fips" : "";
  switch (service) {
    case Service::kS3:
      return "s3" + mark + (dualstack ? ".dualstack" : "");
    case Service::kSts:
      return "sts" + mark;
    case Service::kSns:
      return "sns" + mark;
    case Service::kTimestreamWrite:
    case Service::kTimestreamQuery: {
      const std::string what = service == Service::kTimestreamWrite ? "ingest" : "query";
      const bool one_label = dualstack && partition.dualstack_suffix == "api.aws";
      return one_label ? "timestream-" + what + mark : what + ".timestream" + mark;
    }
    case Service::kSso:
      return "portal.sso" + mark;
    case Service::kSsoOidc:
      return "oidc" + mark;
  }
  return {};
}

// us-gov-…'s usual hosts are FIPS hosts already, so that these have no second name.
bool IsFipsAnyway(Service service, const Partition& partition, bool dualstack) {
  if (partition.id != "aws-us-gov" || service == Service::kS3) return false;
  const bool timestream =
      service == Service::kTimestreamWrite || service == Service::kTimestreamQuery;
  return timestream || !dualstack;
}

bool IsPort(std::string_view text) {
  const auto port = ParseInt64(text);
  return port && *port >= 1 && *port <= 65535 && text.front() != '-' && text.front() != '+';
}

// "name", "name:port", "[v6]", "[v6]:port".
bool IsHost(std::string_view host) {
  std::string_view name = host;
  if (host.starts_with('[')) {
    const std::size_t close = host.find(']');
    if (close == std::string_view::npos || close < 3) return false;
    const std::string_view inside = host.substr(1, close - 1);
    if (inside.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos ||
        inside.find(':') == std::string_view::npos) {
      return false;
    }
    host.remove_prefix(close + 1);
    return host.empty() || (host.front() == ':' && IsPort(host.substr(1)));
  }
  if (const std::size_t colon = host.find(':'); colon != std::string_view::npos) {
    if (!IsPort(host.substr(colon + 1))) return false;
    name = host.substr(0, colon);
  }
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  });
}

// The flags, each checked also where another one goes before it.
struct ParsedFlags {
  std::optional<Endpoint> all;
  std::optional<Endpoint> query;
  std::optional<Endpoint> ingest;
  std::optional<Endpoint> s3;

  // --endpoint-url stands for the services that a run works with. Sign-in has settings of its own:
  // the stand-ins that the flag names have none.
  std::optional<Endpoint> Of(Service service) const {
    switch (service) {
      case Service::kS3:
        return s3 ? s3 : all;
      case Service::kTimestreamWrite:
        return ingest ? ingest : all;
      case Service::kTimestreamQuery:
        return query ? query : all;
      case Service::kSts:
      case Service::kSns:
        return all;
      case Service::kSso:
      case Service::kSsoOidc:
        break;
    }
    return std::nullopt;
  }
};

Result<ParsedFlags> ParseFlags(const EndpointFlags& flags) {
  ParsedFlags parsed;
  struct Flag {
    std::string_view name;
    const std::string& text;
    std::optional<Endpoint>& endpoint;
  };
  for (const Flag& flag : {Flag{"--endpoint-url", flags.all, parsed.all},
                           Flag{"--query-endpoint", flags.query, parsed.query},
                           Flag{"--ingest-endpoint", flags.ingest, parsed.ingest},
                           Flag{"--s3-endpoint", flags.s3, parsed.s3}}) {
    if (flag.text.empty()) continue;
    auto endpoint = ParseEndpointUrl(flag.text, std::string(flag.name), ErrorKind::kInvalidInput);
    if (!endpoint) return endpoint.error();
    flag.endpoint = std::move(*endpoint);
  }
  return parsed;
}

// What environment and profile say about the service's endpoint, or nothing.
Result<std::optional<Setting>> ConfiguredUrl(const ServiceNames& names,
                                             const Environment& environment,
                                             const SharedConfig& config, const Profile& profile) {
  for (const std::string_view variable : {names.variable, std::string_view("AWS_ENDPOINT_URL")}) {
    if (auto url = environment.Get(variable)) {
      return std::optional(Setting{.value = std::move(*url), .origin = std::string(variable)});
    }
  }
  if (const auto section = FindInProfile(profile, "services")) {
    const Profile services = config.FindServices(section->value);
    if (!services.found) {
      return MakeError(ErrorKind::kConfiguration,
                       section->origin + ": there is no section [services " +
                           OneLine(section->value, 100) + "] in " + config.files().config_path);
    }
    if (auto url = services.GetInBlock(names.section, "endpoint_url")) {
      return std::optional(Setting{.value = std::move(*url),
                                   .origin = "endpoint_url of " + std::string(names.section) +
                                             " in [services " + OneLine(section->value, 100) +
                                             "]"});
    }
  }
  return FindInProfile(profile, "endpoint_url");
}

}  // namespace

Result<Endpoint> ParseEndpointUrl(std::string_view text, const std::string& origin,
                                  ErrorKind kind) {
  const std::string_view url = TrimAscii(text);
  const std::size_t mark = url.find("://");
  Endpoint endpoint;
  endpoint.custom = true;
  if (mark != std::string_view::npos) {
    endpoint.scheme = ToLowerAscii(url.substr(0, mark));
    const std::string_view rest = url.substr(mark + 3);
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    endpoint.host = rest.substr(0, slash);
    endpoint.base_path = rest.substr(slash);
    while (endpoint.base_path.ends_with('/')) endpoint.base_path.pop_back();
  }
  const bool plain_path =
      std::all_of(endpoint.base_path.begin(), endpoint.base_path.end(),
                  [](char c) { return c > ' ' && c < '\x7F' && c != '?' && c != '#'; });
  const bool usable = (endpoint.scheme == "http" || endpoint.scheme == "https") &&
                      IsHost(endpoint.host) && plain_path;
  if (usable) return endpoint;
  // A name and password before an '@' are not repeated in a message.
  const bool has_user = url.find('@') != std::string_view::npos;
  const std::string shown = has_user ? "a URL with '@'" : "'" + OneLine(url, 100) + "'";
  return MakeError(kind, origin + ": " + shown +
                             " is not an endpoint; expected http://host[:port][/path] or "
                             "https://...");
}

const Partition& PartitionOf(std::string_view region) {
  for (const PartitionRule& rule : kPartitions) {
    if (region.starts_with(rule.prefix)) return rule.partition;
  }
  return kPartitions.back().partition;
}

bool IsRegionName(std::string_view name) {
  return !name.empty() && name.size() <= 63 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

EndpointResolver::EndpointResolver(const Endpoint& everything) { configured_.fill(everything); }

Result<EndpointResolver> EndpointResolver::Make(const EndpointFlags& flags,
                                                const Environment& environment,
                                                const SharedConfig& config,
                                                const Profile& profile) {
  EndpointResolver made;
  const Result<ParsedFlags> given = ParseFlags(flags);
  if (!given) return given.error();
  const auto switched = [&](std::string_view variable, std::string_view key) {
    return BoolOr(FindSetting(environment, variable, profile, key), false);
  };
  const auto fips = switched("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint");
  if (!fips) return fips.error();
  const auto dualstack = switched("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint");
  if (!dualstack) return dualstack.error();
  const auto ignored =
      switched("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls");
  if (!ignored) return ignored.error();
  made.fips_ = *fips;
  made.dualstack_ = *dualstack;

  for (std::size_t i = 0; i < kServiceCount; ++i) {
    made.configured_[i] = given->Of(static_cast<Service>(i));
    if (made.configured_[i] || *ignored) continue;
    const auto url = ConfiguredUrl(kNames[i], environment, config, profile);
    if (!url) return url.error();
    if (!*url) continue;
    auto endpoint = ParseEndpointUrl((*url)->value, (*url)->origin, ErrorKind::kConfiguration);
    if (!endpoint) return endpoint.error();
    made.configured_[i] = std::move(*endpoint);
  }
  return made;
}

Endpoint EndpointResolver::Resolve(Service service, std::string_view region) const {
  if (const auto& configured = configured_[Index(service)]) return *configured;
  const Partition& partition = PartitionOf(region);
  const bool fips = fips_ && !IsFipsAnyway(service, partition, dualstack_);
  // S3 says dual stack in the name, the others by a domain of their own.
  const bool other_domain = dualstack_ && service != Service::kS3;
  Endpoint endpoint;
  endpoint.scheme = "https";
  endpoint.host = Prefix(service, partition, fips, dualstack_) + '.' + std::string(region) + '.' +
                  std::string(other_domain ? partition.dualstack_suffix : partition.dns_suffix);
  return endpoint;
}

}  // namespace tsm::aws
