// AWS's published signing vectors, stage by stage. They lie outside the project; where they are not
// present these tests say so and are skipped, and signer_test.cc stands alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tsm/aws/signer.h"
#include "tsm/core/text.h"
#include "tsm/core/time_text.h"

namespace tsm::aws {
namespace {

namespace fs = std::filesystem;

fs::path VectorFolder() { return fs::path(TSM_SOURCE_DIR) / ".." / "shared" / "vectors" / "sigv4"; }

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

// "a=b&c" to pairs, decoded.
std::vector<std::pair<std::string, std::string>> ParseQuery(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> query;
  if (text.empty()) return query;
  for (const std::string_view part : Split(text, '&')) {
    const std::size_t equals = std::min(part.find('='), part.size());
    query.emplace_back(PercentDecode(part.substr(0, equals)),
                       equals < part.size() ? PercentDecode(part.substr(equals + 1)) : "");
  }
  return query;
}

// The suite's request.txt: LF line ends, folded headers, a target that is not encoded.
http::Request ParseRequest(const std::string& text, PathRule rule) {
  http::Request request;
  const std::size_t head_end = std::min(text.find("\n\n"), text.size());
  if (head_end < text.size()) request.body = text.substr(head_end + 2);
  const auto lines = Split(std::string_view(text).substr(0, head_end), '\n');
  const std::string_view start = lines.at(0);
  const std::size_t target_start = start.find(' ') + 1;
  const std::string_view target = start.substr(target_start, start.rfind(' ') - target_start);
  request.method = start.substr(0, target_start - 1);
  request.scheme = "https";
  const std::size_t mark = std::min(target.find('?'), target.size());
  const std::string_view path = target.substr(0, mark);
  // Under kNormalize the signer encodes the path itself; under kAsIs it comes as it goes on the
  // wire.
  request.path = rule == PathRule::kNormalize ? std::string(path) : PercentEncode(path, true);
  if (mark < target.size()) request.query = ParseQuery(target.substr(mark + 1));
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::string_view line = lines[i];
    if (line.empty()) continue;
    if (line.front() == ' ') {
      request.headers.back().second += "\n" + std::string(line);
      continue;
    }
    const std::size_t colon = line.find(':');
    request.headers.emplace_back(line.substr(0, colon), line.substr(colon + 1));
    if (ToLowerAscii(line.substr(0, colon)) == "host") request.host = line.substr(colon + 1);
  }
  return request;
}

struct Case {
  nlohmann::json context;
  Credentials credentials;
  SigningScope scope;
  SigningRules rules;
  std::chrono::system_clock::time_point time;
};

Case ReadCase(const fs::path& folder) {
  Case read;
  read.context = nlohmann::json::parse(ReadFile(folder / "context.json"));
  const auto& keys = read.context.at("credentials");
  read.credentials = {keys.at("access_key_id"), keys.at("secret_access_key"),
                      keys.value("token", ""), "vectors"};
  read.scope = {read.context.at("region"), read.context.at("service")};
  read.rules.path = read.context.at("normalize") ? PathRule::kNormalize : PathRule::kAsIs;
  read.rules.payload =
      read.context.at("sign_body") ? PayloadRule::kSendHash : PayloadRule::kHashInRequest;
  read.rules.omit_session_token = read.context.value("omit_session_token", false);
  const auto nanos = ParseTimestamp(read.context.at("timestamp").get<std::string>());
  EXPECT_TRUE(nanos);
  read.time = std::chrono::system_clock::time_point(std::chrono::nanoseconds(*nanos));
  return read;
}

std::string AuthorizationOf(const std::string& signed_request) {
  constexpr std::string_view kName = "\nAuthorization:";
  const std::size_t at = signed_request.find(kName);
  if (at == std::string::npos) return {};
  const std::size_t start = at + kName.size();
  return signed_request.substr(start, signed_request.find('\n', start) - start);
}

void CheckCase(const fs::path& folder) {
  SCOPED_TRACE(folder.filename().string());
  const Case test = ReadCase(folder);
  http::Request request = ParseRequest(ReadFile(folder / "request.txt"), test.rules.path);
  Signer signer;
  signer.Sign(request, test.credentials, test.scope, test.rules, test.time);

  http::Request as_signed = request;
  if (test.rules.omit_session_token) {
    EXPECT_EQ(http::FindHeader(request.headers, "x-amz-security-token"),
              test.credentials.session_token);
    std::erase_if(as_signed.headers,
                  [](const auto& header) { return header.first == "x-amz-security-token"; });
  }
  const CanonicalRequest canonical =
      BuildCanonicalRequest(as_signed, test.rules.path, Sha256Hex(request.body));
  EXPECT_EQ(canonical.text, ReadFile(folder / "header-canonical-request.txt"));

  const std::string amz_date = FormatAmzDate(test.time);
  const std::string to_sign = BuildStringToSign(canonical.text, test.scope, amz_date);
  EXPECT_EQ(to_sign, ReadFile(folder / "header-string-to-sign.txt"));

  const std::string key =
      DeriveSigningKey(test.credentials.secret_access_key, test.scope, amz_date.substr(0, 8));
  EXPECT_EQ(Signature(key, to_sign), ReadFile(folder / "header-signature.txt"));
  EXPECT_EQ(http::FindHeader(request.headers, "authorization"),
            AuthorizationOf(ReadFile(folder / "header-signed-request.txt")));
}

TEST(Sigv4VectorsTest, AllPublishedHeaderCases) {
  const fs::path folder = VectorFolder() / "v4";
  if (!fs::exists(folder)) {
    GTEST_SKIP() << "SKIPPED LOUDLY: no signing vectors in " << folder
                 << "; signer_test.cc's own cases are the only proof of the signer in this run";
  }
  std::size_t cases = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!fs::exists(entry.path() / "request.txt")) continue;
    CheckCase(entry.path());
    ++cases;
  }
  EXPECT_EQ(cases, 38U);
}

class S3ExamplesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const fs::path file = VectorFolder() / "s3-published-examples.json";
    if (!fs::exists(file)) {
      GTEST_SKIP() << "SKIPPED LOUDLY: no published S3 examples in " << file
                   << "; signer_test.cc's own cases are the only proof of the signer in this run";
    }
    document_ = nlohmann::json::parse(ReadFile(file));
  }

  static http::Request RequestOf(const nlohmann::json& example) {
    http::Request request;
    request.method = example.at("method");
    const std::string uri = example.at("uri");
    const std::size_t mark = std::min(uri.find('?'), uri.size());
    request.path = uri.substr(0, mark);
    if (mark < uri.size()) request.query = ParseQuery(uri.substr(mark + 1));
    for (const auto& [name, value] : example.at("headers").items()) {
      request.headers.emplace_back(name, value.get<std::string>());
    }
    request.host = http::FindHeader(request.headers, "host");
    if (example.at("body").is_string()) request.body = example.at("body");
    return request;
  }

  nlohmann::json document_;
};

TEST_F(S3ExamplesTest, EveryStageOfAllFive) {
  std::size_t checked = 0;
  for (const auto& example : document_.at("examples")) {
    SCOPED_TRACE(example.at("name").get<std::string>());
    const SigningScope scope{example.at("region"), example.at("service")};
    const std::string date = example.at("timestamp");
    const http::Request request = RequestOf(example);
    const std::string payload_hash(http::FindHeader(request.headers, "x-amz-content-sha256"));
    const CanonicalRequest canonical =
        BuildCanonicalRequest(request, PathRule::kAsIs, payload_hash);
    EXPECT_EQ(canonical.text, example.at("canonical_request").get<std::string>());
    const std::string to_sign = BuildStringToSign(canonical.text, scope, date);
    EXPECT_EQ(to_sign, example.at("string_to_sign").get<std::string>());
    const std::string key = DeriveSigningKey(example.at("secret_access_key").get<std::string>(),
                                             scope, std::string_view(date).substr(0, 8));
    EXPECT_EQ(Signature(key, to_sign), example.at("signature").get<std::string>());
    ++checked;
  }
  EXPECT_EQ(checked, 5U);
}

TEST_F(S3ExamplesTest, TheSignerGivesTheSameSignatures) {
  // All but the chunked one: its payload "hash" is a word that this signer never sends.
  std::size_t checked = 0;
  for (const auto& example : document_.at("examples")) {
    if (!example.at("body").is_string()) continue;
    SCOPED_TRACE(example.at("name").get<std::string>());
    http::Request request = RequestOf(example);
    SigningRules rules;
    rules.path = PathRule::kAsIs;
    rules.payload = PayloadRule::kSendHash;
    const std::chrono::system_clock::time_point time(std::chrono::seconds(1'369'353'600));
    Signer().Sign(request, {example.at("access_key_id"), example.at("secret_access_key"), "", ""},
                  {example.at("region"), example.at("service")}, rules, time);
    EXPECT_TRUE(std::string(http::FindHeader(request.headers, "authorization"))
                    .ends_with("Signature=" + example.at("signature").get<std::string>()));
    ++checked;
  }
  EXPECT_EQ(checked, 4U);
}

TEST_F(S3ExamplesTest, TheChunksFollowFromTheSeed) {
  const auto& examples = document_.at("examples");
  const auto seed = std::find_if(examples.begin(), examples.end(), [&](const auto& example) {
    return example.at("name") == document_.at("chunked").at("seed_example");
  });
  ASSERT_NE(seed, examples.end());
  const SigningScope scope{seed->at("region"), seed->at("service")};
  const std::string date = seed->at("timestamp");
  const std::string key = DeriveSigningKey(seed->at("secret_access_key").get<std::string>(), scope,
                                           std::string_view(date).substr(0, 8));
  std::string previous = seed->at("signature");
  std::size_t checked = 0;
  for (const auto& chunk : document_.at("chunked").at("chunks")) {
    const std::string bytes(chunk.at("bytes_of_a").get<std::size_t>(), 'a');
    const std::string to_sign = "AWS4-HMAC-SHA256-PAYLOAD\n" + date + '\n' +
                                CredentialScope(scope, date) + '\n' + previous + '\n' +
                                Sha256Hex("") + '\n' + Sha256Hex(bytes);
    EXPECT_EQ(to_sign, chunk.at("string_to_sign").get<std::string>());
    previous = HexEncode(HmacSha256(key, to_sign));
    EXPECT_EQ(previous, chunk.at("signature").get<std::string>());
    ++checked;
  }
  EXPECT_EQ(checked, 3U);
}

}  // namespace
}  // namespace tsm::aws
