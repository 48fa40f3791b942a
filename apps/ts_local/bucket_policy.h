// One bucket's policy: checked when it is put, asked for explicit denials on every call. ts-local
// has one account, which owns every bucket, so Allow statements are kept and change nothing. A Deny
// with a Condition is kept too and never applies here: conditions speak of callers and networks
// that ts-local has not. Immutable, so it may be shared between threads.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ts_local {

class BucketPolicy {
 public:
  // Throws ApiError 400 MalformedPolicy where `json` is no policy for `bucket`.
  static BucketPolicy Parse(std::string_view json, const std::string& bucket);

  // True where a Deny without condition names the account or the caller, the action
  // ("s3:GetObject") and the resource: "arn:aws:s3:::bucket" or "arn:aws:s3:::bucket/key". The
  // caller is a user's ARN or an assumed role's session; "" for the user ts-local.
  bool Denies(std::string_view account_id, std::string_view action, std::string_view resource,
              std::string_view caller_arn = "") const;

 private:
  // Patterns of one element; `negated` for NotAction and kin.
  struct Patterns {
    bool negated = false;
    std::vector<std::string> values;
  };
  struct Statement {
    Patterns principals;  // "*", account ids and ARNs
    Patterns actions;     // lower case: IAM ignores their case
    Patterns resources;
  };
  friend struct PolicyParser;
  std::vector<Statement> denials_;
};

// IAM's wildcards: '*' any run of characters, '?' one character.
bool WildcardMatch(std::string_view pattern, std::string_view text);

}  // namespace ts_local
