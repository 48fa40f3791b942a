// judge_endpoints: AWS's public hosts as the library resolves them, for rules that are not ours to
// compare with. tests/interop/test_endpoints_botocore.py runs it.
//
// A line in: "service region fips dualstack" by single blanks, the service as botocore names it
// ("timestream-write"), the switches "true" or "false". A line out per line in: the URL. The first
// bad line ends it with exit code 2 and a message that names the line.
#include <array>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#include "tsm/aws/endpoints.h"

namespace tsm {
namespace {

constexpr std::array<std::pair<std::string_view, aws::Service>, aws::kServiceCount> kServices = {{
    {"s3", aws::Service::kS3},
    {"sts", aws::Service::kSts},
    {"sns", aws::Service::kSns},
    {"timestream-write", aws::Service::kTimestreamWrite},
    {"timestream-query", aws::Service::kTimestreamQuery},
    {"sso", aws::Service::kSso},
    {"sso-oidc", aws::Service::kSsoOidc},
}};

// "" where the line is bad; `error` then says why.
std::string Answer(const std::string& line, std::string& error) {
  std::istringstream words(line);
  std::string service;
  std::string region;
  std::string fips;
  std::string dualstack;
  words >> service >> region >> fips >> dualstack;
  const aws::Environment environment(std::map<std::string, std::string, std::less<>>{
      {"AWS_USE_FIPS_ENDPOINT", fips}, {"AWS_USE_DUALSTACK_ENDPOINT", dualstack}});
  const auto resolver = aws::EndpointResolver::Make({}, environment, {}, {});
  if (!resolver) {
    error = resolver.error().Text();
    return {};
  }
  for (const auto& [name, value] : kServices) {
    if (name != service) continue;
    const aws::Endpoint endpoint = resolver->Resolve(value, region);
    return endpoint.scheme + "://" + endpoint.host + endpoint.base_path;
  }
  error = "no service '" + service + "'";
  return {};
}

int Run() {
  std::string line;
  for (int number = 1; std::getline(std::cin, line); ++number) {
    std::string error;
    const std::string url = Answer(line, error);
    if (!error.empty()) {
      std::cerr << "line " << number << ": " << error << '\n';
      return 2;
    }
    std::cout << url << '\n';
  }
  return std::cout.flush() ? 0 : 1;
}

}  // namespace
}  // namespace tsm

int main() { return tsm::Run(); }
