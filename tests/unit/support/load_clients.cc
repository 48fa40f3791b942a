#include "support/load_clients.h"

#include <memory>

#include "support/client_bench.h"

namespace tsm::test {

LoadClients::LoadClients(FakeServer& server, const Clock& clock, ProgressSink& sink,
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
      write_(client_, CustomEndpoint("aws.test"), "eu-west-1"),
      sns_(client_, aws::EndpointResolver(CustomEndpoint("aws.test")), "eu-west-1"),
      notifier_(sns_, std::nullopt, sink) {}

batchload::LoadServices LoadClients::Services() {
  return {write_, s3_, clock_, random_, sink_, notifier_};
}

}  // namespace tsm::test
