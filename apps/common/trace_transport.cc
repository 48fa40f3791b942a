#include "common/trace_transport.h"

#include <string>

#include "tsm/core/text.h"
#include "tsm/core/time_text.h"

namespace tsm::apps {

namespace {

// "POST host/ Timestream_20181101.Query", "GET host/bucket ?list-type&prefix".
std::string Describe(const http::Request& request) {
  std::string text = request.method + " " + request.host + request.path;
  const std::string_view target = http::FindHeader(request.headers, "x-amz-target");
  if (!target.empty()) text += " " + std::string(target);
  char separator = '?';
  for (const auto& [name, value] : request.query) {
    text += (separator == '?' ? " ?" : "&") + name;
    separator = '&';
  }
  return text;
}

std::string Describe(const Result<http::Response>& answer) {
  if (!answer) return answer.error().message;
  std::string text = std::to_string(answer->status);
  for (const std::string_view header : {"x-amz-request-id", "x-amzn-requestid"}) {
    const std::string_view id = http::FindHeader(answer->headers, header);
    if (!id.empty()) return text + " (request id " + std::string(id) + ")";
  }
  return text;
}

}  // namespace

Result<http::Response> TraceTransport::Send(const http::Request& request, std::stop_token stop) {
  const auto start = clock_.Steady();
  Result<http::Response> answer = inner_.Send(request, stop);
  sink_.Info(OneLine(Describe(request) + " -> " + Describe(answer) + " in " +
                         FormatDuration(clock_.Steady() - start),
                     2000));
  return answer;
}

}  // namespace tsm::apps
