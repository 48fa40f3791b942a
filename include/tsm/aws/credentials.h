// Credentials and where they come from. Credentials have no formatter and no stream operator on
// purpose: a secret can't be logged by accident.
// https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
#pragma once

#include <string>
#include <vector>

#include "tsm/core/result.h"

namespace tsm::aws {

struct Credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;  // "" for long-term keys
  std::string source;         // for messages: "environment", "profile dev in ~/.aws/credentials"
};

// Gives the credentials of this moment; asked anew for each attempt. Thread-safe.
class CredentialsProvider {
 public:
  virtual ~CredentialsProvider() = default;
  virtual Result<Credentials> Get() = 0;
};

// Always the same ones.
class StaticCredentials final : public CredentialsProvider {
 public:
  explicit StaticCredentials(Credentials credentials) : credentials_(std::move(credentials)) {}
  Result<Credentials> Get() override { return credentials_; }

 private:
  Credentials credentials_;
};

}  // namespace tsm::aws
