#include "tsm/model/csv_header.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tsm::model {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using timestream::CsvConfiguration;

constexpr const char* kFile = "s3://b/results/x.csv";

struct Read {
  const char* name;
  std::string text;
  std::vector<std::string> columns;
  std::size_t bytes;
  CsvConfiguration csv = {};
};

class ReadHeader : public ::testing::TestWithParam<Read> {};

TEST_P(ReadHeader, GivesTheNames) {
  const Read& read = GetParam();
  const auto header = ParseCsvHeader(read.text, false, read.csv, kFile);
  ASSERT_TRUE(header) << header.error().Text();
  ASSERT_TRUE(header->has_value());
  EXPECT_EQ((*header)->columns, read.columns);
  EXPECT_EQ((*header)->bytes, read.bytes);
}

CsvConfiguration Csv(const char* separator, const char* quote, const char* escape,
                     bool trim = false) {
  CsvConfiguration csv;
  csv.column_separator = separator;
  csv.quote_char = quote;
  csv.escape_char = escape;
  csv.trim_white_space = trim;
  return csv;
}

INSTANTIATE_TEST_SUITE_P(
    Headers, ReadHeader,
    ::testing::Values(
        Read{"plain",
             "city,measure_name,nanoseconds\nx,y,1\n",
             {"city", "measure_name", "nanoseconds"},
             30},
        Read{"crlf", "a,b\r\n1,2\r\n", {"a", "b"}, 5}, Read{"one", "a\n", {"a"}, 2},
        Read{"quoted", "\"a,b\",\"c\nd\",e\n", {"a,b", "c\nd", "e"}, 14},
        Read{"quoted_crlf", "\"a\",\"b\"\r\n", {"a", "b"}, 9},
        Read{"escaped_as_unload_does", "\"say \\\"hi\\\"\",a\\\\b\n", {"say \"hi\"", "a\\b"}, 18},
        Read{"doubled", "\"say \"\"hi\"\"\",b\n", {"say \"hi\"", "b"}, 15, Csv(",", "\"", "\"")},
        Read{"other_characters", "'a;b';c\n", {"a;b", "c"}, 8, Csv(";", "'", "\\")},
        Read{"tab", "a b\tc\n", {"a b", "c"}, 6, Csv("\t", "\"", "\\", true)},
        Read{"blanks_stay", " a ,b\n", {" a ", "b"}, 6},
        Read{
            "blanks_trimmed", " a , \"b \" ,c\n", {"a", "b ", "c"}, 13, Csv(",", "\"", "\\", true)},
        Read{"quote_inside", "a\"b,c\n", {"a\"b", "c"}, 6},
        Read{"unicode", "Straße,温度\n", {"Straße", "温度"}, 15},
        Read{"carriage_return_inside", "a\rb,c\n", {"a\rb", "c"}, 6}),
    [](const auto& param) { return std::string(param.param.name); });

TEST(CsvHeader, WhatDoesNotEndAsksForMore) {
  for (const char* start : {"a", "a,b", "a,\"b", "a,\"b\"", "a,\"b\\", "a,b\r", "a,b\\"}) {
    const auto header = ParseCsvHeader(start, false, {}, kFile);
    ASSERT_TRUE(header) << start << ": " << header.error().Text();
    EXPECT_FALSE(header->has_value()) << start;
  }
  const auto whole = ParseCsvHeader("a,b", true, {}, kFile);
  ASSERT_TRUE(whole) << whole.error().Text();
  EXPECT_THAT((*whole)->columns, ElementsAre("a", "b"));
  EXPECT_EQ((*whole)->bytes, 3U);
}

TEST(CsvHeader, EveryCutOfAHeaderAsksForMoreOrGivesItWhole) {
  const std::string text = "\"a,\\\"b\",\"c\nd\",e f\r\n1,2,3\n";
  const std::size_t line = text.find("1,2,3");
  for (std::size_t size = 1; size <= text.size(); ++size) {
    const auto header = ParseCsvHeader(std::string_view(text).substr(0, size), false, {}, kFile);
    ASSERT_TRUE(header) << size << ": " << header.error().Text();
    EXPECT_EQ(header->has_value(), size >= line) << size;
    if (!header->has_value()) continue;
    EXPECT_THAT((*header)->columns, ElementsAre("a,\"b", "c\nd", "e f"));
  }
}

TEST(CsvHeader, WhatIsNoCsvIsRefusedWithItsReason) {
  const struct {
    std::string text;
    bool whole;
    const char* message;
  } cases[] = {
      {"", true, "s3://b/results/x.csv is empty"},
      {"\xef\xbb\xbf"
       "city,b\n",
       false, "begins with a UTF-8 byte order mark"},
      {"\xff\xfe"
       "c",
       false, "begins with a UTF-16 byte order mark"},
      {"\x1f\x8b\x08", false, "is gzip: batch load reads plain CSV"},
      {"PAR1\x15\x04", false, "is Parquet: batch load reads CSV only"},
      {"a,,c\n", false, "has no name for column 2 of its header"},
      {"\n1,2\n", false, "has no name for column 1 of its header"},
      {"a,\"b\"x,c\n", false, "has other text behind a quoted name in its header"},
      {"\"a\"\"b\",c\n", false, "has other text behind a quoted name in its header"},
      {"a,\"bc", true, "has a quote in its header that does not end, before \"bc\""},
      {"a,\xff\xfe\n", false, "is no UTF-8 text in column 2 of its header"},
      {"a,\xc0\x80\n", false, "is no UTF-8 text in column 2"},
      {"a,\xed\xa0\x80\n", false, "is no UTF-8 text in column 2"},
      {std::string(kMaxHeaderBytes, 'x'), false, "has a header of more than 16.8 MB"},
  };
  for (const auto& c : cases) {
    const auto header = ParseCsvHeader(c.text, c.whole, {}, kFile);
    ASSERT_FALSE(header) << c.message;
    EXPECT_EQ(header.error().kind, ErrorKind::kInvalidInput);
    EXPECT_THAT(header.error().Text(), HasSubstr(c.message));
    EXPECT_THAT(header.error().Text(), HasSubstr(kFile));
  }
}

}  // namespace
}  // namespace tsm::model
