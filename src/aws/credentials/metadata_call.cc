#include "metadata_call.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "tsm/core/text.h"

namespace tsm::aws {

Result<http::Request> MetadataRequest(std::string method, const std::string& url,
                                      std::chrono::milliseconds timeout) {
  http::Request request;
  request.method = std::move(method);
  request.direct = true;
  request.timeouts = {.connect = timeout, .idle = timeout, .total = timeout};
  const std::size_t mark = url.find("://");
  request.scheme = ToLowerAscii(std::string_view(url).substr(0, mark));
  const bool odd = std::any_of(url.begin(), url.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte <= 0x20 || byte >= 0x7F;
  });
  const std::string_view rest =
      mark == std::string::npos ? std::string_view() : std::string_view(url).substr(mark + 3);
  const std::size_t end = rest.find_first_of("/?#");
  request.host = rest.substr(0, end);
  if (odd || request.host.empty() || request.host.find('@') != std::string::npos ||
      (request.scheme != "http" && request.scheme != "https")) {
    return MakeError(ErrorKind::kConfiguration,
                     "the metadata service's URL is not of the form http[s]://host[:port]/path");
  }
  if (end != std::string_view::npos) {
    const std::string_view target = rest.substr(end, rest.find('#') - end);
    request.path = (target.starts_with('/') ? "" : "/") + std::string(target);
  }
  return request;
}

std::string Origin(const http::Request& request) { return request.scheme + "://" + request.host; }

bool IsPassing(const Error& error) {
  return error.kind == ErrorKind::kTransient || error.kind == ErrorKind::kThrottled;
}

bool IsPassing(const http::Response& response) {
  return response.status >= 500 || response.status == 429;
}

}  // namespace tsm::aws
