// The real clients of one unload on a fake server, and a disk for its journal that no test has to
// wait for. The server, the clock and the sink outlive it; as thread-safe as the clients are.
#pragma once

#include <cstdint>

#include "support/fake_transport.h"
#include "tsm/aws/client.h"
#include "tsm/core/journal.h"
#include "tsm/core/random.h"
#include "tsm/unload/unload_run.h"

namespace tsm::test {

class UnloadClients {
 public:
  // `seed`: of retries' jitter and of all ids.
  UnloadClients(FakeServer& server, const Clock& clock, ProgressSink& sink, std::uint64_t seed);

  FakeTransport transport;
  unload::UnloadServices Services();
  timestream::WriteClient& write() { return write_; }

 private:
  ProgressSink& sink_;
  const Clock& clock_;
  SeededRandom random_;
  aws::Client client_;
  s3::S3Client s3_;
  sts::StsClient sts_;
  timestream::QueryClient query_;
  timestream::WriteClient write_;
};

// Writes and does not sync: a process that ends loses nothing by that.
class UnsyncedDisk final : public JournalDisk {
 public:
  int Sync(int /*file*/) override { return 0; }
};

}  // namespace tsm::test
