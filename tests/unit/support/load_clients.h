// The real clients of one load on a fake server. The server, the clock and the sink outlive it.
#pragma once

#include <cstdint>

#include "support/fake_transport.h"
#include "support/unload_clients.h"
#include "tsm/aws/client.h"
#include "tsm/batchload/load_run.h"
#include "tsm/core/random.h"
#include "tsm/sns/sns_client.h"

namespace tsm::test {

class LoadClients {
 public:
  // `seed`: of retries' jitter and of all ids.
  LoadClients(FakeServer& server, const Clock& clock, ProgressSink& sink, std::uint64_t seed);

  FakeTransport transport;
  batchload::LoadServices Services();

 private:
  ProgressSink& sink_;
  const Clock& clock_;
  SeededRandom random_;
  aws::Client client_;
  s3::S3Client s3_;
  timestream::WriteClient write_;
  sns::SnsClient sns_;
  batchload::FailureNotifier notifier_;  // without a topic
};

}  // namespace tsm::test
