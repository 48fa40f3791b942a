#include "support/unload_clients.h"

#include <memory>

#include "support/client_bench.h"

namespace tsm::test {

UnloadClients::UnloadClients(FakeServer& server, const Clock& clock, ProgressSink& sink,
                             std::uint64_t seed)
    : transport(server, clock),
      sink_(sink),
      clock_(clock),
      random_(seed),
      client_({.transport = &transport,
               .clock = &clock,
               .random = &random_,
               .credentials = std::make_shared<aws::StaticCredentials>(
                   aws::Credentials{.access_key_id = "AKIDEXAMPLE",
                                    .secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                                    .session_token = "",
                                    .source = "test"}),
               .retry = {},
               .user_agent = "test/1"}),
      s3_(client_, aws::EndpointResolver(CustomEndpoint("aws.test")), "eu-west-1"),
      sts_(client_, CustomEndpoint("aws.test"), "eu-west-1"),
      query_(client_, CustomEndpoint("aws.test"), "eu-west-1"),
      write_(client_, CustomEndpoint("aws.test"), "eu-west-1") {}

unload::UnloadServices UnloadClients::Services() {
  return {s3_, query_, sts_, clock_, random_, sink_, "eu-west-1", "9.9.9"};
}

}  // namespace tsm::test
