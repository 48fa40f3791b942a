#include "ts_local/s3_call.h"

#include <algorithm>
#include <charconv>

#include "ts_local/checksum.h"
#include "ts_local/digest.h"
#include "ts_local/time_text.h"

namespace ts_local {
namespace {

constexpr std::string_view kMetadataPrefix = "x-amz-meta-";
constexpr std::string_view kEncryption = "x-amz-server-side-encryption";
constexpr std::string_view kKmsKey = "x-amz-server-side-encryption-aws-kms-key-id";

template <typename Number>
std::optional<Number> ParseNumber(std::string_view text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// A list of ETags, quoted or bare, or "*".
bool Matches(std::string_view list, std::string_view etag) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    std::string_view item = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view() : list.substr(comma + 1);
    while (item.starts_with(' ') || item.starts_with('"')) item.remove_prefix(1);
    while (item.ends_with(' ') || item.ends_with('"')) item.remove_suffix(1);
    if (item == "*" || item == etag) return true;
  }
  return false;
}

[[noreturn]] void FailPrecondition(const std::string& condition) {
  throw S3Error(412, "PreconditionFailed",
                "At least one of the pre-conditions you specified did not hold",
                {{"Condition", condition}}, {});
}

std::string Upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

}  // namespace

bool S3Call::Allowed(const std::string& of_bucket, const std::string& action,
                     const std::string& of_key) const {
  return principals.May(caller.arn, action, of_bucket, of_key) &&
         objects.Allowed(of_bucket, action, of_key, caller.arn);
}

void S3Call::Require(const std::string& of_bucket, const std::string& action,
                     const std::string& of_key) const {
  if (Allowed(of_bucket, action, of_key)) return;
  const bool no_right = !principals.May(caller.arn, action, of_bucket, of_key);
  throw ApiError(403, "AccessDenied",
                 "User: " + caller.arn + " is not authorized to perform: " + action +
                     " on resource: \"arn:aws:s3:::" + of_bucket +
                     (of_key.empty() ? "" : "/" + of_key) + "\" " +
                     (no_right ? "because no identity-based policy allows the " + action + " action"
                               : "with an explicit deny in a resource-based policy"));
}

std::string S3Call::Param(std::string_view name, std::string_view otherwise) const {
  const std::string* value = request.Query(name);
  return value == nullptr ? std::string(otherwise) : *value;
}

int S3Call::Number(std::string_view name, int otherwise, int low, int high) const {
  const std::string* text = request.Query(name);
  if (text == nullptr || text->empty()) return otherwise;
  const auto value = ParseNumber<int>(*text);
  if (!value || *value < low || *value > high) {
    throw ApiError(400, "InvalidArgument",
                   "Argument " + std::string(name) + " must be an integer between " +
                       std::to_string(low) + " and " + std::to_string(high));
  }
  return *value;
}

ObjectAttributes ReadAttributes(const Request& request) {
  ObjectAttributes attributes;
  const std::string_view type = request.Header("content-type");
  if (!type.empty()) attributes.content_type = type;
  const std::string_view encryption = request.Header(kEncryption);
  if (!encryption.empty()) {
    if (encryption != "AES256" && encryption != "aws:kms" && encryption != "aws:kms:dsse") {
      throw ApiError(400, "InvalidEncryptionAlgorithmError",
                     "The encryption request that you specified is not valid.");
    }
    attributes.encryption = encryption;
  }
  attributes.kms_key = request.Header(kKmsKey);
  if (!attributes.kms_key.empty() && !attributes.encryption.starts_with("aws:kms")) {
    throw ApiError(400, "InvalidArgument",
                   "Server Side Encryption with AWS KMS managed key requires HTTP header "
                   "x-amz-server-side-encryption : aws:kms");
  }
  for (const auto& [name, value] : request.headers) {
    if (name.starts_with(kMetadataPrefix)) {
      attributes.metadata.emplace(name.substr(kMetadataPrefix.size()), value);
    }
  }
  return attributes;
}

void DescribeEncryption(const std::string& algorithm, const std::string& kms_key,
                        Response& response) {
  response.headers.emplace_back(kEncryption, algorithm);
  if (!kms_key.empty()) response.headers.emplace_back(kKmsKey, kms_key);
}

void DescribeObject(const ObjectInfo& object, Response& response) {
  response.headers.emplace_back("ETag", Quoted(object.etag));
  response.headers.emplace_back("Last-Modified", HttpTime(object.modified_ms));
  response.headers.emplace_back("Content-Type", object.content_type);
  response.headers.emplace_back("Accept-Ranges", "bytes");
  DescribeEncryption(object.encryption, object.kms_key, response);
  for (const auto& [name, value] : object.metadata) {
    response.headers.emplace_back(std::string(kMetadataPrefix) + name, value);
  }
}

Response XmlResponse(XmlWriter& xml) {
  Response response;
  response.headers.emplace_back("Content-Type", "application/xml");
  response.body = xml.Finish();
  return response;
}

std::string Quoted(std::string_view etag) { return "\"" + std::string(etag) + "\""; }

S3Error::Fields CheckDigests(const Request& request) {
  const std::string_view md5 = request.Header("content-md5");
  if (!md5.empty()) {
    const std::string wanted = Base64Decode(md5);
    if (wanted.size() != 16) {
      throw ApiError(400, "InvalidDigest", "The Content-MD5 you specified was invalid.");
    }
    if (wanted != Md5(request.body)) {
      throw ApiError(400, "BadDigest",
                     "The Content-MD5 you specified did not match what we received.");
    }
  }
  S3Error::Fields sent;
  for (const std::string_view name : kChecksumNames) {
    const std::string header = "x-amz-checksum-" + std::string(name);
    const std::string_view wanted = request.Header(header);
    if (wanted.empty()) continue;
    if (wanted != Checksum(name, request.body)) {
      throw ApiError(
          400, "BadDigest",
          "The " + Upper(name) + " you specified did not match the calculated checksum.");
    }
    sent.emplace_back(header, wanted);
  }
  return sent;
}

bool CheckReadConditions(const Request& request, const std::string& prefix,
                         const ObjectInfo& object) {
  const auto header = [&](const char* name) { return request.Header(prefix + name); };
  const auto changed_since = [&](std::string_view date) -> std::optional<bool> {
    const auto since = ParseHttpTime(date);
    if (!since) return std::nullopt;
    return object.modified_ms / 1000 > *since / 1000;
  };
  const std::string_view match = header("if-match");
  if (!match.empty()) {
    if (!Matches(match, object.etag)) FailPrecondition(prefix + "If-Match");
  } else if (changed_since(header("if-unmodified-since")).value_or(false)) {
    FailPrecondition(prefix + "If-Unmodified-Since");
  }
  const std::string_view none_match = header("if-none-match");
  bool fresh = true;
  if (!none_match.empty()) {
    fresh = !Matches(none_match, object.etag);
  } else {
    fresh = changed_since(header("if-modified-since")).value_or(true);
  }
  if (!fresh && !prefix.empty()) FailPrecondition(prefix + "If-None-Match");
  return fresh;
}

void CheckWriteConditions(const S3Call& call) {
  const std::string_view match = call.request.Header("if-match");
  const std::string_view none_match = call.request.Header("if-none-match");
  if (match.empty() && none_match.empty()) return;
  const auto existing = call.objects.Find(call.bucket, call.key);
  if (!none_match.empty()) {
    if (none_match != "*") {
      throw ApiError(501, "NotImplemented",
                     "A header you provided implies functionality that is not implemented: "
                     "If-None-Match of a write takes only *");
    }
    if (existing) FailPrecondition("If-None-Match");
  }
  if (!match.empty()) {
    if (!existing) throw ApiError(404, "NoSuchKey", "The specified key does not exist.");
    if (!Matches(match, existing->etag)) FailPrecondition("If-Match");
  }
}

std::optional<std::pair<std::uint64_t, std::uint64_t>> ReadRange(std::string_view header,
                                                                 std::uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  if (!header.starts_with(kUnit)) return std::nullopt;
  header.remove_prefix(kUnit.size());
  const std::size_t dash = header.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const std::string_view first_text = header.substr(0, dash);
  const std::string_view last_text = header.substr(dash + 1);
  const auto first = ParseNumber<std::uint64_t>(first_text);
  const auto last = ParseNumber<std::uint64_t>(last_text);
  if ((!first && !first_text.empty()) || (!last && !last_text.empty()) || (!first && !last) ||
      (first && last && *first > *last)) {
    return std::nullopt;
  }
  const std::uint64_t begin = first ? *first : size - std::min(*last, size);
  if (begin >= size || (!first && *last == 0)) {
    throw S3Error(416, "InvalidRange", "The requested range is not satisfiable",
                  {{"RangeRequested", std::string(kUnit) + std::string(header)},
                   {"ActualObjectSize", std::to_string(size)}},
                  {{"Content-Range", "bytes */" + std::to_string(size)}});
  }
  const std::uint64_t end = first && last ? std::min(*last + 1, size) : size;
  return std::pair{begin, end - begin};
}

}  // namespace ts_local
