#include "tsm/core/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tsm/core/text.h"
#include "tsm/core/version.h"

namespace tsm {
namespace {

// x: a lower-case hex digit; v: one of 8, 9, a, b; anything else stands for itself.
bool MatchesShape(std::string_view text, std::string_view shape) {
  return std::equal(text.begin(), text.end(), shape.begin(), shape.end(), [](char c, char want) {
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (want == 'x') return hex;
    if (want == 'v') return c == '8' || c == '9' || c == 'a' || c == 'b';
    return c == want;
  });
}

TEST(RandomTest, UuidIsAVersion4Uuid) {
  SystemRandom random;
  std::set<std::string> seen;
  for (int i = 0; i < 200; ++i) {
    const std::string uuid = random.Uuid();
    EXPECT_TRUE(MatchesShape(uuid, "xxxxxxxx-xxxx-4xxx-vxxx-xxxxxxxxxxxx")) << uuid;
    seen.insert(uuid);
  }
  EXPECT_EQ(seen.size(), 200U);
}

TEST(RandomTest, UnitStaysBelowOne) {
  class Fixed final : public Random {
   public:
    explicit Fixed(std::uint64_t value) : value_(value) {}
    std::uint64_t Next() override { return value_; }

   private:
    std::uint64_t value_;
  };
  EXPECT_EQ(Fixed(0).Unit(), 0.0);
  EXPECT_LT(Fixed(UINT64_MAX).Unit(), 1.0);
  EXPECT_EQ(Fixed(1ULL << 63U).Unit(), 0.5);
}

TEST(RandomTest, TheSameSeedGivesTheSameSequence) {
  SeededRandom one(7);
  SeededRandom same(7);
  SeededRandom other(8);
  const std::string uuid = one.Uuid();
  EXPECT_EQ(uuid, same.Uuid());
  EXPECT_NE(uuid, other.Uuid());
}

TEST(VersionTest, HasThreeNumbers) {
  const auto parts = Split(Version(), '.');
  ASSERT_EQ(parts.size(), 3U) << Version();
  for (const std::string_view part : parts) EXPECT_TRUE(ParseInt64(part)) << Version();
}

}  // namespace
}  // namespace tsm
