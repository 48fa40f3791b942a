// What the container's and the instance's metadata services are asked with: plain requests, never
// through a proxy, with one short limit for the whole try. Pure functions.
#pragma once

#include <chrono>
#include <string>

#include "tsm/core/result.h"
#include "tsm/http/message.h"

namespace tsm::aws {

// `url` is "http[s]://host[:port][/path][?query]"; path and query go on the wire as they stand.
// kConfiguration where it is of another shape; it is not quoted, for its path may be a key.
Result<http::Request> MetadataRequest(std::string method, const std::string& url,
                                      std::chrono::milliseconds timeout);

// "http://host:port", for messages.
std::string Origin(const http::Request& request);

// Whether asking again may help.
bool IsPassing(const Error& error);
bool IsPassing(const http::Response& response);

}  // namespace tsm::aws
