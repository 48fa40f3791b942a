#include <gtest/gtest.h>

#include <limits>

#include "ts_local/value_text.h"

namespace ts_local {
namespace {

std::string Text(double number) { return ValueText(Value(number)); }

TEST(ValueText, DoublesAreWrittenAsJavaDoes) {
  EXPECT_EQ(Text(0.132), "0.132");
  EXPECT_EQ(Text(1.0), "1.0");
  EXPECT_EQ(Text(-0.0), "-0.0");
  EXPECT_EQ(Text(100.0), "100.0");
  EXPECT_EQ(Text(1234567.0), "1234567.0");
  EXPECT_EQ(Text(9999999.999), "9999999.999");
  EXPECT_EQ(Text(1e7), "1.0E7");
  EXPECT_EQ(Text(1e10), "1.0E10");
  EXPECT_EQ(Text(1655487883.7710001), "1.6554878837710001E9");
  EXPECT_EQ(Text(0.001), "0.001");
  EXPECT_EQ(Text(0.00099), "9.9E-4");
  EXPECT_EQ(Text(-2.5e-300), "-2.5E-300");
  EXPECT_EQ(Text(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(Text(std::numeric_limits<double>::max()), "1.7976931348623157E308");
  EXPECT_EQ(Text(5e-324), "5.0E-324");
  EXPECT_EQ(Text(std::numeric_limits<double>::infinity()), "Infinity");
  EXPECT_EQ(Text(-std::numeric_limits<double>::infinity()), "-Infinity");
  EXPECT_EQ(Text(std::numeric_limits<double>::quiet_NaN()), "NaN");
}

TEST(ValueText, DoublesReadBackToTheSameValue) {
  for (const double number : {0.1, 1e23, 123456.789, 1e-7, 4.9e-324, 8.5e15, 1.0 / 3}) {
    EXPECT_EQ(ParseDouble(Text(number)), number);
  }
  EXPECT_EQ(ParseDouble("1e400"), std::numeric_limits<double>::infinity());
  for (const char* bad : {"", "x", "1x", "inf", "nan", "0x10", " 1", "+-1", "1,5"}) {
    EXPECT_FALSE(ParseDouble(bad)) << bad;
  }
}

TEST(ValueText, TimestampsHaveNineDecimals) {
  EXPECT_EQ(ValueText(Value(Timestamp{0})), "1970-01-01 00:00:00.000000000");
  EXPECT_EQ(ValueText(Value(Timestamp{1'709'210'096'123'456'789})),
            "2024-02-29 12:34:56.123456789");
}

TEST(ValueText, TimestampsOfAnyPrecisionAreRead) {
  constexpr std::int64_t kDay = 1'709'164'800'000'000'000;  // 2024-02-29
  EXPECT_EQ(ParseTimestamp("2024-02-29"), kDay);
  EXPECT_EQ(ParseTimestamp("2024-2-29 1:02"), kDay + 3'720 * kNsPerSecond);
  EXPECT_EQ(ParseTimestamp("2024-02-29 00:00:01.5"), kDay + 1'500'000'000);
  EXPECT_EQ(ParseTimestamp("2024-02-29 00:00:00.000000001"), kDay + 1);
  for (const char* bad : {"", "2024-02-30", "2023-02-29", "1969-12-31 23:59:59",
                          "2024-02-29T00:00:00", "2024-02-29 24:00:00", "2024-02-29 00:60",
                          "2024-02-29 00:00:00.", "2024-02-29 00:00:00.0000000001", "2024-02-29 ",
                          "24-02-29", "9999-01-01", "2024-02-29 00:00:00Z"}) {
    EXPECT_FALSE(ParseTimestamp(bad)) << bad;
  }
}

TEST(ValueText, Bigints) {
  EXPECT_EQ(ParseBigint("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(ParseBigint("+7"), 7);
  for (const char* bad : {"", "-", "+", "+-1", "1.0", "9223372036854775808", "1 ", "0x1"}) {
    EXPECT_FALSE(ParseBigint(bad)) << bad;
  }
}

}  // namespace
}  // namespace ts_local
