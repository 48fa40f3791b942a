#include "tsm/core/time_text.h"

#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <string>
#include <utility>

namespace tsm {
namespace {

constexpr UnixNanos kSecond = 1'000'000'000;

TEST(ParseTimestampTest, ReadsEveryShape) {
  const UnixNanos day = 1'708'905'600 * kSecond;  // 2024-02-26
  EXPECT_EQ(*ParseTimestamp("2024-02-26"), day);
  EXPECT_EQ(*ParseTimestamp("2024-02-26Z"), day);
  EXPECT_EQ(*ParseTimestamp("2024-02-26 17:24"), day + 62'640 * kSecond);
  EXPECT_EQ(*ParseTimestamp("2024-02-26T17:24:38Z"), day + 62'678 * kSecond);
  EXPECT_EQ(*ParseTimestamp("2024-02-26 17:24:38.27"), day + 62'678 * kSecond + 270'000'000);
  EXPECT_EQ(*ParseTimestamp("2024-02-26 17:24:38.000000001"), day + 62'678 * kSecond + 1);
}

TEST(ParseTimestampTest, KnowsTheCalendar) {
  EXPECT_EQ(*ParseTimestamp("1970-01-01"), 0);
  EXPECT_EQ(*ParseTimestamp("2000-02-29"), 951'782'400 * kSecond);
  EXPECT_EQ(*ParseTimestamp("2024-02-29"), 1'709'164'800 * kSecond);
  for (const char* text : {"2023-02-29", "2100-02-29", "2024-02-30", "2024-04-31", "2024-13-01",
                           "2024-00-10", "2024-01-00", "2024-01-32"}) {
    const auto time = ParseTimestamp(text);
    ASSERT_FALSE(time) << text;
    EXPECT_EQ(time.error().kind, ErrorKind::kInvalidInput);
    EXPECT_NE(time.error().message.find("calendar"), std::string::npos) << time.error().message;
  }
}

TEST(ParseTimestampTest, EndsWhere64BitsEnd) {
  EXPECT_EQ(*ParseTimestamp("2262-04-11 23:47:16.854775807"),
            std::numeric_limits<UnixNanos>::max());
  for (const char* text : {"2262-04-11 23:47:16.854775808", "2262-04-11 23:47:17", "2262-04-12",
                           "9999-12-31", "1969-12-31 23:59:59"}) {
    EXPECT_FALSE(ParseTimestamp(text)) << text;
  }
}

TEST(ParseTimestampTest, RefusesEveryOtherShape) {
  for (const char* text : {"",
                           "2024",
                           "2024-2-6",
                           "24-02-26",
                           "2024/02/26",
                           " 2024-02-26",
                           "2024-02-26 ",
                           "2024-02-26 17",
                           "2024-02-26 1:02",
                           "2024-02-26 17:24:",
                           "2024-02-26 17:24:38.",
                           "2024-02-26 17:24:38.0000000001",
                           "2024-02-26 24:00:00",
                           "2024-02-26 23:60",
                           "2024-02-26 23:59:60",
                           "2024-02-26t10:00",
                           "2024-02-26 10:00+01:00",
                           "2024-02-26 10:00ZZ",
                           "-024-02-26",
                           "now"}) {
    const auto time = ParseTimestamp(text);
    ASSERT_FALSE(time) << text;
    EXPECT_EQ(time.error().kind, ErrorKind::kInvalidInput) << text;
  }
}

TEST(FormatTimestampTest, AlwaysNineDecimals) {
  EXPECT_EQ(FormatTimestamp(0), "1970-01-01 00:00:00.000000000");
  EXPECT_EQ(FormatTimestamp(1'708'968'278 * kSecond + 270'000'000),
            "2024-02-26 17:24:38.270000000");
  EXPECT_EQ(FormatTimestamp(std::numeric_limits<UnixNanos>::max()),
            "2262-04-11 23:47:16.854775807");
  EXPECT_EQ(FormatTimestamp(-1), "1969-12-31 23:59:59.999999999");
  EXPECT_EQ(FormatTimestamp(std::numeric_limits<UnixNanos>::min()),
            "1677-09-21 00:12:43.145224192");
}

TEST(FormatTimestampTest, ParseReadsItBack) {
  for (UnixNanos time = 1; time > 0 && time < std::numeric_limits<UnixNanos>::max() / 7;
       time *= 7) {
    EXPECT_EQ(*ParseTimestamp(FormatTimestamp(time)), time);
  }
}

TEST(FormatTest, AmzDateAndIso8601) {
  const std::chrono::system_clock::time_point time(std::chrono::milliseconds(1'708'968'278'999));
  EXPECT_EQ(FormatAmzDate(time), "20240226T172438Z");
  EXPECT_EQ(FormatIso8601(time), "2024-02-26T17:24:38Z");
}

TEST(ParseAmzDateTest, ReadsWhatFormatWrites) {
  const std::chrono::system_clock::time_point time(std::chrono::seconds(1'708'968'278));
  EXPECT_EQ(ParseAmzDate("20240226T172438Z"), time);
  EXPECT_EQ(ParseAmzDate("22611231T235959Z").has_value(), true);
  for (const char* text :
       {"", "20240226", "20240226T172438", "20240226T1724Z", "2024-02-26T17:24:38Z",
        "20240230T172438Z", "20240226T242438Z", "20240226T176038Z", "20240226T172460Z",
        "20240226t172438z", "20240226T172438ZZ", " 20240226T172438Z", "19691231T235959Z",
        "22620101T000000Z", "99991231T235959Z"}) {
    EXPECT_EQ(ParseAmzDate(text), std::nullopt) << text;
  }
}

TEST(ParseHttpDateTest, ReadsTheOneShapeThatServersSend) {
  const std::pair<const char*, std::int64_t> cases[] = {
      {"Mon, 26 Feb 2024 17:24:38 GMT", 1'708'968'278},
      {"Thu, 29 Feb 2024 00:00:00 GMT", 1'709'164'800},
      {"Sun, 06 Nov 1994 08:49:37 GMT", 784'111'777},
      {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
  };
  for (const auto& [text, seconds] : cases) {
    const auto time = ParseHttpDate(text);
    ASSERT_TRUE(time) << text;
    EXPECT_EQ(*time, std::chrono::system_clock::time_point(std::chrono::seconds(seconds))) << text;
  }
}

TEST(ParseHttpDateTest, RefusesEveryOtherShape) {
  for (const char* text : {"", "Mon, 26 Feb 2024 17:24:38", "Mon, 26 Feb 2024 17:24:38 UTC",
                           "Mon, 26 Feb 2024 17:24:38 +0000", "Mon, 26 Feb 2024 17:24:38 GMT ",
                           " Mon, 26 Feb 2024 17:24:38 GMT",
                           "Tue, 26 Feb 2024 17:24:38 GMT",  // it was a Monday
                           "mon, 26 feb 2024 17:24:38 gmt", "Mon 26 Feb 2024 17:24:38 GMT",
                           "26 Feb 2024 17:24:38 GMT", "Fri, 30 Feb 2024 17:24:38 GMT",
                           "Mon, 26 Feb 2024 24:24:38 GMT", "Mon, 26 Feb 2024 17:60:38 GMT",
                           "Mon, 26 Feb 2024 17:24:60 GMT", "Mon, 6 Feb 2024 17:24:38 GMT",
                           "Monday, 26-Feb-24 17:24:38 GMT",  // RFC 850
                           "Mon Feb 26 17:24:38 2024",        // asctime
                           "2024-02-26T17:24:38Z", "Wed, 31 Dec 1969 23:59:59 GMT"}) {
    EXPECT_EQ(ParseHttpDate(text), std::nullopt) << text;
  }
}

TEST(FormatDurationTest, ShowsTwoUnitsAndRounds) {
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  EXPECT_EQ(FormatDuration(milliseconds(0)), "0 ms");
  EXPECT_EQ(FormatDuration(milliseconds(-5)), "0 ms");
  EXPECT_EQ(FormatDuration(milliseconds(120)), "120 ms");
  EXPECT_EQ(FormatDuration(std::chrono::microseconds(999'600)), "1.0 s");
  EXPECT_EQ(FormatDuration(milliseconds(4200)), "4.2 s");
  EXPECT_EQ(FormatDuration(milliseconds(59'940)), "59.9 s");
  EXPECT_EQ(FormatDuration(milliseconds(59'960)), "1 min 00 s");
  EXPECT_EQ(FormatDuration(seconds(185)), "3 min 05 s");
  EXPECT_EQ(FormatDuration(milliseconds(3'599'700)), "1 h 00 min");
  EXPECT_EQ(FormatDuration(seconds(3720)), "1 h 02 min");
  EXPECT_EQ(FormatDuration(std::chrono::hours(100)), "100 h 00 min");
}

}  // namespace
}  // namespace tsm
