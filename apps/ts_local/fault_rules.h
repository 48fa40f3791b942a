// Failures on demand: rules that say which calls of which operation are answered with an error,
// slowly, or not at all. For tests of what clients do then.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "ts_local/api_error.h"
#include "ts_local/sigv4_verifier.h"

namespace ts_local {

// Steps inside the service, which rules may strike as if they were calls.
inline constexpr std::string_view kUnloadStep = "Unload";            // one query's execution
inline constexpr std::string_view kUnloadWriteStep = "UnloadWrite";  // the start of one data file
inline constexpr std::string_view kTaskStep = "Task";                // one run of a batch-load task

// What happens to one call.
struct Fault {
  enum class Kind { kError, kReset, kHang, kSlow, kStopTask, kFailTask };
  Kind kind = Kind::kError;
  bool after = false;   // the call has its effect first
  bool in_200 = false;  // kError: told in the body of a 200 alone, as S3 does of long copies
  int status = 0;       // kError
  std::string code;     // kError
  std::int64_t slow_ms = 0;
  std::optional<double> share;  // kStopTask, kFailTask: of the task's bytes; absent: no word of it

  // kError's, as a service would say it.
  ApiError Error() const;
};

// One rule, as --fail has it: OPERATION:WHEN:WHAT. A value.
struct FaultRule {
  // The rule's text, in --help's words.
  static constexpr std::string_view kGrammar =
      "OPERATION:WHEN:WHAT. OPERATION as AWS names it (Query, CreateBatchLoadTask, PutObject, "
      "CopyObject, ListObjectsV2, ...) or * for all; or a step of an UNLOAD inside the service, "
      "which fails with an error alone and leaves partial files and an incomplete multipart "
      "upload: "
      "Unload, a query whose execution fails when half of its rows are written, or UnloadWrite, "
      "what S3 answers to the start of a data file (SlowDown: the query fails as throttled by S3); "
      "or Task, one run of a batch-load task, a resumed one included: stop (PROGRESS_STOPPED when "
      "half of what is left is loaded), stop=PERCENT (of all its bytes; 0: without any progress), "
      "fail or fail=PERCENT (FAILED, with a report that has an error of the task). "
      "WHEN, among the calls of it: N, N-M, N- or * "
      "for all; or P% of them at random, P%/SEED for another sequence. WHAT: an error by its code "
      "(ThrottlingException, InternalServerException, SlowDown, ExpiredToken, AccessDenied, ...), "
      "reset (the connection is dropped), hang (no answer until the client goes), or slow=MS (the "
      "answer comes so many milliseconds late); an error, reset and hang come instead of the "
      "call's effect, or after it with +after behind; an error of CopyObject, UploadPartCopy and "
      "CompleteMultipartUpload with +in200 behind comes in the body of a 200";

  // Throws std::invalid_argument that names the place and what may stand there.
  static FaultRule Parse(const std::string& text);

  std::string text;
  std::string operation;  // "*" for all
  std::uint64_t first = 1;
  std::uint64_t last = 0;        // 0: none is the last
  std::optional<double> chance;  // 0 to 1, instead of first and last
  std::uint64_t seed = 1;
  Fault fault;  // its status is chosen when it strikes
};

// The rules in force. Every rule counts the calls that are its own, whichever strikes: the first in
// order does. Thread-safe.
class FaultRules {
 public:
  void Add(FaultRule rule);
  void Clear();

  // The fault of this call or step, if there is one. `operation` may be "" (unknown). Rules for "*"
  // are for calls alone.
  std::optional<Fault> Next(std::string_view operation, Protocol protocol);

  // {"rules":[{"rule":"Query:1:...","calls":5,"struck":1}]}
  std::string Json() const;

 private:
  struct Counted {
    FaultRule rule;
    std::mt19937_64 random;
    std::uint64_t calls = 0;
    std::uint64_t struck = 0;
  };
  mutable std::mutex mutex_;
  std::vector<Counted> rules_;
};

}  // namespace ts_local
