#include <algorithm>
#include <utility>

#include "credentials_json.h"
#include "metadata_call.h"
#include "secret_file.h"
#include "tsm/aws/credentials/secret_text.h"
#include "tsm/aws/credentials/sources.h"
#include "tsm/core/text.h"

namespace tsm::aws {

namespace {

constexpr std::chrono::seconds kTimeout{2};
constexpr std::chrono::seconds kPause{1};
constexpr int kAttempts = 3;
constexpr std::size_t kLongestToken = 64 * 1024;

// What goes into the Authorization header, "" for none.
Result<std::string> AuthorizationToken(const Container& plan) {
  std::string token = plan.token;
  std::string place = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
  if (!plan.token_file.empty()) {
    place = plan.token_file + " (AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE)";
    auto text = ReadSecretFile(plan.token_file, kLongestToken);
    if (!text) {
      return MakeError(ErrorKind::kCredentials,
                       "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: " + text.error().message);
    }
    token = std::move(*text);
    token.erase(token.find_last_not_of("\r\n") + 1);
    if (token.empty()) return MakeError(ErrorKind::kCredentials, place + " is empty");
  }
  const bool odd = std::any_of(token.begin(), token.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
  if (odd) {
    return MakeError(ErrorKind::kCredentials, place +
                                                  " holds a line end or another control "
                                                  "character, which no header may");
  }
  return token;
}

Error RefusedWith(const http::Response& response, const std::string& endpoint) {
  const Refusal refusal = ReadRefusal(response.body);
  auto kind = ErrorKind::kCredentials;
  if (response.status == 429) kind = ErrorKind::kThrottled;
  if (response.status >= 500) kind = ErrorKind::kTransient;
  Error error = MakeError(kind, endpoint + " gave no credentials", refusal.code);
  if (!refusal.message.empty()) error.message += ": " + refusal.message;
  error.http_status = response.status;
  return error;
}

}  // namespace

Result<Credentials> ContainerSource::Fetch(std::stop_token stop) {
  auto request = MetadataRequest("GET", plan_.url, kTimeout);
  if (!request) return std::move(request).error().With("container credentials");
  auto token = AuthorizationToken(plan_);
  if (!token) return std::move(token).error().With("container credentials");
  request->headers.emplace_back("Accept", "application/json");
  if (!token->empty()) request->headers.emplace_back("Authorization", *token);

  const std::string endpoint = "the container credentials endpoint at " + Origin(*request);
  const auto start = clock_.Steady();
  for (int attempt = 1;; ++attempt) {
    auto response = transport_.Send(*request, stop);
    if (response && response->status == 200) {
      return ParseCredentialsJson(response->body, {}, endpoint);
    }
    if (!response && response.error().kind == ErrorKind::kCancelled) return response.error();
    Error failure = response ? RefusedWith(*response, endpoint) : response.error();
    if (!response) failure.message = endpoint + " did not answer: " + failure.message;
    if (!IsPassing(failure) || attempt == kAttempts) {
      failure.attempts = attempt;
      failure.spent = clock_.Steady() - start;
      return WithoutSecrets(std::move(failure), Split(*token, ' '));  // "Bearer x" is two words
    }
    if (!clock_.SleepFor(kPause, stop)) {
      return MakeError(ErrorKind::kCancelled, "stopped while " + endpoint + " was being asked");
    }
  }
}

}  // namespace tsm::aws
