// A client of a foreign S3: signs a request with one key, path style, sends it on a connection of
// its own and gives the answer. Thread-safe (const). Errors are ApiError with S3's code, or 503
// ServiceUnavailable where the endpoint can't be reached; their messages name operation, object and
// endpoint, never the secret.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ts_local/api_error.h"
#include "ts_local/message.h"
#include "ts_local/s3_endpoint.h"
#include "ts_local/sigv4_verifier.h"
#include "ts_local/spool_file.h"

namespace ts_local {

struct S3Question {
  std::string_view operation;  // "PutObject", for messages
  std::string method;
  std::string region;
  std::string bucket;
  std::string key;  // "" for the bucket itself
  std::vector<std::pair<std::string, std::string>> query;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  SpoolFile* body = nullptr;
  std::uint64_t most = 1U << 24U;  // bytes of an answer; one that is larger is an error
};

struct S3Answer {
  int status = 0;
  std::string region;  // x-amz-bucket-region, "" where absent
  std::string etag;    // without quotes
  std::uint64_t length = 0;
  std::string body;
};

class S3Client {
 public:
  using NowMs = std::function<std::int64_t()>;  // Unix time
  using Pause = std::function<void(std::chrono::milliseconds)>;
  S3Client(S3Endpoint endpoint, AccessKey key, NowMs now, Pause pause = {});

  // The answer, whatever its status. A failure that may pass (500, 502, 503, 504, a connection
  // that breaks) is tried three times in all; every question here may be repeated.
  S3Answer Ask(const S3Question& question) const;
  // The error that an answer without success is.
  ApiError ErrorOf(const S3Question& question, const S3Answer& answer) const;

 private:
  struct Outcome;
  Outcome AskOnce(const S3Question& question, const std::string& payload_hash) const;
  std::string About(const S3Question& question) const;

  S3Endpoint endpoint_;
  AccessKey key_;
  NowMs now_;
  Pause pause_;
};

}  // namespace ts_local
