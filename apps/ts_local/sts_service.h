// STS of ts-local: GetCallerIdentity, AssumeRole, AssumeRoleWithWebIdentity and GetSessionToken in
// the one account there is. Every role of the account exists and trusts everyone; web identity
// tokens and MFA codes are taken as they come. Borrows the sessions. Thread-safe.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_Operations.html
#pragma once

#include <string>

#include "ts_local/message.h"
#include "ts_local/query_protocol.h"
#include "ts_local/session_store.h"

namespace ts_local {

class StsService {
 public:
  StsService(std::string account_id, SessionStore& sessions)
      : account_id_(std::move(account_id)), sessions_(sessions) {}

  // True where the call needs no signature: AssumeRoleWithWebIdentity.
  static bool IsUnsigned(const QueryForm& form);

  // The XML answer; `caller` is null for an unsigned call. Throws ApiError, for instance
  // InvalidAction for any other action and ValidationError for a parameter out of its limits.
  std::string Handle(const Caller* caller, const QueryForm& form, const std::string& request_id);

 private:
  struct AssumedRole;
  AssumedRole Assume(const Caller* caller, const QueryForm& form, const std::string& action,
                     int max_seconds);
  Session SessionToken(const Caller& caller, const QueryForm& form);

  std::string account_id_;
  SessionStore& sessions_;
};

}  // namespace ts_local
