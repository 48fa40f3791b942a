#include "tsm/core/nearest_name.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tsm {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(NearestName, CountsChanges) {
  EXPECT_EQ(EditDistance("", ""), 0U);
  EXPECT_EQ(EditDistance("", "abc"), 3U);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3U);
}

TEST(NearestName, NearestFirst) {
  const std::vector<std::string> names{"humidity", "City", "device", "cite"};
  EXPECT_THAT(NearestNames(names, "city", 2), ElementsAre("City", "cite"));
  EXPECT_THAT(NearestNames(names, "city", 9).size(), 4U);
  EXPECT_THAT(NearestNames({}, "city", 2), IsEmpty());
}

TEST(NearestName, LikelyOnlyWhereLittleDiffers) {
  const std::vector<std::string> names{"humidity", "City"};
  EXPECT_EQ(LikelyName(names, "CITY"), "City");
  EXPECT_EQ(LikelyName(names, "humidty"), "humidity");
  EXPECT_EQ(LikelyName(names, "load"), "");
  EXPECT_EQ(LikelyName({}, "load"), "");
}

}  // namespace
}  // namespace tsm
