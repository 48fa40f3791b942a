#include <chrono>
#include <utility>

#include "credentials_json.h"
#include "secret_file.h"
#include "tsm/aws/credentials/secret_text.h"
#include "tsm/aws/credentials/sources.h"
#include "tsm/aws/signer.h"

namespace tsm::aws {

namespace {

constexpr std::size_t kLargestFile = 1'000'000;
// Keys with less to go might expire on their way.
constexpr std::chrono::minutes kLeast{1};

}  // namespace

Result<Credentials> LoginSource::Fetch(std::stop_token stop) {
  if (stop.stop_requested()) return MakeError(ErrorKind::kCancelled, "stopped");
  const std::string source = "aws login (profile " + plan_.profile + ")";
  const std::string advice = "run: aws login --profile " + plan_.profile;
  const std::string path = plan_.cache_directory + "/" + Sha256Hex(plan_.session) + ".json";
  Result<std::string> text = ReadSecretFile(path, kLargestFile);
  if (!text) {
    const bool absent = text.error().kind == ErrorKind::kNotFound;
    return MakeError(ErrorKind::kCredentials,
                     source + ": " +
                         (absent ? "nobody is signed in, there is no session file " + path
                                 : "the session file " + text.error().message) +
                         "; " + advice);
  }
  Result<Credentials> credentials = ParseCredentialsJson(*text, kLoginFields, source);
  if (!credentials) return WithAdvice(std::move(credentials).error(), "in " + path + "; " + advice);
  if (*credentials->expiration <= skew_.Now(clock_) + kLeast) {
    return MakeError(ErrorKind::kExpiredCredentials,
                     source + ": the session in " + path + " has run out; " + advice);
  }
  return credentials;
}

}  // namespace tsm::aws
