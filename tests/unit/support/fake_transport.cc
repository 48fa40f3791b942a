#include "support/fake_transport.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tsm/core/text.h"

namespace tsm::test {

namespace {

using nlohmann::json;

bool Asks(const http::Request& request, std::string_view name) {
  return std::any_of(request.query.begin(), request.query.end(),
                     [&](const auto& parameter) { return parameter.first == name; });
}

std::string Parameter(const http::Request& request, std::string_view name) {
  for (const auto& [key, value] : request.query) {
    if (key == name) return value;
  }
  return "";
}

// A text member of a JSON object, found without reading the rest of it.
std::string MemberOf(const std::string& body, const std::string& name) {
  const std::string before = '"' + name + "\":\"";
  const std::size_t at = body.find(before);
  if (at == std::string::npos) return "";
  const std::size_t begin = at + before.size();
  return body.substr(begin, body.find('"', begin) - begin);
}

FakeCall TimestreamCall(const http::Request& request, std::string_view target) {
  FakeCall call;
  call.name = target.substr(target.find('.') + 1);
  if (call.name.ends_with("BatchLoadTask")) {
    const bool creates = call.name.starts_with("Create");
    call.subject = MemberOf(request.body, creates ? "ObjectKeyPrefix" : "TaskId");
    return call;
  }
  if (call.name == "CancelQuery") call.subject = MemberOf(request.body, "QueryId");
  if (call.name != "Query") return call;
  const json body = json::parse(request.body, nullptr, /*allow_exceptions=*/false);
  call.subject = body.value("QueryString", "");
  call.name += " " + call.subject.substr(0, call.subject.find(' '));
  if (body.contains("NextToken")) call.name += " page";
  return call;
}

std::string BucketCall(const http::Request& request) {
  if (request.method == "HEAD") return "HeadBucket";
  if (Asks(request, "policy")) {
    return request.method == "PUT" ? "PutBucketPolicy" : "GetBucketPolicy";
  }
  if (Asks(request, "uploads")) return "ListMultipartUploads";
  if (Asks(request, "delete")) return "DeleteObjects";
  if (Asks(request, "location")) return "GetBucketLocation";
  return request.method == "PUT" ? "CreateBucket" : "ListObjectsV2";
}

std::string ObjectCall(const http::Request& request) {
  if (request.method == "DELETE") {
    return Asks(request, "uploadId") ? "AbortMultipartUpload" : "DeleteObject";
  }
  if (request.method == "HEAD") return "HeadObject";
  return request.method == "PUT" ? "PutObject" : "GetObject";
}

http::Response Answer(const Interference& interference, const http::Request& request) {
  http::Response response;
  response.status = interference.status;
  if (!http::FindHeader(request.headers, "x-amz-target").empty()) {
    response.body = json{{"__type", "com.amazonaws.timestream#" + interference.code},
                         {"message", interference.message}}
                        .dump();
  } else {
    response.body = "<?xml version=\"1.0\"?><Error><Code>" + interference.code +
                    "</Code><Message>" + interference.message +
                    "</Message><RequestId>R1</RequestId></Error>";
  }
  return response;
}

}  // namespace

FakeCall CallOf(const http::Request& request) {
  const std::string_view target = http::FindHeader(request.headers, "x-amz-target");
  if (!target.empty()) return TimestreamCall(request, target);
  FakeCall call;
  if (request.path == "/") {
    call.name = "GetCallerIdentity";
    return call;
  }
  call.subject = PercentDecode(request.path.substr(1));
  if (call.subject.find('/') != std::string::npos) {
    call.name = ObjectCall(request);
  } else {
    call.name = BucketCall(request);
    if (Asks(request, "prefix")) call.subject += "/" + Parameter(request, "prefix");
  }
  return call;
}

UnixNanos FakeTransport::Now() const {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(clock_.Now().time_since_epoch())
      .count();
}

Result<http::Response> FakeTransport::Send(const http::Request& request, std::stop_token stop) {
  const auto stopped = [] { return MakeError(ErrorKind::kCancelled, "stopped"); };
  const auto interfere = [&](const Interference& with) -> Result<http::Response> {
    if (with.status == 0) return MakeError(ErrorKind::kTransient, "connection reset by peer");
    return Answer(with, request);
  };
  if (stop.stop_requested()) return stopped();
  FakeCall call = CallOf(request);
  {
    const std::lock_guard lock(mutex_);
    call.number = ++calls_;
    ++by_name_[call.name];
  }
  if (before) {
    if (const auto with = before(call)) return interfere(*with);
  }
  if (call_time.count() > 0 && !clock_.SleepFor(call_time, stop)) return stopped();
  FakeAnswer answer = server_.Take(request, Now());
  while (!answer.held.empty()) {
    if (!clock_.SleepFor(answer.hold, stop)) return stopped();
    answer = server_.Again(answer.held, Now());
  }
  if (after) {
    if (const auto with = after(call)) return interfere(*with);
  }
  return std::move(answer.response);
}

std::uint64_t FakeTransport::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

std::map<std::string, std::uint64_t> FakeTransport::calls_by_name() const {
  const std::lock_guard lock(mutex_);
  return by_name_;
}

std::uint64_t FakeTransport::CountCalls(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? 0 : found->second;
}

}  // namespace tsm::test
