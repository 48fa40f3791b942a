#include "ts_local/principals.h"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "ts_local/bucket_policy.h"

namespace ts_local {
namespace {

constexpr std::array<std::string_view, 2> kReadActions = {"s3:GetObject", "s3:GetObjectTagging"};
constexpr std::array<std::string_view, 4> kObjectWrites = {
    "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"};
// What whoever may read or write something of the bucket may ask of the bucket.
constexpr std::array<std::string_view, 4> kBucketReads = {
    "s3:ListBucket", "s3:GetBucketLocation", "s3:ListBucketMultipartUploads", "s3:GetBucketAcl"};

template <typename List>
bool Has(const List& list, std::string_view action) {
  return std::find(list.begin(), list.end(), action) != list.end();
}

bool MatchesKey(const std::vector<std::string>& patterns, const std::string& resource) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return WildcardMatch(pattern, resource); });
}

bool MatchesBucket(const std::vector<std::string>& patterns, const std::string& bucket) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return WildcardMatch(std::string_view(pattern).substr(0, pattern.find('/')), bucket);
  });
}

std::vector<std::string> Split(const std::string& text, char separator, std::size_t most) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (parts.size() + 1 < most) {
    const std::size_t end = text.find(separator, begin);
    if (end == std::string::npos) break;
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  parts.push_back(text.substr(begin));
  return parts;
}

}  // namespace

Principal Principal::Parse(const std::string& text) {
  const std::vector<std::string> parts = Split(text, ':', 4);
  if (parts.size() < 3 || parts[0].empty() || parts[1].empty() || parts[2].empty()) {
    throw std::invalid_argument("'" + text + "' is not NAME:ACCESS_KEY:SECRET_KEY[:RIGHTS]");
  }
  Principal principal;
  principal.key = {parts[1], parts[2], parts[0]};
  if (parts.size() == 3) return principal;
  principal.restricted = true;
  for (const std::string& right : Split(parts[3], ',', SIZE_MAX)) {
    const std::size_t equals = right.find('=');
    const std::string kind = right.substr(0, equals);
    const bool known = kind == "read" || kind == "write";
    if (!known || equals == std::string::npos || right.find('/', equals) == std::string::npos) {
      throw std::invalid_argument("'" + right +
                                  "' is neither read=BUCKET/KEY nor write=BUCKET/KEY");
    }
    (kind == "read" ? principal.read : principal.write).push_back(right.substr(equals + 1));
  }
  return principal;
}

bool Principal::May(std::string_view action, const std::string& bucket,
                    const std::string& object) const {
  if (!restricted) return true;
  const std::string resource = bucket + "/" + object;
  if (Has(kReadActions, action)) return MatchesKey(read, resource);
  if (Has(kObjectWrites, action)) return MatchesKey(write, resource);
  return MatchesBucket(write, bucket) || (Has(kBucketReads, action) && MatchesBucket(read, bucket));
}

bool Principals::May(std::string_view arn, std::string_view action, const std::string& bucket,
                     const std::string& key) const {
  const std::string_view name = NameInArn(arn);
  return std::all_of(all_.begin(), all_.end(), [&](const Principal& principal) {
    return principal.key.name != name || principal.May(action, bucket, key);
  });
}

std::string_view NameInArn(std::string_view arn) {
  for (const std::string_view kind : {":user/", ":assumed-role/"}) {
    const std::size_t at = arn.find(kind);
    if (at == std::string_view::npos) continue;
    const std::string_view rest = arn.substr(at + kind.size());
    return rest.substr(0, rest.find('/'));
  }
  return {};
}

}  // namespace ts_local
