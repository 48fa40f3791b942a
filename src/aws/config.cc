#include "tsm/aws/config.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "tsm/core/text.h"

namespace tsm::aws {

namespace {

struct ServiceNames {
  std::string_view variable;  // of its endpoint
  std::string_view host;      // first label of the public host, "" where discovery finds it
  std::string_view title;
};

// Indexed by Service.
constexpr std::array<ServiceNames, 5> kServices = {{
    {"AWS_ENDPOINT_URL_S3", "s3", "S3"},
    {"AWS_ENDPOINT_URL_STS", "sts", "STS"},
    {"AWS_ENDPOINT_URL_SNS", "sns", "SNS"},
    {"AWS_ENDPOINT_URL_TIMESTREAM_WRITE", "", "Timestream Write"},
    {"AWS_ENDPOINT_URL_TIMESTREAM_QUERY", "", "Timestream Query"},
}};

bool IsRegionName(std::string_view name) {
  return !name.empty() && name.size() <= 63 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

// "" or which variable holds blanks or control characters: a pasted line end would make a header of
// its own, and no key has one.
std::string BlanksIn(const Credentials& credentials) {
  const auto dirty = [](std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F; });
  };
  if (dirty(credentials.access_key_id)) return "access key id";
  if (dirty(credentials.secret_access_key)) return "secret access key";
  if (dirty(credentials.session_token)) return "session token";
  return "";
}

Result<std::shared_ptr<CredentialsProvider>> Found(Credentials credentials) {
  const std::string blanks = BlanksIn(credentials);
  if (!blanks.empty()) {
    return MakeError(ErrorKind::kCredentials, credentials.source + ": the " + blanks +
                                                  " holds blanks or line ends, which no key has");
  }
  return std::shared_ptr<CredentialsProvider>(
      std::make_shared<StaticCredentials>(std::move(credentials)));
}

Error HalfAPair(const std::string& place, std::string_view present, std::string_view missing) {
  return MakeError(ErrorKind::kCredentials, place + ": " + std::string(present) + " is set, " +
                                                std::string(missing) + " is not");
}

// A setting of the profile that the SDKs would follow before its static keys, and that this chain
// does not. Going on with the static keys would act as somebody else.
std::string_view SettingOfAnotherSource(const Profile& profile, bool keys_in_credentials_file) {
  for (const std::string_view key :
       {"role_arn", "web_identity_token_file", "sso_session", "sso_start_url"}) {
    if (profile.Get(key)) return key;
  }
  if (keys_in_credentials_file) return {};
  for (const std::string_view key : {"login_session", "credential_process"}) {
    if (profile.Get(key)) return key;
  }
  return {};
}

struct Given {
  std::string url;
  std::string origin;  // "--endpoint-url", "AWS_ENDPOINT_URL"
  bool by_flag = false;
};

std::optional<Given> ConfiguredEndpoint(Service service, const std::string& flag,
                                        const Environment& environment) {
  if (!flag.empty()) return Given{flag, "--endpoint-url", true};
  for (const std::string_view variable : {kServices[static_cast<std::size_t>(service)].variable,
                                          std::string_view("AWS_ENDPOINT_URL")}) {
    if (auto url = environment.Get(variable)) return Given{*url, std::string(variable), false};
  }
  return std::nullopt;
}

bool IsHost(std::string_view host) {
  if (host.empty() || host.front() == ':') return false;
  return std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_' || c == ':' || c == '[' || c == ']';
  });
}

Result<Endpoint> ParseEndpoint(const Given& given) {
  const std::string_view url = TrimAscii(given.url);
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
  const bool usable = (endpoint.scheme == "http" || endpoint.scheme == "https") &&
                      IsHost(endpoint.host) &&
                      endpoint.base_path.find_first_of("?# \t\r\n") == std::string::npos;
  if (usable) return endpoint;
  // A name and password before an '@' are not repeated in a message.
  const bool has_user = url.find('@') != std::string_view::npos;
  const std::string shown = has_user ? "a URL with '@'" : "'" + OneLine(url, 100) + "'";
  return MakeError(given.by_flag ? ErrorKind::kInvalidInput : ErrorKind::kConfiguration,
                   given.origin + ": " + shown +
                       " is not an endpoint; expected http://host[:port][/path] or https://...");
}

}  // namespace

Result<std::string> ResolveRegion(const std::string& flag, const Environment& environment,
                                  const Profile& profile) {
  const auto checked = [](const std::string& region, const std::string& origin,
                          ErrorKind kind) -> Result<std::string> {
    if (IsRegionName(region)) return region;
    return MakeError(kind, origin + ": '" + OneLine(region, 60) +
                               "' is not a region; expected a name like us-east-1");
  };
  if (!flag.empty()) return checked(flag, "--region", ErrorKind::kInvalidInput);
  for (const char* variable : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    if (const auto region = environment.Get(variable)) {
      return checked(*region, variable, ErrorKind::kConfiguration);
    }
  }
  if (const auto region = profile.Get("region")) {
    return checked(*region, "region of profile '" + profile.name + "'", ErrorKind::kConfiguration);
  }
  const SharedFiles files = LocateSharedFiles(environment);
  return MakeError(ErrorKind::kConfiguration,
                   "no region: --region was not given, AWS_REGION and AWS_DEFAULT_REGION are not "
                   "set, and profile '" +
                       profile.name + "' " +
                       (profile.found ? "names none in " : "does not exist in ") +
                       files.config_path);
}

Result<std::shared_ptr<CredentialsProvider>> ResolveCredentials(const Environment& environment,
                                                                const Profile& profile,
                                                                bool profile_was_given) {
  std::vector<std::string> looked_at;
  if (profile_was_given) {
    looked_at.emplace_back("environment: not read, a profile was given");
  } else {
    const auto key = environment.Get("AWS_ACCESS_KEY_ID");
    const auto secret = environment.Get("AWS_SECRET_ACCESS_KEY");
    if (key && secret) {
      const auto token = environment.Get("AWS_SESSION_TOKEN");
      return Found({*key, *secret,
                    token ? *token : environment.Get("AWS_SECURITY_TOKEN").value_or(""),
                    "environment"});
    }
    if (key) return HalfAPair("environment", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY");
    if (secret) return HalfAPair("environment", "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID");
    looked_at.emplace_back("environment: AWS_ACCESS_KEY_ID is not set");
  }

  const SharedFiles files = LocateSharedFiles(environment);
  const std::string place = "profile '" + profile.name + "'";
  const auto key = profile.Get("aws_access_key_id");
  const auto secret = profile.Get("aws_secret_access_key");
  const std::string_view other =
      SettingOfAnotherSource(profile, key && profile.key_file == files.credentials_path);
  if (!other.empty()) {
    looked_at.push_back(place + ": it has " + std::string(other) +
                        ", which this version can't use");
  } else if (key && secret) {
    return Found({*key, *secret, profile.Get("aws_session_token").value_or(""),
                  "profile " + profile.name + " in " + profile.key_file});
  } else if (key) {
    return HalfAPair(place, "aws_access_key_id", "aws_secret_access_key");
  } else if (secret) {
    return HalfAPair(place, "aws_secret_access_key", "aws_access_key_id");
  } else {
    looked_at.push_back(place + ": " + (profile.found ? "no aws_access_key_id in " : "not in ") +
                        files.credentials_path + " or " + files.config_path);
  }
  return MakeError(ErrorKind::kCredentials, "no credentials found (" + Join(looked_at, "; ") + ")");
}

Result<Endpoint> ResolveEndpoint(Service service, const std::string& region,
                                 const std::string& flag, const Environment& environment) {
  if (const auto given = ConfiguredEndpoint(service, flag, environment))
    return ParseEndpoint(*given);
  const ServiceNames& names = kServices[static_cast<std::size_t>(service)];
  if (names.host.empty()) {
    return MakeError(
        ErrorKind::kConfiguration,
        std::string(names.title) + " has no endpoint: give --endpoint-url, " +
            std::string(names.variable) +
            " or AWS_ENDPOINT_URL (this version does not discover the account's cell)");
  }
  const std::string_view suffix = region.starts_with("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  Endpoint endpoint;
  endpoint.scheme = "https";
  endpoint.host = std::string(names.host) + '.' + region + '.' + std::string(suffix);
  return endpoint;
}

}  // namespace tsm::aws
