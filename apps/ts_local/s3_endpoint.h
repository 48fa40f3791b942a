// The URL of a foreign S3 in parts. Pure.
#pragma once

#include <string>
#include <string_view>
#include <variant>

namespace ts_local {

struct S3Endpoint {
  std::string origin;  // "http://127.0.0.1:4566"
  std::string host;    // the Host header: without the scheme's own port
};

// "http[s]://host[:port]", or what is wrong with it.
std::variant<S3Endpoint, std::string> ParseS3Endpoint(std::string_view url);

}  // namespace ts_local
