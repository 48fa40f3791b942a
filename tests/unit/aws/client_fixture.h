// A client on a scripted transport with credentials that change at every attempt: what the tests of
// its attempts and of its repairs share.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/fake_clock.h"
#include "support/scripted_transport.h"
#include "tsm/aws/client.h"

namespace tsm::aws {

// Every jitter is half of what it may be; identifiers are all the same.
class HalfRandom final : public Random {
 public:
  std::uint64_t Next() override { return 1ULL << 63U; }
};

// New credentials for each attempt, or an error.
class RotatingCredentials final : public CredentialsProvider {
 public:
  Result<Credentials> Get(std::stop_token) override {
    if (failure) return *failure;
    ++calls;
    Credentials credentials;
    credentials.access_key_id = "AK" + std::to_string(calls);
    credentials.secret_access_key = "secret";
    credentials.session_token = token;
    credentials.source = "the test";
    return credentials;
  }
  bool Renew(const Credentials& used) override {
    refused.push_back(used.access_key_id);
    return renewable;
  }
  int calls = 0;
  bool renewable = true;
  std::string token;
  std::vector<std::string> refused;
  std::optional<Error> failure;
};

class ClientTest : public ::testing::Test {
 protected:
  static Operation Read() {
    Operation operation;
    operation.name = "Read thing";
    operation.request.method = "POST";
    operation.request.scheme = "https";
    operation.request.host = "example.amazonaws.com";
    operation.request.headers = {{"x-amz-target", "T.Read"}};
    operation.request.body = "{}";
    operation.scope = {"eu-west-1", "timestream"};
    return operation;
  }

  static http::Response Refusal(int status, const std::string& code, http::Headers headers = {}) {
    return {status, std::move(headers), R"({"__type":")" + code + R"(","message":"because"})"};
  }

  std::vector<std::string> Sent(const char* header) {
    std::vector<std::string> values;
    for (const auto& request : transport_.requests()) {
      values.emplace_back(http::FindHeader(request.headers, header));
    }
    return values;
  }

  test::FakeClock clock_;
  HalfRandom random_;
  test::ScriptedTransport transport_;
  std::shared_ptr<RotatingCredentials> credentials_ = std::make_shared<RotatingCredentials>();
  ClockSkew skew_;
  ClientParts parts_{&transport_, &clock_,       &random_, credentials_,
                     {},          "ts-test/1.0", &skew_,   nullptr};
  Client client_{parts_};
};

}  // namespace tsm::aws
