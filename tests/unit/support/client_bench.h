// An aws::Client on a scripted transport, a fake clock and fixed credentials, for the service
// clients' tests. Members are destroyed after the client that refers to them.
#pragma once

#include <memory>
#include <string>

#include "support/fake_clock.h"
#include "support/scripted_transport.h"
#include "tsm/aws/client.h"
#include "tsm/aws/endpoints.h"

namespace tsm::test {

struct ClientBench {
  FakeClock clock;
  SeededRandom random{1};
  ScriptedTransport transport;
  aws::Client client{
      aws::ClientParts{.transport = &transport,
                       .clock = &clock,
                       .random = &random,
                       .credentials = std::make_shared<aws::StaticCredentials>(aws::Credentials{
                           .access_key_id = "AKIDEXAMPLE",
                           .secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                           .session_token = "",
                           .source = "test"}),
                       .retry = {},
                       .user_agent = "test/1"}};
};

inline aws::Endpoint AwsEndpoint(std::string host) {
  return {.scheme = "https", .host = std::move(host), .base_path = "", .custom = false};
}

inline aws::Endpoint CustomEndpoint(std::string host, std::string base_path = "") {
  return {
      .scheme = "http", .host = std::move(host), .base_path = std::move(base_path), .custom = true};
}

inline std::string Header(const http::Request& request, std::string_view name) {
  return std::string(http::FindHeader(request.headers, name));
}

}  // namespace tsm::test
