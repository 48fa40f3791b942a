// Verifies the AWS Signature Version 4 of every request from what stood on the wire, and says who
// signed. Written from the specification and independent of the library in src/, whose signer it
// judges. Header signatures only: a presigned URL counts as unsigned. Thread-safe (const).
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ts_local/message.h"
#include "ts_local/session_store.h"

namespace ts_local {

struct AccessKey {
  std::string id;
  std::string secret;
  std::string name = "ts-local";  // of the user
};

// How a service speaks: it decides the path rule, the payload rule and the shape of refusals.
enum class Protocol { kS3, kJson, kQuery };

class Refusal;

class SigV4Verifier {
 public:
  using NowMs = std::function<std::int64_t()>;  // Unix time
  // `sessions` (borrowed) are the temporary credentials; null where there are none.
  SigV4Verifier(std::vector<AccessKey> keys, std::string account_id, NowMs now,
                const SessionStore* sessions = nullptr);

  // `services` are the scope services that fit the request, for instance {"s3"}. Takes aws-chunked
  // framing off the body and adds its trailers to the headers. Throws ApiError with the code and
  // status that AWS uses for `protocol`.
  Caller Verify(Request& request, Protocol protocol,
                const std::vector<std::string_view>& services) const;

 private:
  struct Signer;
  Signer FindSigner(const Request& request, const std::string& access_key_id,
                    const Refusal& refusal) const;

  std::vector<AccessKey> keys_;
  std::string account_id_;
  NowMs now_;
  const SessionStore* sessions_;
};

}  // namespace ts_local
