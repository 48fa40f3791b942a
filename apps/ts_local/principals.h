// Users beside the one that ts-local's first keys stand for, each with an access key of its own and
// with rights in S3 alone: what it may read, what it may write. A role of the same name, once
// assumed, has the same rights. Immutable, so it may be shared between threads.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ts_local/sigv4_verifier.h"

namespace ts_local {

struct Principal {
  // The text of --principal, in --help's words.
  static constexpr std::string_view kGrammar =
      "NAME:ACCESS_KEY:SECRET_KEY[:RIGHTS]; RIGHTS is a list like read=from/*,write=to/year=*/*, "
      "whose patterns (* and ?) stand for BUCKET/KEY. read lets it get objects of these keys, "
      "write "
      "put, copy to and delete them; either lets it list the bucket and ask where it is. Without "
      "RIGHTS it may do everything. The role NAME, once assumed, has the same rights";

  // Throws std::invalid_argument that names what is wrong.
  static Principal Parse(const std::string& text);

  // Whether an S3 action ("s3:GetObject") on the key ("" for the bucket itself) is its right.
  bool May(std::string_view action, const std::string& bucket, const std::string& key) const;

  AccessKey key;  // with the name
  bool restricted = false;
  std::vector<std::string> read;  // patterns of "bucket/key"
  std::vector<std::string> write;
};

class Principals {
 public:
  Principals() = default;
  explicit Principals(std::vector<Principal> all) : all_(std::move(all)) {}

  // Whether the owner of `arn` (a user's, or an assumed role's) has this right. Whoever is none of
  // the principals has every right.
  bool May(std::string_view arn, std::string_view action, const std::string& bucket,
           const std::string& key) const;

 private:
  std::vector<Principal> all_;
};

// "NAME" of arn:aws:iam::1:user/NAME and of arn:aws:sts::1:assumed-role/NAME/SESSION; "" of others.
std::string_view NameInArn(std::string_view arn);

}  // namespace ts_local
