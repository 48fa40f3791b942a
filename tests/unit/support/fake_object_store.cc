#include "support/fake_object_store.h"

#include <algorithm>
#include <utility>

#include "tsm/core/text.h"

namespace tsm::test {

namespace {

std::pair<std::string, std::string> Cut(const std::string& path) {
  const std::size_t slash = path.find('/');
  return {path.substr(0, slash), slash == std::string::npos ? "" : path.substr(slash + 1)};
}

std::string Value(const http::Request& request, const std::string& name) {
  for (const auto& [key, value] : request.query) {
    if (key == name) return value;
  }
  return "";
}

http::Response Refuse(int status, const std::string& code) {
  return {status, {}, "<Error><Code>" + code + "</Code><Message>" + code + "</Message></Error>"};
}

std::string Element(const std::string& name, const std::string& text) {
  return "<" + name + ">" + text + "</" + name + ">";
}

std::string HashOf(const std::string& text) {
  std::uint64_t hash = 14695981039346656037U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  return "e" + std::to_string(hash);
}

}  // namespace

FakeObjectStore::FakeObjectStore() {
  bench.transport.SetHandler(
      [this](const http::Request& request) -> Result<http::Response> { return Answer(request); });
}

void FakeObjectStore::Put(const std::string& path, std::string body) {
  const auto [bucket, key] = Cut(path);
  const std::string etag = HashOf(body);
  const std::uint64_t size = body.size();
  buckets[bucket][key] = {size, std::move(body), etag};
}

void FakeObjectStore::PutSize(const std::string& path, std::uint64_t size) {
  const auto [bucket, key] = Cut(path);
  buckets[bucket][key] = {size, "", "s" + std::to_string(size)};
}

void FakeObjectStore::Remove(const std::string& path) {
  const auto [bucket, key] = Cut(path);
  buckets[bucket].erase(key);
}

bool FakeObjectStore::IsForbidden(const std::string& path) const {
  return std::any_of(forbidden_.begin(), forbidden_.end(),
                     [&](const std::string& begin) { return path.starts_with(begin); });
}

http::Response FakeObjectStore::Answer(const http::Request& request) {
  const auto [bucket, key] = Cut(PercentDecode(request.path).substr(1));
  if (buckets.count(bucket) == 0) return Refuse(404, "NoSuchBucket");
  if (key.empty()) return List(request, bucket);
  if (IsForbidden(bucket + "/" + key)) return Refuse(403, "AccessDenied");
  const auto found = buckets[bucket].find(key);
  if (found == buckets[bucket].end()) return Refuse(404, "NoSuchKey");
  const Object& object = found->second;
  http::Headers headers = {{"ETag", "\"" + object.etag + "\""},
                           {"Content-Length", std::to_string(object.size)}};
  if (request.method == "HEAD") return {200, headers, ""};
  ++gets;
  const std::string range(http::FindHeader(request.headers, "range"));
  if (range.empty()) return {200, headers, object.body};
  const std::size_t dash = range.find('-');
  const auto first = static_cast<std::size_t>(ParseInt64(range.substr(6, dash - 6)).value_or(0));
  const auto last = static_cast<std::size_t>(ParseInt64(range.substr(dash + 1)).value_or(0));
  if (first >= object.body.size()) return Refuse(416, "InvalidRange");
  return {206, {{"ETag", "\"" + object.etag + "\""}}, object.body.substr(first, last - first + 1)};
}

http::Response FakeObjectStore::List(const http::Request& request, const std::string& bucket) {
  ++lists;
  const std::string prefix = Value(request, "prefix");
  if (IsForbidden(bucket + "/" + prefix)) return Refuse(403, "AccessDenied");
  const std::string delimiter = Value(request, "delimiter");
  const auto& objects = buckets[bucket];
  std::string entries;
  std::string next;
  std::size_t count = 0;
  auto it =
      objects.lower_bound(std::max(prefix, PercentDecode(Value(request, "continuation-token"))));
  while (it != objects.end() && it->first.starts_with(prefix)) {
    if (count++ == page_size) {
      next = it->first;
      break;
    }
    const std::string& key = it->first;
    const std::size_t cut =
        delimiter.empty() ? std::string::npos : key.find(delimiter, prefix.size());
    if (cut == std::string::npos) {
      entries += "<Contents>" + Element("Key", PercentEncode(key)) +
                 Element("Size", std::to_string(it->second.size)) +
                 Element("ETag", "\"" + it->second.etag + "\"") + "</Contents>";
      ++it;
      continue;
    }
    const std::string folder = key.substr(0, cut + 1);
    entries += Element("CommonPrefixes", Element("Prefix", PercentEncode(folder)));
    while (it != objects.end() && it->first.starts_with(folder)) ++it;
  }
  return {200,
          {},
          "<ListBucketResult><EncodingType>url</EncodingType>" +
              Element("IsTruncated", next.empty() ? "false" : "true") +
              (next.empty() ? "" : Element("NextContinuationToken", PercentEncode(next))) +
              entries + "</ListBucketResult>"};
}

}  // namespace tsm::test
