// The signature check against the official SigV4 cases (aws-c-auth), where they are at hand.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "ts_local/api_error.h"
#include "ts_local/digest.h"
#include "ts_local/request_head.h"
#include "ts_local/sigv4_canonical.h"
#include "ts_local/sigv4_verifier.h"

namespace ts_local {
namespace {

namespace fs = std::filesystem;

std::string ReadFile(const fs::path& file) {
  std::ostringstream out;
  out << std::ifstream(file, std::ios::binary).rdbuf();
  return out.str();
}

// The cases' line ends are bare; their requests' heads end at the first empty line.
Request ReadRequest(const fs::path& file) {
  std::string text = ReadFile(file);
  std::string body;
  const std::size_t end = text.find("\n\n");
  if (end != std::string::npos) {
    body = text.substr(end + 2);
    text.resize(end);
  }
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::string head;
  for (const char c : text) head += c == '\n' ? std::string("\r\n") : std::string(1, c);
  Request request = ParseRequestHead(head + "\r\n\r\n").value();
  request.body = body;
  return request;
}

class OfficialCases : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(TSM_SOURCE_DIR) / "../shared/vectors/sigv4";
    if (!fs::exists(folder_)) {
      GTEST_SKIP() << "NOT RUN: the official SigV4 cases are not at " << folder_;
    }
  }
  fs::path folder_;
};

TEST_F(OfficialCases, CanonicalRequestsAndSignaturesAgree) {
  int cases = 0;
  for (const auto& entry : fs::directory_iterator(folder_ / "v4")) {
    SCOPED_TRACE(entry.path().filename().string());
    const auto context = nlohmann::json::parse(ReadFile(entry.path() / "context.json"));
    Request request = ReadRequest(entry.path() / "header-signed-request.txt");
    const std::string canonical = ReadFile(entry.path() / "header-canonical-request.txt");
    const std::size_t last = canonical.rfind('\n');
    const std::size_t before = canonical.rfind('\n', last - 1);
    const std::string signed_headers = canonical.substr(before + 1, last - before - 1);
    // What is not normalized follows S3's path rule.
    const bool s3 = !context.at("normalize").get<bool>();
    EXPECT_EQ(CanonicalRequest(request, signed_headers, canonical.substr(last + 1), s3), canonical);
    ++cases;

    const auto& credentials = context.at("credentials");
    const SigV4Verifier verifier(
        {{credentials.at("access_key_id"), credentials.at("secret_access_key")}}, "123456789012",
        [] { return 1440938160000; });  // 2015-08-30T12:36:00Z, the moment of all cases
    if (s3) continue;                   // the verifier asks S3's headers of S3 requests
    try {
      (void)verifier.Verify(request, Protocol::kJson, {"service"});
      EXPECT_FALSE(credentials.contains("token"));
    } catch (const ApiError& error) {
      // A session token is no part of ts-local's keys.
      EXPECT_TRUE(credentials.contains("token")) << error.code() << ": " << error.what();
      EXPECT_EQ(error.code(), "UnrecognizedClientException");
    }
  }
  EXPECT_EQ(cases, 38);
}

TEST_F(OfficialCases, PublishedS3ExamplesAgree) {
  const auto document = nlohmann::json::parse(ReadFile(folder_ / "s3-published-examples.json"));
  int cases = 0;
  for (const auto& example : document.at("examples")) {
    if (!example.contains("canonical_request")) continue;
    SCOPED_TRACE(example.at("name").get<std::string>());
    std::string head = example.at("method").get<std::string>() + " " +
                       example.at("uri").get<std::string>() + " HTTP/1.1\r\n";
    for (const auto& [name, value] : example.at("headers").items()) {
      head += name + ": " + value.get<std::string>() + "\r\n";
    }
    const Request request = ParseRequestHead(head + "\r\n").value();
    const std::string canonical = example.at("canonical_request");
    const std::size_t last = canonical.rfind('\n');
    const std::size_t before = canonical.rfind('\n', last - 1);
    EXPECT_EQ(CanonicalRequest(request, canonical.substr(before + 1, last - before - 1),
                               canonical.substr(last + 1), true),
              canonical);
    const std::string date = example.at("timestamp");
    const std::string key =
        SigningKey(example.at("secret_access_key").get<std::string>(), date.substr(0, 8),
                   example.at("region").get<std::string>(), "s3");
    EXPECT_EQ(HexEncode(HmacSha256(key, example.at("string_to_sign").get<std::string>())),
              example.at("signature"));
    ++cases;
  }
  EXPECT_EQ(cases, 5);
}

}  // namespace
}  // namespace ts_local
