// An HTTP request and response as plain values. No library's types, no policy.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tsm::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

// First value of the header, compared without case, or "" where absent.
std::string_view FindHeader(const Headers& headers, std::string_view name);

struct Timeouts {
  std::chrono::milliseconds connect{10'000};
  // Longest silence on the wire. Query answers within 60 s
  // (https://docs.aws.amazon.com/timestream/latest/developerguide/API_query_Query.html), so more.
  std::chrono::milliseconds idle{70'000};
  std::chrono::milliseconds total{300'000};
};

struct Request {
  std::string method;  // "GET", "PUT", "POST", "HEAD", "DELETE"
  std::string scheme;  // "https" or "http"
  std::string host;    // name or address (IPv6 in brackets), with ":port" where not the default
  // Percent-encoded as it goes on the wire, never empty, starts with '/'. The transport sends it as
  // it stands: dot segments and double slashes are part of an S3 key.
  std::string path = "/";
  // Names and values not yet encoded; encoded and sent in this order.
  std::vector<std::pair<std::string, std::string>> query;
  Headers headers;
  std::string body;
  // Where set, sent in place of `body`: large, and not copied with the request.
  std::shared_ptr<const std::string> shared_body = nullptr;
  Timeouts timeouts;
  bool direct = false;  // never through a proxy: metadata services of the container or instance
  // On a connection of its own: on a reused one that the server had closed, libcurl would send the
  // request again by itself, which a call that must not run twice can't have.
  bool fresh_connection = false;

  // "/path?query", percent-encoded.
  std::string Target() const;
  // What is sent.
  const std::string& Body() const { return shared_body != nullptr ? *shared_body : body; }
};

struct Response {
  int status = 0;
  Headers headers;
  std::string body;
};

}  // namespace tsm::http
