#include "ts_local/s3_client.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <pugixml.hpp>
#include <thread>

#include "ts_local/digest.h"
#include "ts_local/http_library.h"
#include "ts_local/sigv4_signer.h"
#include "ts_local/url_codec.h"

namespace ts_local {
namespace {

constexpr int kAttempts = 3;
constexpr std::chrono::milliseconds kFirstPause{200};
constexpr int kConnectSeconds = 10;
constexpr int kSendSeconds = 60;
constexpr int kAnswerSeconds = 300;  // a server may digest gigabytes before it answers
constexpr std::size_t kPieceBytes = 256 * 1024;

Request ToRequest(const S3Question& question, const std::string& host) {
  Request request;
  request.method = question.method;
  request.raw_target = "/" + PercentEncode(question.bucket);
  if (!question.key.empty()) request.raw_target += "/" + PercentEncode(question.key, true);
  request.query = question.query;
  char before = '?';
  for (const auto& [name, value] : question.query) {
    request.raw_target += before + PercentEncode(name) + "=" + PercentEncode(value);
    before = '&';
  }
  request.headers.emplace("host", host);
  for (const auto& [name, value] : question.headers) {
    const bool plain = std::all_of(value.begin(), value.end(), [](char c) {
      return static_cast<unsigned char>(c) >= ' ' && static_cast<unsigned char>(c) < 0x7F;
    });
    if (!plain) throw ApiError(400, "InvalidArgument", "The value for " + name + " is not ASCII");
    request.headers.emplace(name, value);
  }
  return request;
}

// The body as the library asks for it, a piece at a time.
httplib::ContentProvider Provider(const SpoolFile& body) {
  return [&body, buffer = std::string(kPieceBytes, '\0')](std::size_t offset, std::size_t left,
                                                          httplib::DataSink& sink) mutable {
    const std::size_t wanted = std::min(left, buffer.size());
    const std::size_t count = body.ReadAt(offset, buffer.data(), wanted);
    return count > 0 && sink.write(buffer.data(), count);
  };
}

S3Answer ToAnswer(const httplib::Response& response, std::string body) {
  S3Answer answer;
  answer.status = response.status;
  answer.region = response.get_header_value("x-amz-bucket-region");
  answer.etag = response.get_header_value("ETag");
  std::erase(answer.etag, '"');
  const std::string length = response.get_header_value("Content-Length");
  std::from_chars(length.data(), length.data() + length.size(), answer.length);
  answer.body = std::move(body);
  return answer;
}

// What a status says where no body does.
std::string CodeOf(int status) {
  if (status == 403) return "AccessDenied";
  if (status == 404) return "NotFound";
  if (status == 412) return "PreconditionFailed";
  if (status == 503) return "ServiceUnavailable";
  return "HTTP" + std::to_string(status);
}

std::string Words(httplib::Error error) {
  switch (error) {
    case httplib::Error::Connection:
    case httplib::Error::ConnectionTimeout:
      return "it can't be reached";
    case httplib::Error::Read:
    case httplib::Error::Write:
      return "the connection broke before the answer was there";
    case httplib::Error::SSLServerVerification:
      return "its certificate is not of an authority that this machine trusts (SSL_CERT_FILE may "
             "name another)";
    default:
      return httplib::to_string(error);
  }
}

bool MayPass(int status) {
  return status == 500 || status == 502 || status == 503 || status == 504;
}

}  // namespace

struct S3Client::Outcome {
  std::optional<S3Answer> answer;
  std::string failure;  // of the connection, where there is no answer
  bool may_pass = false;
};

S3Client::S3Client(S3Endpoint endpoint, AccessKey key, NowMs now, Pause pause)
    : endpoint_(std::move(endpoint)),
      key_(std::move(key)),
      now_(std::move(now)),
      pause_(std::move(pause)) {
  if (!pause_) pause_ = [](std::chrono::milliseconds time) { std::this_thread::sleep_for(time); };
}

S3Answer S3Client::Ask(const S3Question& question) const {
  const std::string payload_hash =
      HexEncode(question.body == nullptr ? Sha256("") : question.body->Sha256());
  auto pause = kFirstPause;
  for (int attempt = 1;; ++attempt, pause *= 2) {
    Outcome outcome = AskOnce(question, payload_hash);
    if (!outcome.may_pass || attempt == kAttempts) {
      if (outcome.answer) return *std::move(outcome.answer);
      throw ApiError(503, "ServiceUnavailable", About(question) + ": " + outcome.failure);
    }
    pause_(pause);
  }
}

S3Client::Outcome S3Client::AskOnce(const S3Question& question,
                                    const std::string& payload_hash) const {
  Request request = ToRequest(question, endpoint_.host);
  SignS3(key_, question.region, now_(), payload_hash, &request);

  httplib::Request sent;
  sent.method = request.method;
  sent.path = request.raw_target;
  for (const auto& [name, value] : request.headers) sent.headers.emplace(name, value);
  // Not signed: an object must come as it is stored, whatever its Content-Encoding.
  sent.headers.emplace("Accept-Encoding", "identity");
  if (question.body != nullptr && question.body->size() > 0) {
    sent.content_length_ = question.body->size();
    sent.content_provider_ = Provider(*question.body);
  }
  std::string body;
  bool too_large = false;
  sent.content_receiver = [&](const char* data, std::size_t size, std::uint64_t, std::uint64_t) {
    too_large = body.size() + size > question.most;
    if (!too_large) body.append(data, size);
    return !too_large;
  };

  httplib::Client client(endpoint_.origin);
  client.set_url_encode(false);  // the target goes out as it was signed
  client.set_decompress(false);
  client.set_tcp_nodelay(true);
  client.set_connection_timeout(kConnectSeconds);
  client.set_write_timeout(kSendSeconds);
  client.set_read_timeout(kAnswerSeconds);
  httplib::Response response;
  httplib::Error error = httplib::Error::Success;
  Outcome outcome;
  if (client.send(sent, response, error)) {
    outcome.answer = ToAnswer(response, std::move(body));
    outcome.may_pass = MayPass(response.status);
  } else if (too_large) {
    outcome.failure = "the answer is larger than " + std::to_string(question.most) + " bytes";
  } else {
    outcome.failure = Words(error);
    outcome.may_pass = error == httplib::Error::Read || error == httplib::Error::Write;
  }
  return outcome;
}

std::string S3Client::About(const S3Question& question) const {
  return std::string(question.operation) + " on s3://" + question.bucket +
         (question.key.empty() ? "" : "/" + question.key) + " at " + endpoint_.origin;
}

ApiError S3Client::ErrorOf(const S3Question& question, const S3Answer& answer) const {
  pugi::xml_document document;
  std::string code;
  std::string message = "HTTP status " + std::to_string(answer.status);
  if (document.load_buffer(answer.body.data(), answer.body.size())) {
    const pugi::xml_node error = document.child("Error");
    code = error.child_value("Code");
    if (!code.empty()) message = error.child_value("Message");
  }
  if (code.empty()) code = CodeOf(answer.status);
  // A redirect or a success that is none of what was asked for is a fault of the server.
  const int status = answer.status < 400 ? 502 : answer.status;
  return {status, code, About(question) + ": " + message};
}

}  // namespace ts_local
