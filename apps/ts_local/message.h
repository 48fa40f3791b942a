// A request and a response as every service of ts-local sees them: plain values, no HTTP library.
// server.cc alone turns cpp-httplib's types into these and back.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ts_local {

struct Request {
  std::string method;  // "GET", "PUT", ...
  // The request target exactly as it stood on the wire (percent-encoded path, '?', query): what the
  // client signed. Nothing decoded may be used to verify a signature.
  std::string raw_target;
  std::string path;                                        // decoded once, no query
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order of appearance
  std::multimap<std::string, std::string> headers;         // names in lower case
  std::string body;                                        // aws-chunked framing already removed
  bool from_this_machine = false;                          // the peer's address is a loopback one

  // First value of the header (lower-case name), or "" where absent.
  std::string_view Header(std::string_view name) const;
  // First value of the query parameter, or nullptr where absent ("?lifecycle" is present and
  // empty).
  const std::string* Query(std::string_view name) const;
};

// Who signed, as SigV4 verification found it.
struct Caller {
  std::string access_key_id;
  std::string account_id;  // 12 digits
  std::string arn;
  std::string region;   // from the credential scope: it chooses the region's tables
  std::string service;  // from the credential scope: "s3", "timestream", "sts", "sns"
  // Of a session (temporary credentials): as STS tells the id. "" for the long-lived keys.
  std::string user_id = {};
  bool temporary = false;  // signed by a session
};

struct Response {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  // Where set, the body is `length` bytes of this file from `offset`, streamed; `body` is unused.
  std::string file;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  // What the server does instead of, or before, sending this answer (--fail).
  enum class Delivery { kSend, kReset, kHang };
  Delivery delivery = Delivery::kSend;  // kHang: nothing is sent until the client goes, or Stop
  std::int64_t delay_ms = 0;            // waited before it is sent
};

}  // namespace ts_local
