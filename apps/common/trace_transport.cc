#include "common/trace_transport.h"

#include <algorithm>
#include <array>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tsm/core/text.h"
#include "tsm/core/time_text.h"

namespace tsm::apps {

namespace {

// Headers without secrets and without the operator's data. Whoever adds one: a signature, a token
// and a presigned query must never be readable from it.
constexpr std::array<std::string_view, 18> kRequestHeaders = {
    "host",
    "content-type",
    "user-agent",
    "range",
    "if-match",
    "if-none-match",
    "amz-sdk-invocation-id",
    "amz-sdk-request",
    "x-amz-date",
    "x-amz-target",
    "x-amz-content-sha256",
    "x-amz-copy-source",
    "x-amz-copy-source-if-match",
    "x-amz-copy-source-range",
    "x-amz-acl",
    "x-amz-checksum-algorithm",
    "x-amz-server-side-encryption",
    "x-aws-ec2-metadata-token-ttl-seconds"};
constexpr std::array<std::string_view, 14> kResponseHeaders = {"date",
                                                               "server",
                                                               "content-type",
                                                               "content-length",
                                                               "connection",
                                                               "etag",
                                                               "retry-after",
                                                               "x-amz-retry-after",
                                                               "x-amz-request-id",
                                                               "x-amz-id-2",
                                                               "x-amzn-requestid",
                                                               "x-amzn-errortype",
                                                               "x-amz-bucket-region",
                                                               "x-amz-server-side-encryption"};
constexpr std::array<std::string_view, 8> kQueryParameters = {
    "list-type",   "prefix",        "delimiter",  "max-keys",
    "start-after", "encoding-type", "partNumber", "uploads"};

template <std::size_t N>
bool Contains(const std::array<std::string_view, N>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

// The path names buckets and keys. That of a metadata call holds its query too; and in a
// container's (/v2/credentials/ID) the id works like a password.
std::string Path(const http::Request& request) {
  if (!request.direct) return request.path;
  constexpr std::string_view kBeforeId = "/credentials/";
  if (const std::size_t at = request.path.find(kBeforeId); at != std::string::npos) {
    return request.path.substr(0, at + kBeforeId.size()) + "...";
  }
  const std::size_t query = request.path.find('?');
  return query == std::string::npos ? request.path : request.path.substr(0, query) + "?...";
}

// What a POST to "/" asks for; nothing more of its body.
std::string_view OperationOf(const http::Request& request) {
  const std::string_view target = http::FindHeader(request.headers, "x-amz-target");
  if (!target.empty()) return target;
  constexpr std::string_view kAction = "Action=";  // STS and SNS, whose forms begin with it
  const std::string_view body = request.body;
  if (request.method != "POST" || !body.starts_with(kAction)) return {};
  return body.substr(kAction.size(), body.find('&') - kAction.size());
}

// "POST host/ Timestream_20181101.Query", "GET host/bucket ?list-type&prefix".
std::string Describe(const http::Request& request, TraceDetail detail) {
  std::string text = request.method + " " + request.host + Path(request);
  const std::string_view operation = OperationOf(request);
  if (!operation.empty()) text += " " + std::string(operation);
  char separator = '?';
  for (const auto& [name, value] : request.query) {
    text += (separator == '?' ? " ?" : "&") + name;
    if (detail == TraceDetail::kHeaders && Contains(kQueryParameters, name)) text += "=" + value;
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

template <std::size_t N>
std::string Allowed(const http::Headers& headers, const std::array<std::string_view, N>& list) {
  std::vector<std::string> told;
  std::vector<std::string> held;
  for (const auto& [name, value] : headers) {
    const std::string lower = ToLowerAscii(name);
    if (Contains(list, lower)) {
      told.push_back(lower + ": " + OneLine(value, 300));
    } else {
      held.push_back(lower);
    }
  }
  std::string text = Join(told, " | ");
  if (!held.empty()) text += (text.empty() ? "" : " | ") + ("not shown: " + Join(held, ", "));
  return text;
}

}  // namespace

Result<http::Response> TraceTransport::Send(const http::Request& request, std::stop_token stop) {
  const auto start = clock_.Steady();
  Result<http::Response> answer = inner_.Send(request, stop);
  Tell(request, answer, clock_.Steady() - start);
  return answer;
}

void TraceTransport::Tell(const http::Request& request, const Result<http::Response>& answer,
                          std::chrono::nanoseconds took) {
  const std::string in = " in " + FormatDuration(took);
  sink_.Info(OneLine(Describe(request, detail_) + " -> " + Describe(answer) + in, 2000));
  if (detail_ != TraceDetail::kHeaders) return;
  sink_.Info("  > " + Allowed(request.headers, kRequestHeaders));
  if (answer) sink_.Info("  < " + Allowed(answer->headers, kResponseHeaders));
}

class TraceTransport::TracedMulti final : public http::Multi {
 public:
  TracedMulti(TraceTransport& trace, std::unique_ptr<http::Multi> inner)
      : trace_(trace), inner_(std::move(inner)) {}

  void Start(std::uint64_t id, http::Request request) override {
    started_[id] = trace_.clock_.Steady();
    inner_->Start(id, std::move(request));
  }

  std::vector<Answered> Wait(std::chrono::milliseconds longest, std::stop_token stop) override {
    std::vector<Answered> answered = inner_->Wait(longest, std::move(stop));
    for (const Answered& call : answered) {
      const auto started = started_.extract(call.id);
      trace_.Tell(call.request, call.outcome, trace_.clock_.Steady() - started.mapped());
    }
    return answered;
  }

  std::size_t under_way() const override { return inner_->under_way(); }

 private:
  TraceTransport& trace_;
  const std::unique_ptr<http::Multi> inner_;
  std::unordered_map<std::uint64_t, std::chrono::steady_clock::time_point> started_;
};

std::unique_ptr<http::Multi> TraceTransport::OpenMulti(std::size_t most) {
  std::unique_ptr<http::Multi> inner = inner_.OpenMulti(most);
  if (inner == nullptr) return nullptr;
  return std::make_unique<TracedMulti>(*this, std::move(inner));
}

}  // namespace tsm::apps
