#include "tsm/s3/names.h"

#include <algorithm>
#include <array>

namespace tsm::s3 {
namespace {

bool IsLowerAlnum(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

// "192.168.5.4": S3 refuses names that look like an address.
bool LooksLikeIpv4(std::string_view text) {
  int dots = 0;
  for (const char c : text) {
    if (c == '.') {
      ++dots;
    } else if (c < '0' || c > '9') {
      return false;
    }
  }
  return dots == 3;
}

struct Reserved {
  std::string_view part;
  bool at_end;
  std::string_view what;
};

// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
constexpr auto kReserved = std::to_array<Reserved>({
    {"xn--", false, "internationalized host names"},
    {"sthree-", false, "S3 itself"},
    {"amzn-s3-demo-", false, "AWS's documentation"},
    {"-s3alias", true, "aliases of access points, which S3 gives out itself"},
    {"--ol-s3", true, "aliases of Object Lambda access points, which S3 gives out itself"},
    {".mrap", true, "Multi-Region Access Points"},
    {"--x-s3", true, "directory buckets"},
    {"--table-s3", true, "S3 Tables"},
});

Error BadBucket(std::string_view text, const std::string& why) {
  return MakeError(ErrorKind::kInvalidInput,
                   "bucket name \"" + std::string(text) + "\" is not valid: " + why);
}

}  // namespace

Result<BucketName> BucketName::Parse(std::string_view text) {
  if (text.size() < 3 || text.size() > 63) {
    return BadBucket(text,
                     "it has " + std::to_string(text.size()) + " characters, S3 allows 3 to 63");
  }
  const auto allowed = [](char c) { return IsLowerAlnum(c) || c == '-' || c == '.'; };
  if (!std::all_of(text.begin(), text.end(), allowed)) {
    return BadBucket(text, "only lower-case letters, digits, '-' and '.' are allowed");
  }
  if (!IsLowerAlnum(text.front()) || !IsLowerAlnum(text.back())) {
    return BadBucket(text, "it must start and end with a letter or digit");
  }
  if (text.find("..") != std::string_view::npos) {
    return BadBucket(text, "two '.' may not follow each other");
  }
  if (LooksLikeIpv4(text)) return BadBucket(text, "it has the form of an IP address");
  return BucketName(text);
}

std::string BucketName::WhyReserved() const {
  for (const Reserved& reserved : kReserved) {
    const bool matches =
        reserved.at_end ? text_.ends_with(reserved.part) : text_.starts_with(reserved.part);
    if (!matches) continue;
    return std::string(reserved.at_end ? "the ending " : "the beginning ") +
           std::string(reserved.part) + " is kept for " + std::string(reserved.what);
  }
  return "";
}

Result<S3Uri> S3Uri::Parse(std::string_view text) {
  constexpr std::string_view kScheme = "s3://";
  if (!text.starts_with(kScheme)) {
    return MakeError(ErrorKind::kInvalidInput,
                     "\"" + std::string(text) + "\" is not an S3 URI: s3://bucket/key is expected");
  }
  const std::string_view rest = text.substr(kScheme.size());
  const std::size_t slash = rest.find('/');
  Result<BucketName> bucket = BucketName::Parse(rest.substr(0, slash));
  if (!bucket) return std::move(bucket).error().With("S3 URI " + std::string(text));
  S3Uri uri;
  uri.bucket = *std::move(bucket);
  if (slash != std::string_view::npos) uri.key = ObjectKey(std::string(rest.substr(slash + 1)));
  return uri;
}

std::string S3Uri::str() const { return "s3://" + bucket.str() + "/" + key.str(); }

}  // namespace tsm::s3
