// Credentials and who gives them. Credentials have no formatter and no stream operator on purpose:
// a secret can't be logged by accident.
// https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "tsm/core/result.h"

namespace tsm::aws {

struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;  // "" for long-term keys
  std::string source;         // for messages: "environment", "profile dev in ~/.aws/credentials"
  // When the service stops accepting them; nothing where they hold until they are deleted.
  std::optional<std::chrono::system_clock::time_point> expiration = {};
  std::string account_id = {};  // twelve digits, "" where the source does not say
};

// "" or which part holds blanks or control characters ("secret access key"): a pasted line end
// would make a header of its own, and no key has one.
std::string BlanksIn(const Credentials& credentials);

// Gives the credentials of this moment; asked anew for each attempt. Thread-safe.
class CredentialsProvider {
 public:
  virtual ~CredentialsProvider() = default;
  virtual Result<Credentials> Get(std::stop_token stop) = 0;
  // The service refused `refused` as expired. True where the next Get gives others (they were
  // dropped, or had been replaced already); false where there is nothing to renew them from.
  virtual bool Renew(const Credentials& refused) {
    static_cast<void>(refused);
    return false;
  }
};

// Always the same ones.
class StaticCredentials final : public CredentialsProvider {
 public:
  explicit StaticCredentials(Credentials credentials) : credentials_(std::move(credentials)) {}
  Result<Credentials> Get(std::stop_token) override { return credentials_; }

 private:
  Credentials credentials_;
};

}  // namespace tsm::aws
