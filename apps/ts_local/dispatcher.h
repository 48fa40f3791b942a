// The front door of ts-local: verifies each request's signature, finds the service it is for and
// words refusals as that service's protocol does (JSON 1.0, S3's REST XML, query XML). Borrows the
// services, which must outlive it. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "ts_local/fault_rules.h"
#include "ts_local/message.h"
#include "ts_local/query_service.h"
#include "ts_local/s3_service.h"
#include "ts_local/sigv4_verifier.h"
#include "ts_local/sns_service.h"
#include "ts_local/sts_service.h"
#include "ts_local/write_service.h"

namespace ts_local {

struct Services {
  S3Service* s3;  // null where Timestream works on a foreign S3, which is then at s3_endpoint
  QueryService& query;
  WriteService& write;
  SnsService& sns;
  StsService& sts;
  std::string s3_endpoint;
  TableStore* tables = nullptr;  // null: no rows in bulk
};

class Dispatcher {
 public:
  using NowMs = std::function<std::int64_t()>;  // Unix time
  // `faults` (borrowed) are struck before anything is verified; null for none, and no way to set
  // any.
  Dispatcher(const SigV4Verifier& verifier, Services services, NowMs now,
             FaultRules* faults = nullptr)
      : verifier_(verifier),
        services_(std::move(services)),
        now_(std::move(now)),
        faults_(faults) {}

  // Answers every request; never throws.
  Response Handle(Request& request) noexcept;

 private:
  // `delay_ms`: how much later the answer, or what is thrown, is to be sent.
  Response RouteOrFail(Request& request, Protocol protocol, const std::string& request_id,
                       std::int64_t* delay_ms);
  Response Route(Request& request, Protocol protocol, const std::string& request_id);
  Response HandleTimestream(Request& request);
  Response HandleQueryProtocol(Request& request, const std::string& request_id);

  const SigV4Verifier& verifier_;
  Services services_;
  NowMs now_;
  FaultRules* faults_;
};

}  // namespace ts_local
