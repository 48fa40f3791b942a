#include "tsm/core/sorted_spool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace tsm {
namespace {

using Records = std::vector<std::pair<std::string, std::string>>;

Records AllOf(SortedSpool& spool) {
  Records records;
  auto reader = spool.Read();
  EXPECT_TRUE(reader) << reader.error().Text();
  for (;;) {
    const Result<bool> more = (*reader)->Next();
    EXPECT_TRUE(more) << more.error().Text();
    if (!more || !*more) return records;
    records.emplace_back((*reader)->key(), (*reader)->value());
  }
}

TEST(SortedSpoolTest, FewRecordsStayInMemory) {
  SortedSpool spool("/nonexistent");
  EXPECT_TRUE(AllOf(spool).empty());
  SortedSpool some("/nonexistent");
  ASSERT_TRUE(some.Add("b", "1"));
  ASSERT_TRUE(some.Add("a", "2"));
  ASSERT_TRUE(some.Add("b", "3"));
  ASSERT_TRUE(some.Add("", "4"));
  const Records expected = {{"", "4"}, {"a", "2"}, {"b", "1"}, {"b", "3"}};
  EXPECT_EQ(AllOf(some), expected);
  EXPECT_EQ(AllOf(some), expected) << "may be read again";
}

TEST(SortedSpoolTest, SortsWhatMemoryDoesNotHoldAndKeepsTheOrderOfEquals) {
  std::mt19937 random(7);
  for (const std::size_t memory : {std::size_t{1}, std::size_t{300}, std::size_t{20'000}}) {
    SortedSpool spool(::testing::TempDir(), memory);
    Records expected;
    for (int i = 0; i < 5'000; ++i) {
      // Bytes above 127, NUL and newlines sort as unsigned bytes.
      std::string key(random() % 4, 'x');
      for (char& c : key) c = static_cast<char>(random() % 7 * 40);
      expected.emplace_back(key, std::to_string(i) + std::string(random() % 40, '\n'));
      ASSERT_TRUE(spool.Add(key, expected.back().second));
    }
    std::stable_sort(expected.begin(), expected.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    ASSERT_EQ(AllOf(spool), expected) << memory;
    ASSERT_EQ(AllOf(spool), expected) << memory << ", read again";
    EXPECT_EQ(spool.size(), expected.size());
  }
}

TEST(SortedSpoolTest, RecordsMayBeLargerThanAnyBuffer) {
  SortedSpool spool(::testing::TempDir(), 1'000);
  const std::string large(200'000, 'v');
  ASSERT_TRUE(spool.Add("c", large + "c"));
  ASSERT_TRUE(spool.Add("a", large + "a"));
  ASSERT_TRUE(spool.Add("b", ""));
  const Records records = AllOf(spool);
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].second, large + "a");
  EXPECT_EQ(records[1].second, "");
  EXPECT_EQ(records[2].second, large + "c");
}

TEST(SortedSpoolTest, ADirectoryThatIsNotThereIsNamed) {
  SortedSpool spool("/nonexistent/run", 10);
  ASSERT_TRUE(spool.Add("aaaaaaaaaa", "1"));
  const Status status = spool.Add("b", "2");
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, ErrorKind::kLocalIo);
  EXPECT_NE(status.error().message.find("/nonexistent/run"), std::string::npos);
}

}  // namespace
}  // namespace tsm
