// kill -9 at every call of a run, and what the next process makes of it: the journal as it was at
// that moment, a service that went on meanwhile, and nothing else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <random>

#include "unload/unload_world.h"

namespace tsm::test {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::IsEmpty;
using World = FakeUnloadService::World;

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
      return std::nullopt;
    };
  }

  // True where the process was killed; then the run directory is as it was at that moment.
  bool RunUntil(std::uint64_t call, Moment moment) {
    if (!std::exchange(planned_, true)) world.Plan();
    kill_at_ = call;
    moment_ = moment;
    std::stop_source stop;
    stop_ = &stop;
    world.interrupts = {stop.get_token(), stop.get_token()};
    last = world.Run();
    world.interrupts = {};
    stop_ = nullptr;
    kill_at_ = 0;
    if (!dead_.exchange(false)) return false;
    std::filesystem::remove_all(world.run_dir());
    std::filesystem::rename(Copy(), world.run_dir());
    return true;
  }
  bool RunToItsEnd() { return !RunUntil(0, Moment::kBeforeTheCall); }

  UnloadWorld world;
  std::optional<Result<unload::UnloadSummary>> last;
  FakeTransport::Hook disturb;  // of what lives

 private:
  std::filesystem::path Copy() const { return world.run_dir().string() + ".killed"; }
  void Kill() {
    if (dead_) return;
    std::filesystem::remove_all(Copy());
    std::filesystem::copy(world.run_dir(), Copy());
    dead_ = true;
    stop_->request_stop();
  }

  bool planned_ = false;
  std::uint64_t kill_at_ = 0;
  Moment moment_ = Moment::kBeforeTheCall;
  std::atomic<bool> dead_{false};
  std::stop_source* stop_ = nullptr;
};

// What an UNLOAD whose start was never confirmed writes after the run's end is told, not deleted.
std::vector<std::string> Unexplained(Killable& run) {
  std::vector<std::string> found;
  for (std::string& line : Contradictions(run.world)) {
    bool told = false;
    for (const std::string& remark : (**run.last).tables[0].remarks) {
      const std::size_t at = remark.find("s3://bkt/");
      const std::size_t end = remark.find(' ', at);
      if (at == std::string::npos) continue;
      const std::string place = remark.substr(at + 9, end - at - 9);
      told = told || line.find(place) != std::string::npos;
    }
    if (!told) found.push_back(std::move(line));
  }
  return found;
}

void Fill(UnloadWorld& world, std::size_t days) {
  world.input.parallel = "2";
  world.Table().Fill(kJanuary2024, days, 5);
  world.service.With([](World& all) {
    all.unloads.rules.base = seconds(70);
    all.unloads.rules.leaves_uploads = false;
  });
}

struct Shape {
  const char* name;
  std::size_t days;
  std::optional<std::uint64_t> memory_partitions;
};

class UnloadKillTest : public testing::TestWithParam<std::tuple<Shape, Moment>> {};

TEST_P(UnloadKillTest, AtEveryCallTheNextProcessFinishes) {
  const auto& [shape, moment] = GetParam();
  const std::vector<std::chrono::nanoseconds> downtimes = {seconds(0), minutes(3), minutes(6),
                                                           hours(2)};
  for (std::uint64_t call = 1;; ++call) {
    Killable run(call);
    Fill(run.world, shape.days);
    run.world.service.With(
        [&](World& all) { all.unloads.rules.memory_partitions = shape.memory_partitions; });
    if (!run.RunUntil(call, moment)) {
      EXPECT_GT(call, 10U);
      return;  // it ended before that call
    }
    const std::size_t before = run.world.service.starts();
    run.world.clock.SleepFor(downtimes[call % downtimes.size()], {});
    ASSERT_TRUE(run.RunToItsEnd());
    SCOPED_TRACE("killed at call " + std::to_string(call) + " of " + shape.name);
    ASSERT_EQ(WhyNotDone(*run.last), "");
    run.world.clock.SleepFor(hours(2), {});
    run.world.service.With([&](World& all) { all.unloads.Settle(kJanuary2024 * 2); });
    EXPECT_THAT(Unexplained(run), IsEmpty());
    // At worst what was running is started once more.
    const std::size_t least = (shape.days + 99) / 100 * (shape.memory_partitions ? 3 : 1);
    EXPECT_LE(run.world.service.starts(), least + 2) << before << " before it was killed";
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, UnloadKillTest,
    testing::Combine(testing::Values(Shape{"flat", 3, std::nullopt},
                                     Shape{"nested", 250, std::nullopt}, Shape{"split", 180, 60}),
                     testing::Values(Moment::kBeforeTheCall, Moment::kAfterTheCall)),
    [](const auto& test_info) {
      return std::string(std::get<0>(test_info.param).name) +
             (std::get<1>(test_info.param) == Moment::kBeforeTheCall ? "Before" : "After");
    });

// Killed again and again, while calls are lost and UNLOADs fail.
TEST(UnloadResumeTest, WhateverHappensTheResultIsWhole) {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    std::mt19937_64 dice(seed);
    const auto roll = [&](std::uint64_t sides) { return dice() % sides; };
    Killable run(seed * 1000);
    Fill(run.world, 50 + roll(400));
    const std::uint64_t trouble = 2 + roll(20);
    run.world.service.With([&](World& all) {
      all.unloads.rules.base = seconds(10 + roll(400));
      if (roll(2) == 0) all.unloads.rules.memory_partitions = 40 + roll(80);
      all.unloads.rules.fate = [trouble](const UnloadStart& start) -> std::optional<UnloadFate> {
        if (start.number % trouble != 1 || start.number > 40) return std::nullopt;
        UnloadFate fate;
        fate.failure = "We have detected that Amazon S3 is throttling the writes from UNLOAD";
        fate.written = 0.3;
        return fate;
      };
    });
    run.disturb = [trouble](const FakeCall& call) -> std::optional<Interference> {
      if (call.number % (trouble + 7) == 3) return Interference::Reset();
      return std::nullopt;
    };
    for (int process = 0; process < 12; ++process) {
      const auto moment = roll(2) == 0 ? Moment::kBeforeTheCall : Moment::kAfterTheCall;
      if (!run.RunUntil(5 + roll(60), moment)) break;
      run.world.clock.SleepFor(seconds(roll(600)), {});
    }
    ASSERT_TRUE(run.RunToItsEnd());
    SCOPED_TRACE("seed " + std::to_string(seed));
    ASSERT_EQ(WhyNotDone(*run.last), "");
    EXPECT_THAT(Unexplained(run), IsEmpty());
  }
}

TEST(UnloadResumeTest, AnUnloadThatEndedMeanwhileIsAdopted) {
  Killable run;
  Fill(run.world, 250);
  ASSERT_TRUE(run.RunUntil(9, Moment::kAfterTheCall));
  ASSERT_EQ(run.world.service.starts(), 2U);
  run.world.clock.SleepFor(hours(3), {});  // no token and no client token is good any more
  ASSERT_TRUE(run.RunToItsEnd());
  ASSERT_EQ(WhyNotDone(*run.last), "");
  EXPECT_EQ(run.world.service.starts(), 3U);
  EXPECT_THAT(Contradictions(run.world), IsEmpty());
}

TEST(UnloadResumeTest, PagingGoesOnWhereItStood) {
  Killable run;
  Fill(run.world, 250);
  run.world.service.With([](World& all) { all.unloads.rules.base = minutes(40); });
  ASSERT_TRUE(run.RunUntil(40, Moment::kBeforeTheCall));
  run.world.clock.SleepFor(minutes(10), {});
  ASSERT_TRUE(run.RunToItsEnd());
  ASSERT_EQ(WhyNotDone(*run.last), "");
  EXPECT_EQ(run.world.service.starts(), 3U);
  EXPECT_EQ(run.world.process().transport.CountCalls("CancelQuery"), 0U);
  EXPECT_THAT(Contradictions(run.world), IsEmpty());
}

}  // namespace
}  // namespace tsm::test
