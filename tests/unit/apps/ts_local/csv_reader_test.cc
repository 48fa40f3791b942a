#include "ts_local/csv_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

namespace ts_local {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct Row {
  std::vector<std::string> fields;
  std::int64_t first = 0;
  std::int64_t last = 0;
  std::string error;
};

// Reads the text in pieces of `piece` bytes, so that every boundary falls everywhere.
std::vector<Row> ReadAll(const std::string& text, const CsvOptions& options, std::size_t piece) {
  std::size_t position = 0;
  CsvReader reader(
      [&](char* buffer, std::size_t size) {
        const std::size_t count = std::min({size, piece, text.size() - position});
        std::memcpy(buffer, text.data() + position, count);
        position += count;
        return count;
      },
      options);
  std::vector<Row> rows;
  CsvRecord record;
  while (reader.Next(&record)) {
    rows.push_back(
        {{record.fields.begin(), record.fields.begin() + static_cast<std::ptrdiff_t>(record.count)},
         record.first_line,
         record.last_line,
         record.error});
  }
  EXPECT_EQ(reader.bytes_read(), text.size());
  return rows;
}

class CsvReaderTest : public ::testing::TestWithParam<std::size_t> {
 protected:
  std::vector<Row> Read(const std::string& text, const CsvOptions& options = {}) {
    return ReadAll(text, options, GetParam());
  }
  static CsvOptions Escaped() {
    CsvOptions options;
    options.escape = '\\';
    return options;
  }
};

INSTANTIATE_TEST_SUITE_P(Pieces, CsvReaderTest, ::testing::Values(1, 2, 3, 1000));

TEST_P(CsvReaderTest, PlainFieldsAndLines) {
  const auto rows = Read("a,b\n1,\r\n\n,é\nlast,x");
  ASSERT_THAT(rows, SizeIs(4));
  EXPECT_THAT(rows[1].fields, ElementsAre("1", ""));
  EXPECT_THAT(rows[2].fields, ElementsAre("", "é"));
  EXPECT_EQ(rows[2].first, 4) << "the empty line counts";
  EXPECT_THAT(rows[3].fields, ElementsAre("last", "x"));
  EXPECT_EQ(rows[3].last, 5);
  EXPECT_THAT(Read(""), IsEmpty());
  EXPECT_THAT(Read("\n\n"), IsEmpty());
}

TEST_P(CsvReaderTest, WhatUnloadWritesWithItsEscape) {
  const auto rows =
      Read("\"a, b\",\"say \\\"hi\\\"\",\"back\\\\slash\"\n\"l1\nl2\",\"\\\\\",x\n", Escaped());
  ASSERT_THAT(rows, SizeIs(2));
  EXPECT_THAT(rows[0].fields, ElementsAre("a, b", "say \"hi\"", "back\\slash"));
  EXPECT_THAT(rows[1].fields, ElementsAre("l1\nl2", "\\", "x"));
  EXPECT_EQ(rows[1].first, 2);
  EXPECT_EQ(rows[1].last, 3);
}

TEST_P(CsvReaderTest, EscapeOutsideQuotes) {
  EXPECT_THAT(Read("a\\,b,\\\\c,\\\"\n", Escaped())[0].fields, ElementsAre("a,b", "\\c", "\""));
}

TEST_P(CsvReaderTest, WithoutEscapeQuotesAreDoubledAndBackslashesAreText) {
  EXPECT_THAT(Read("\"a\"\"b\",\"c\\\",d\\\n")[0].fields, ElementsAre("a\"b", "c\\", "d\\"));
  CsvOptions same;
  same.escape = '"';
  EXPECT_THAT(Read("\"a\"\"b\",\"\"\n", same)[0].fields, ElementsAre("a\"b", ""));
}

TEST_P(CsvReaderTest, OtherSeparatorQuoteAndTrim) {
  CsvOptions options;
  options.separator = '|';
  options.quote = '\'';
  options.trim = true;
  EXPECT_THAT(Read("  a b |' x '  | c\t\n", options)[0].fields, ElementsAre("a b", " x ", "c"));
  options.separator = '\t';
  EXPECT_THAT(Read("a\t\t'b'\tc\n", options)[0].fields, ElementsAre("a", "", "b", "c"));
}

TEST_P(CsvReaderTest, BadRecordsAreNamedAndTheNextIsRead) {
  const auto rows = Read("\"a\"b,c\nd,e\n\"f", Escaped());
  ASSERT_THAT(rows, SizeIs(3));
  EXPECT_EQ(rows[0].error, "A quoted field is followed by other text.");
  EXPECT_EQ(rows[0].last, 1);
  EXPECT_THAT(rows[1].fields, ElementsAre("d", "e"));
  EXPECT_EQ(rows[1].first, 2);
  EXPECT_EQ(rows[2].error, "A quoted field does not end.");
  EXPECT_EQ(Read("a,b\\", Escaped())[0].error, "The file ends after an escape character.");
}

TEST(CsvReaderSizeTest, RecordsOver16MegabytesAreSkippedNotKept) {
  for (const bool quoted : {false, true}) {
    const std::string quote = quoted ? "\"" : "";
    const std::string text = "h\n" + quote + std::string(17U << 20U, 'x') + quote + "\nnext\n";
    const auto rows = ReadAll(text, {}, 1U << 20U);
    ASSERT_THAT(rows, SizeIs(3));
    EXPECT_EQ(rows[1].error, "The record is larger than 16 MB.");
    EXPECT_LT(rows[1].fields[0].size(), 1U << 20U);
    EXPECT_THAT(rows[2].fields, ElementsAre("next"));
    EXPECT_EQ(rows[2].first, 3);
  }
}

}  // namespace
}  // namespace ts_local
