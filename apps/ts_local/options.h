// What ts-local is started with, checked once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ts_local/batch_load_limits.h"
#include "ts_local/fault_rules.h"
#include "ts_local/principals.h"
#include "ts_local/s3_endpoint.h"
#include "ts_local/sigv4_verifier.h"
#include "ts_local/unload_limits.h"

namespace ts_local {

struct Options {
  std::string host = "127.0.0.1";
  int port = 4566;  // 0: a free one
  std::string dir;
  std::string account_id = "123456789012";
  std::vector<AccessKey> keys;  // never empty; those of the principals besides
  std::vector<Principal> principals;
  // How long temporary credentials last in truth; absent: until the Expiration they carry.
  std::optional<int> session_seconds;
  std::vector<FaultRule> faults;
  UnloadLimits unload;
  BatchLoadLimits batch_load;
  std::int64_t latency_ms = 0;        // of every answer
  std::size_t memory_partitions = 0;  // see UnloadMishaps
  bool sample = false;
  std::vector<std::string> sample_regions;  // never empty
  std::string port_file;                    // "" for none
  std::optional<S3Endpoint> s3_endpoint;    // absent: ts-local's own S3
  AccessKey s3_key;                         // what requests to s3_endpoint are signed with
};

// The options, or the exit code of a run that ends here: 0 after --help, 2 for wrong flags, with
// the reason on stderr.
std::variant<Options, int> ParseOptions(int argc, const char* const* argv);

}  // namespace ts_local
