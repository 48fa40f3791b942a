// judge_sign: the signatures of requests that stand on its input, for a signer that is not ours to
// compare with. tests/interop/test_signatures_botocore.py runs it.
//
// A line in is a JSON object, all of its fields required:
//   method, scheme, host   texts, as http::Request has them
//   path                   percent-encoded as on the wire
//   query, headers         lists of [name, value]; the query's not yet encoded
//   body                   base64
//   access_key, secret, token, region, service   texts; token "" for long-term keys
//   path_rule              "normalize" | "as-is"
//   payload_rule           "hash-in-request" | "send-hash"
//   omit_token             whether the token goes unsigned
//   time_ms                milliseconds since the Unix epoch
//   explain                whether the answer spells out what was signed
// A line out per line in: {"target", "authorization", "added" ([name, value] of what Sign is there
// to add), "canonical_sha256"} and, explained, "canonical". The first bad line ends it with exit
// code 2 and a message that names the line. One Signer signs them all, as in aws::Client.
#include <openssl/evp.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "tsm/aws/credentials.h"
#include "tsm/aws/signer.h"
#include "tsm/core/text.h"
#include "tsm/http/message.h"

namespace tsm {
namespace {

using Json = nlohmann::json;

std::string Base64Decode(const std::string& text) {
  std::string bytes(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  if (size < 0) throw std::invalid_argument("body is not base64");
  // EVP_DecodeBlock counts what the padding stands for.
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  bytes.resize(static_cast<std::size_t>(size) - padding);
  return bytes;
}

template <typename Value>
Value OneOf(const Json& line, const char* field, const std::map<std::string, Value>& values) {
  const std::string name = line.at(field);
  const auto at = values.find(name);
  if (at == values.end()) throw std::invalid_argument(std::string(field) + " is \"" + name + "\"");
  return at->second;
}

http::Headers Pairs(const Json& list) {
  http::Headers pairs;
  for (const Json& pair : list) pairs.emplace_back(pair.at(0), pair.at(1));
  return pairs;
}

Json Answer(const Json& line, aws::Signer& signer) {
  http::Request request;
  request.method = line.at("method");
  request.scheme = line.at("scheme");
  request.host = line.at("host");
  request.path = line.at("path");
  request.query = Pairs(line.at("query"));
  request.headers = Pairs(line.at("headers"));
  request.body = Base64Decode(line.at("body"));
  aws::Credentials credentials;
  credentials.access_key_id = line.at("access_key");
  credentials.secret_access_key = line.at("secret");
  credentials.session_token = line.at("token");
  const aws::SigningScope scope{.region = line.at("region"), .service = line.at("service")};
  const aws::SigningRules rules{
      .path = OneOf<aws::PathRule>(
          line, "path_rule",
          {{"normalize", aws::PathRule::kNormalize}, {"as-is", aws::PathRule::kAsIs}}),
      .payload = OneOf<aws::PayloadRule>(line, "payload_rule",
                                         {{"hash-in-request", aws::PayloadRule::kHashInRequest},
                                          {"send-hash", aws::PayloadRule::kSendHash}}),
      .omit_session_token = line.at("omit_token")};
  const std::chrono::milliseconds since_epoch(line.at("time_ms").get<std::int64_t>());
  signer.Sign(request, credentials, scope, rules,
              std::chrono::system_clock::time_point(since_epoch));

  Json added = Json::array();
  http::Request signed_part = request;
  signed_part.headers.clear();
  for (const auto& [given_name, value] : request.headers) {
    const std::string name = ToLowerAscii(given_name);
    if (name == "host" || name == "x-amz-date" || name == "x-amz-security-token" ||
        name == "x-amz-content-sha256") {
      added.push_back({name, value});
    }
    if (!rules.omit_session_token || name != "x-amz-security-token") {
      signed_part.headers.emplace_back(name, value);
    }
  }
  const aws::CanonicalRequest canonical =
      aws::BuildCanonicalRequest(signed_part, rules.path, aws::Sha256Hex(request.body));
  Json answer = {{"target", request.Target()},
                 {"authorization", http::FindHeader(request.headers, "authorization")},
                 {"added", added},
                 {"canonical_sha256", aws::Sha256Hex(canonical.text)}};
  if (line.at("explain")) answer["canonical"] = canonical.text;
  return answer;
}

int Run() {
  aws::Signer signer;
  std::string text;
  for (int number = 1; std::getline(std::cin, text); ++number) {
    try {
      std::cout << Answer(Json::parse(text), signer).dump() << '\n';
    } catch (const std::exception& error) {
      std::cerr << "line " << number << ": " << error.what() << '\n';
      return 2;
    }
  }
  return std::cout.flush() ? 0 : 1;
}

}  // namespace
}  // namespace tsm

int main() {
  std::ios::sync_with_stdio(false);
  return tsm::Run();
}
