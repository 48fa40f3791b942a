// Bucket names, object keys and s3:// URIs as types of their own: two strings can't be swapped.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "tsm/core/result.h"

namespace tsm::s3 {

// 3 to 63 characters: lower-case letters, digits, '-', '.'; starts and ends with a letter or digit.
// Access-point aliases ("<name>-<metadata>-s3alias") satisfy the same rule.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-naming.html
class BucketName {
 public:
  BucketName() = default;
  static Result<BucketName> Parse(std::string_view text);  // kInvalidInput says which rule fails
  const std::string& str() const { return text_; }
  bool empty() const { return text_.empty(); }
  // Why no bucket of this name can be made, "" where one can: aliases and the prefixes and endings
  // that S3 keeps for itself are good for calls but not for CreateBucket.
  std::string WhyReserved() const;
  auto operator<=>(const BucketName&) const = default;

 private:
  explicit BucketName(std::string_view text) : text_(text) {}
  std::string text_;
};

// Any UTF-8 text of 1 to 1,024 bytes; not normalized in any way. As a prefix it may be empty.
class ObjectKey {
 public:
  ObjectKey() = default;
  explicit ObjectKey(std::string text) : text_(std::move(text)) {}
  const std::string& str() const { return text_; }
  bool empty() const { return text_.empty(); }
  auto operator<=>(const ObjectKey&) const = default;

 private:
  std::string text_;
};

// "s3://bucket/key"; the key may be empty ("s3://bucket", "s3://bucket/").
struct S3Uri {
  BucketName bucket;
  ObjectKey key;

  static Result<S3Uri> Parse(std::string_view text);
  std::string str() const;  // "s3://bucket/key"
  auto operator<=>(const S3Uri&) const = default;
};

}  // namespace tsm::s3
