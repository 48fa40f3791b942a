// The front door of ts-local: verifies each request's signature, finds the service it is for and
// words refusals as that service's protocol does (JSON 1.0, S3's REST XML, query XML). Borrows the
// services, which must outlive it. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "ts_local/message.h"
#include "ts_local/query_service.h"
#include "ts_local/s3_service.h"
#include "ts_local/sigv4_verifier.h"
#include "ts_local/sns_service.h"
#include "ts_local/write_service.h"

namespace ts_local {

struct Services {
  S3Service& s3;
  QueryService& query;
  WriteService& write;
  SnsService& sns;
};

class Dispatcher {
 public:
  using NowMs = std::function<std::int64_t()>;  // Unix time
  Dispatcher(const SigV4Verifier& verifier, Services services, NowMs now)
      : verifier_(verifier), services_(services), now_(std::move(now)) {}

  // Answers every request; never throws.
  Response Handle(Request& request) noexcept;

 private:
  Response Route(Request& request, Protocol protocol, const std::string& request_id);
  Response HandleTimestream(Request& request);
  Response HandleQueryProtocol(Request& request, const std::string& request_id);

  const SigV4Verifier& verifier_;
  Services services_;
  NowMs now_;
};

}  // namespace ts_local
