// kill -9 at every call of a run, and what the next process makes of it: the journal as it was at
// that moment, a service that went on meanwhile, and nothing else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "batchload/load_world.h"

namespace tsm::test {
namespace {

using batchload::LoadRunResult;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

enum class Moment { kBeforeTheCall, kAfterTheCall };

// A run whose processes can be killed at a call.
class Killable {
 public:
  explicit Killable(std::uint64_t seed = 1) : world(seed) {
    world.before = [this](const FakeCall& call) -> std::optional<Interference> {
      if (call.number == kill_at_ && moment_ == Moment::kBeforeTheCall) Kill();
      if (dead_) return Interference::Reset();
      return disturb ? disturb(call) : std::nullopt;
    };
    world.after = [this](const FakeCall& call) -> std::optional<Interference> {
      if (call.number == kill_at_ && moment_ == Moment::kAfterTheCall) Kill();
      if (dead_) return Interference::Reset();
      return lose ? lose(call) : std::nullopt;
    };
  }

  // True where the process was killed; then the run directory is as it was at that moment.
  bool RunUntil(std::uint64_t call, Moment moment) {
    kill_at_ = call;
    moment_ = moment;
    std::stop_source stop;
    stop_ = &stop;
    world.interrupts = {stop.get_token(), stop.get_token()};
    last = world.Run();
    world.interrupts = {};
    stop_ = nullptr;
    kill_at_ = 0;
    if (!dead_) return false;
    dead_ = false;
    std::filesystem::remove_all(world.run_dir());
    std::filesystem::rename(Copy(), world.run_dir());
    return true;
  }
  bool RunToItsEnd() { return !RunUntil(0, Moment::kBeforeTheCall); }

  LoadWorld world;
  LoadRunResult last;
  FakeTransport::Hook disturb;  // of what lives
  FakeTransport::Hook lose;

 private:
  std::filesystem::path Copy() const { return world.run_dir().string() + ".killed"; }
  void Kill() {
    std::filesystem::remove_all(Copy());
    std::filesystem::copy(world.run_dir(), Copy());
    dead_ = true;
    stop_->request_stop();
  }

  std::uint64_t kill_at_ = 0;
  Moment moment_ = Moment::kBeforeTheCall;
  bool dead_ = false;
  std::stop_source* stop_ = nullptr;
};

// Every group was loaded by exactly one task, and the ledger knows each of them.
void ExpectEachLoadedOnce(LoadWorld& world) {
  const std::map<std::string, int> loads = world.service.loads();
  ASSERT_EQ(world.service.tasks().size(), world.plan.groups.size());
  for (std::size_t i = 0; i < world.plan.groups.size(); ++i) {
    const auto found = loads.find(world.plan.groups[i].prefix);
    ASSERT_NE(found, loads.end());
    EXPECT_EQ(found->second, 1);
  }
  EXPECT_EQ(world.Totals().ingested, 200 * world.plan.groups.size());
}

class LoadKillTest : public testing::TestWithParam<std::tuple<bool, Moment>> {};

TEST_P(LoadKillTest, AtEveryCallTheNextProcessFinishes) {
  const auto& [stops, moment] = GetParam();
  const std::vector<std::chrono::nanoseconds> downtimes = {seconds(0), minutes(3), hours(2)};
  for (std::uint64_t call = 1;; ++call) {
    Killable run(call);
    run.world.plan.canary = true;
    run.world.service.rules.base = seconds(40);
    for (int i = 0; i < 7; ++i) run.world.AddGroup();
    if (stops) {
      run.world.service.rules.fate = [](const FakeLoadTask&, std::size_t number) {
        LoadFate fate;
        fate.stops = {0.5};
        return number % 3 == 1 ? std::optional(fate) : std::nullopt;
      };
    }
    if (!run.RunUntil(call, moment)) {
      EXPECT_GT(call, 30U);
      return;  // it ended before that call
    }
    run.world.clock.Advance(downtimes[call % downtimes.size()]);
    SCOPED_TRACE("killed at call " + std::to_string(call));
    ASSERT_TRUE(run.RunToItsEnd());
    ASSERT_EQ(WhyNotLoaded(run.world, run.last), "");
    ExpectEachLoadedOnce(run.world);
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, LoadKillTest,
                         testing::Combine(testing::Bool(), testing::Values(Moment::kBeforeTheCall,
                                                                           Moment::kAfterTheCall)),
                         [](const auto& test_info) {
                           return std::string(std::get<0>(test_info.param) ? "Stopping" : "Plain") +
                                  (std::get<1>(test_info.param) == Moment::kBeforeTheCall
                                       ? "Before"
                                       : "After");
                         });

// Killed again and again, while calls are throttled, answers get lost and tasks stop.
TEST(LoadResumeTest, WhateverHappensEachGroupIsLoadedOnce) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    std::mt19937_64 dice(seed);
    const auto roll = [&](std::uint64_t sides) { return dice() % sides; };
    Killable run(seed * 1000);
    const std::uint64_t groups = 5 + roll(25);
    for (std::uint64_t i = 0; i < groups; ++i) run.world.AddGroup(1 + roll(500));
    run.world.plan.canary = roll(2) == 0;
    run.world.service.rules.per_megabyte = std::chrono::milliseconds(roll(400));
    run.world.service.rules.tasks_per_page = 1 + roll(20);
    const std::uint64_t trouble = 3 + roll(20);
    run.world.service.rules.fate = [trouble](const FakeLoadTask&, std::size_t number) {
      LoadFate fate;
      fate.stops = {0.3, 0.6};
      return number % trouble == 1 ? std::optional(fate) : std::nullopt;
    };
    if (roll(2) == 0) run.world.service.rules.table_tasks = 2;
    run.disturb = [trouble](const FakeCall& call) -> std::optional<Interference> {
      if (call.number % (trouble + 7) == 3) return Interference::Throttle();
      return std::nullopt;
    };
    run.lose = [trouble](const FakeCall& call) -> std::optional<Interference> {
      if (call.number % (trouble + 5) < 3) return Interference::Reset();
      return std::nullopt;
    };
    for (int process = 0; process < 12; ++process) {
      const auto moment = roll(2) == 0 ? Moment::kBeforeTheCall : Moment::kAfterTheCall;
      if (!run.RunUntil(5 + roll(80), moment)) break;
      run.world.clock.Advance(seconds(roll(900)));
    }
    SCOPED_TRACE("seed " + std::to_string(seed));
    ASSERT_TRUE(run.RunToItsEnd());
    ASSERT_EQ(WhyNotLoaded(run.world, run.last), "");
    ExpectEachLoadedOnce(run.world);
  }
}

TEST(LoadResumeTest, ATaskOfOthersOnTheSameTableIsNotTaken) {
  Killable run;
  for (int i = 0; i < 3; ++i) run.world.AddGroup();
  ASSERT_TRUE(run.RunUntil(3, Moment::kBeforeTheCall));  // listing, prefix, create
  const UnixNanos now = run.world.Now();
  run.world.service.AddOther({"db", "t"}, "OTHER", now, now + 60'000'000'000,
                             "unload/results/p=g00011/");
  ASSERT_TRUE(run.RunToItsEnd());
  ASSERT_EQ(WhyNotLoaded(run.world, run.last), "");
  ExpectEachLoadedOnce(run.world);
}

TEST(LoadResumeTest, AnAnnouncedTaskIsSentAgainWithItsToken) {
  Killable run;
  run.world.AddGroup();
  run.world.plan.record_version = 3;
  std::string token;
  run.disturb = [&](const FakeCall&) { return std::nullopt; };
  ASSERT_TRUE(run.RunUntil(3, Moment::kBeforeTheCall));
  ASSERT_TRUE(run.world.Group(0).open() != nullptr);
  token = run.world.Group(0).open()->client_token;
  EXPECT_TRUE(run.world.service.tasks().empty());
  ASSERT_TRUE(run.RunToItsEnd());
  EXPECT_EQ(run.world.service.tasks().at(0).token, token);
  EXPECT_EQ(run.world.service.tasks().at(0).record_version, 3);
}

}  // namespace
}  // namespace tsm::test
