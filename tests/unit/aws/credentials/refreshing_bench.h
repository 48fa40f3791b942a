// RefreshingCredentials over a source whose answers the test sets, on a fake clock.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "support/fake_clock.h"
#include "tsm/aws/credentials/refreshing_credentials.h"

namespace tsm::test {

// Answers what the test sets; counts how often it was asked.
class FakeSource final : public aws::CredentialSource {
 public:
  using Answer = std::function<Result<aws::Credentials>(std::stop_token)>;

  Result<aws::Credentials> Fetch(std::stop_token stop) override {
    ++fetches;
    if (++running > 1) overlapped = true;
    Result<aws::Credentials> answer = next(std::move(stop));
    --running;
    return answer;
  }
  bool outlives_expiration() const override { return outlives; }

  Answer next;
  bool outlives = false;
  std::atomic<int> fetches = 0;
  std::atomic<int> running = 0;
  std::atomic<bool> overlapped = false;
};

// Credentials of numbered keys, "AKID1" first, on a fake clock.
struct RefreshingBench {
  RefreshingBench() {
    auto made = std::make_unique<FakeSource>();
    source = made.get();
    Lasting(std::chrono::hours(1));
    credentials =
        std::make_unique<aws::RefreshingCredentials>(std::move(made), clock, skew, random);
  }

  void Lasting(std::chrono::nanoseconds lifetime) {
    source->next = [this, lifetime](std::stop_token) { return Make(lifetime); };
  }
  void Failing(ErrorKind kind = ErrorKind::kTransient) {
    source->next = [kind](std::stop_token) { return MakeError(kind, "the source is down"); };
  }
  aws::Credentials Make(std::optional<std::chrono::nanoseconds> lifetime) {
    aws::Credentials made;
    made.access_key_id = "AKID" + std::to_string(source->fetches.load());
    made.secret_access_key = "hidden";
    made.source = "a fake";
    if (lifetime) {
      made.expiration = skew.Now(clock) +
                        std::chrono::duration_cast<std::chrono::system_clock::duration>(*lifetime);
    }
    return made;
  }
  // The key that is given now, or the failure's text.
  std::string Key() {
    const auto given = credentials->Get({});
    return given ? given->access_key_id : given.error().Text();
  }
  int fetches() const { return source->fetches; }

  FakeClock clock;
  aws::ClockSkew skew;
  SeededRandom random{7};
  FakeSource* source = nullptr;
  std::unique_ptr<aws::RefreshingCredentials> credentials;
};

// Holds a fetch up until the test lets it go.
struct Gate {
  Result<aws::Credentials> Pass(const aws::Credentials& credentials) {
    entered.count_down();
    open.wait();
    return credentials;
  }
  std::latch entered{1};
  std::latch open{1};
};

}  // namespace tsm::test
