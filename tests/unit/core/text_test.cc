#include "tsm/core/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tsm {
namespace {

using ::testing::ElementsAre;

TEST(TextTest, LowerAndTrimAreAsciiOnly) {
  EXPECT_EQ(ToLowerAscii("X-Amz-Date É"), "x-amz-date É");
  EXPECT_EQ(TrimAscii(" \t\r\n a b \n"), "a b");
  EXPECT_EQ(TrimAscii(" \n "), "");
  EXPECT_EQ(TrimAscii(""), "");
}

TEST(TextTest, SplitKeepsEmptyParts) {
  EXPECT_THAT(Split("a,,b,", ','), ElementsAre("a", "", "b", ""));
  EXPECT_THAT(Split("", ','), ElementsAre(""));
  EXPECT_EQ(Join({"a", "", "b"}, "; "), "a; ; b");
  EXPECT_EQ(Join({}, ","), "");
  EXPECT_EQ(Concat({"a", "", std::string("bc"), std::string_view("d")}), "abcd");
  EXPECT_EQ(Concat({}), "");
}

TEST(TextTest, ParseInt64TakesTheWholeTextOrNothing) {
  EXPECT_EQ(ParseInt64("0"), 0);
  EXPECT_EQ(ParseInt64("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(ParseInt64("9223372036854775807"), INT64_MAX);
  for (const char* bad : {"", " 1", "1 ", "+1", "1.0", "9223372036854775808", "-", "0x1", "1e3"}) {
    EXPECT_EQ(ParseInt64(bad), std::nullopt) << bad;
  }
}

TEST(TextTest, PercentEncodeLeavesOnlyUnreservedBytes) {
  EXPECT_EQ(PercentEncode("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(PercentEncode("a b+c=d/e%ü"), "a%20b%2Bc%3Dd%2Fe%25%C3%BC");
  EXPECT_EQ(PercentEncode("day=1/a*b", true), "day%3D1/a%2Ab");
  EXPECT_EQ(PercentEncode(std::string_view("\0\xFF", 2)), "%00%FF");
}

TEST(TextTest, PercentDecodeForgivesWhatIsNoPair) {
  EXPECT_EQ(PercentDecode("a%20b%2Bc%c3%BC"), "a b+cü");
  EXPECT_EQ(PercentDecode("100%"), "100%");
  EXPECT_EQ(PercentDecode("%4"), "%4");
  EXPECT_EQ(PercentDecode("%zz%41"), "%zzA");
  EXPECT_EQ(PercentDecode("a+b"), "a+b");
}

TEST(TextTest, PercentDecodeUndoesEncodeForEveryByte) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  EXPECT_EQ(PercentDecode(PercentEncode(all)), all);
  EXPECT_EQ(PercentDecode(PercentEncode(all, true)), all);
}

TEST(TextTest, HexEncode) {
  EXPECT_EQ(HexEncode(std::string_view("\x00\x7F\xFF", 3)), "007fff");
  EXPECT_EQ(HexEncode(""), "");
}

TEST(TextTest, WithThousands) {
  EXPECT_EQ(WithThousands(0), "0");
  EXPECT_EQ(WithThousands(999), "999");
  EXPECT_EQ(WithThousands(1000), "1,000");
  EXPECT_EQ(WithThousands(1234567), "1,234,567");
  EXPECT_EQ(WithThousands(UINT64_MAX), "18,446,744,073,709,551,615");
}

TEST(TextTest, FormatBytes) {
  EXPECT_EQ(FormatBytes(0), "0 B");
  EXPECT_EQ(FormatBytes(999), "999 B");
  EXPECT_EQ(FormatBytes(1000), "1.0 kB");
  EXPECT_EQ(FormatBytes(1'500'000'000), "1.5 GB");
  EXPECT_EQ(FormatBytes(999'949), "999.9 kB");
  EXPECT_EQ(FormatBytes(999'950), "1.0 MB");
  EXPECT_EQ(FormatBytes(UINT64_MAX), "18.4 EB");
}

TEST(TextTest, OneLineMakesControlCharactersVisible) {
  EXPECT_EQ(OneLine("a\nb\r\tc\x01\x7F"), "a\\nb\\r\\tc\\x01\\x7f");
  EXPECT_EQ(OneLine("tschüß €"), "tschüß €");
}

TEST(TextTest, OneLineCutsBetweenCharacters) {
  EXPECT_EQ(OneLine("abcdef", 6), "abcdef");
  EXPECT_EQ(OneLine("abcdefg", 6), "abc…");
  EXPECT_EQ(OneLine("aüüüü", 7), "aü…");  // 9 bytes; "ü" has two and none is halved
  EXPECT_EQ(OneLine("abcdef", 2), "ab");  // no room for the mark
  for (std::size_t limit = 0; limit < 12; ++limit) {
    EXPECT_LE(OneLine("€€€€", limit).size(), limit);
  }
}

}  // namespace
}  // namespace tsm
