#include <algorithm>
#include <string_view>
#include <utility>

#include "credentials_json.h"
#include "metadata_call.h"
#include "tsm/aws/credentials/sources.h"
#include "tsm/core/text.h"

namespace tsm::aws {

namespace {

constexpr std::string_view kTokenPath = "/latest/api/token";
constexpr std::string_view kRolesPath = "/latest/meta-data/iam/security-credentials/";
constexpr std::size_t kLongestToken = 4096;
constexpr std::chrono::milliseconds kPause{200};  // between the tries of a request

bool IsVisible(char c) { return c > 0x20 && c < 0x7F; }

// https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html: what can be no role may be a
// page that something else than the metadata service answered.
bool IsRoleName(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("+=,.@-_").find(c) != std::string_view::npos;
  });
}

// One conversation: a token, the role's name, its credentials.
class Conversation {
 public:
  Conversation(const Instance& plan, http::Transport& transport, const Clock& clock,
               std::stop_token stop)
      : plan_(plan),
        transport_(transport),
        clock_(clock),
        stop_(std::move(stop)),
        endpoint_(plan.endpoint) {
    while (endpoint_.ends_with('/')) endpoint_.pop_back();
  }

  Result<Credentials> Run() {
    const Status begun = TakeToken();
    if (!begun) return begun.error();
    auto role = Role();
    if (!role) return role.error();
    auto answer = Get(std::string(kRolesPath) + *role, "the credentials of role " + *role);
    if (!answer) return answer.error();
    // A 200 may hold a refusal, for instance where EC2 may not assume the role.
    const Refusal refusal = ReadRefusal(answer->body);
    if (!refusal.code.empty() && refusal.code != "Success") {
      return Failure("refused the credentials of role " + *role + ": " + refusal.Text());
    }
    return ParseCredentialsJson(answer->body, {}, "instance role " + *role);
  }

 private:
  Error Failure(const std::string& what, int http_status = 0) const {
    Error error = MakeError(ErrorKind::kCredentials,
                            "the instance metadata service at " + endpoint_ + " " + what);
    error.http_status = http_status;
    return error;
  }

  Error NoAnswer(const Error& error) const {
    if (error.kind == ErrorKind::kCancelled) return error;
    if (error.kind == ErrorKind::kConfiguration) return error.With("instance credentials");
    return Failure("did not answer: " + error.message +
                   "; not on EC2? set AWS_EC2_METADATA_DISABLED=true");
  }

  Error Stopped() const {
    return MakeError(ErrorKind::kCancelled, "stopped while " + Failure("was asked").message);
  }

  // The last of as many tries as the plan allows.
  Result<http::Response> Ask(std::string method, const std::string& path, http::Headers headers) {
    auto request = MetadataRequest(std::move(method), endpoint_ + path, plan_.timeout);
    if (!request) return std::move(request).error().With("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    request->headers = std::move(headers);
    for (int attempt = 1;; ++attempt) {
      auto response = transport_.Send(*request, stop_);
      const bool again =
          response ? IsPassing(*response) || (response->status == 200 && response->body.empty())
                   : IsPassing(response.error());
      if (!again || attempt >= plan_.attempts) return response;
      if (!clock_.SleepFor(kPause, stop_)) return Stopped();
    }
  }

  // With a token, or without where version 1 may be used.
  Status TakeToken() {
    token_.clear();
    auto answer =
        Ask("PUT", std::string(kTokenPath), {{"x-aws-ec2-metadata-token-ttl-seconds", "21600"}});
    if (!answer) {
      if (!IsPassing(answer.error())) return NoAnswer(answer.error());
      // A token that does not come in time: the answer's hop limit keeps it out of containers.
      return WithoutToken("did not come: " + answer.error().message);
    }
    const int status = answer->status;
    if (status == 403 || status == 404 || status == 405) {
      return WithoutToken("was refused with HTTP " + std::to_string(status));
    }
    if (status != 200) return Failure("gave no token", status);
    token_ = TrimAscii(answer->body);
    if (token_.empty() || token_.size() > kLongestToken ||
        !std::all_of(token_.begin(), token_.end(), IsVisible)) {
      return Failure("answered what is no token");
    }
    return Ok();
  }

  Status WithoutToken(std::string why) {
    why_no_token_ = std::move(why);
    if (!plan_.v1_disabled) return Ok();
    return Failure("can't be asked: its token " + why_no_token_ +
                   ", and version 1 is disabled (AWS_EC2_METADATA_V1_DISABLED, "
                   "ec2_metadata_v1_disabled); not on EC2? set AWS_EC2_METADATA_DISABLED=true");
  }

  // A 200 with a body, or why there is none.
  Result<http::Response> Get(const std::string& path, const std::string& what) {
    for (bool renewed = false;; renewed = true) {
      http::Headers headers;
      if (!token_.empty()) headers.emplace_back("x-aws-ec2-metadata-token", token_);
      auto answer = Ask("GET", path, std::move(headers));
      if (!answer) return NoAnswer(answer.error());
      if (answer->status == 200 && !answer->body.empty()) return answer;
      if (answer->status == 200) return Failure("answered nothing to a request for " + what);
      if (answer->status != 401) {
        return Failure("did not give " + what + WhyNot(answer->status), answer->status);
      }
      if (token_.empty()) {
        return Failure("takes version 2 alone, and its token " + why_no_token_ +
                           "; in a container the instance's HttpPutResponseHopLimit must be 2",
                       401);
      }
      if (renewed) return Failure("refused a new token", 401);
      const Status again = TakeToken();
      if (!again) return again.error();
    }
  }

  static std::string WhyNot(int status) {
    if (status == 404) return ": no role is attached to this instance";
    return status == 403 ? ": it is not allowed, or switched off for this instance" : "";
  }

  Result<std::string> Role() {
    auto answer = Get(std::string(kRolesPath), "the name of the instance's role");
    if (!answer) return answer.error();
    const std::string_view list = TrimAscii(answer->body);
    const std::string_view first = TrimAscii(list.substr(0, list.find('\n')));
    if (!IsRoleName(first)) return Failure("answered what is no role's name");
    return std::string(first);
  }

  const Instance& plan_;
  http::Transport& transport_;
  const Clock& clock_;
  std::stop_token stop_;
  std::string endpoint_;  // without the last slash
  std::string token_;
  std::string why_no_token_;
};

}  // namespace

Result<Credentials> InstanceSource::Fetch(std::stop_token stop) {
  return Conversation(plan_, transport_, clock_, std::move(stop)).Run();
}

}  // namespace tsm::aws
