#include "tsm/unload/unload_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tsm::unload {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

FormatInput With(std::initializer_list<std::pair<std::string FormatInput::*, std::string>> values) {
  FormatInput input;
  for (const auto& [field, value] : values) input.*field = value;
  return input;
}

UnloadFormat Checked(const FormatInput& input) {
  const Result<UnloadFormat> format = UnloadFormat::Check(input);
  EXPECT_TRUE(format) << format.error().Text();
  return format ? *format : UnloadFormat();
}

TEST(UnloadFormatTest, WithoutFlagsIsWhatBatchLoadReads) {
  const UnloadFormat format = Checked({});
  EXPECT_EQ(format.ToSql(),
            "format = 'CSV', compression = 'NONE', max_file_size = '1GB', include_header = 'true'");
  EXPECT_THAT(format.BatchLoadRemarks(), IsEmpty());
}

TEST(UnloadFormatTest, WritesEachCsvOption) {
  FormatInput input;
  input.format = "CSV";
  input.compression = "gzip";
  input.encryption = "Sse_Kms";
  input.kms_key = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd";
  input.field_delimiter = "|";
  input.escaped_by = "'";
  input.include_header = "TRUE";
  input.max_file_size = "24.7 mb";
  EXPECT_EQ(Checked(input).ToSql(),
            "format = 'CSV', compression = 'GZIP', max_file_size = '24.7MB', include_header = "
            "'true', field_delimiter = '|', escaped_by = '''', encryption = 'SSE_KMS', kms_key = "
            "'arn:aws:kms:eu-west-1:123456789012:key/1234abcd'");
}

TEST(UnloadFormatTest, ATabMayBeSpelledOut) {
  FormatInput input;
  input.field_delimiter = "\\t";
  EXPECT_THAT(Checked(input).ToSql(), HasSubstr("field_delimiter = '\t'"));
}

TEST(UnloadFormatTest, ParquetHasNoCsvOptions) {
  FormatInput input;
  input.format = "parquet";
  input.compression = "GZIP";
  EXPECT_EQ(Checked(input).ToSql(),
            "format = 'PARQUET', compression = 'GZIP', max_file_size = '1GB'");
}

struct BadFormat {
  const char* name;
  FormatInput input;
  std::vector<std::string> told;
};

class BadFormatTest : public ::testing::TestWithParam<BadFormat> {};

TEST_P(BadFormatTest, IsRefusedWithTheRule) {
  const Result<UnloadFormat> format = UnloadFormat::Check(GetParam().input);
  ASSERT_FALSE(format);
  EXPECT_EQ(format.error().kind, ErrorKind::kInvalidInput);
  for (const std::string& told : GetParam().told) {
    EXPECT_THAT(format.error().message, HasSubstr(told));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Each, BadFormatTest,
    ::testing::Values(
        BadFormat{"format",
                  With({{&FormatInput::format, "json"}}),
                  {"--format: 'json' is not csv or parquet"}},
        BadFormat{"compression",
                  With({{&FormatInput::compression, "zip"}}),
                  {"--compression", "none or gzip"}},
        BadFormat{"encryption",
                  With({{&FormatInput::encryption, "kms"}}),
                  {"--encryption", "sse_s3 or sse_kms"}},
        BadFormat{"key_alone",
                  With({{&FormatInput::kms_key, "k"}}),
                  {"--kms_key", "--encryption sse_kms"}},
        BadFormat{"key_blank",
                  With({{&FormatInput::encryption, "sse_kms"}, {&FormatInput::kms_key, "a b"}}),
                  {"--kms_key", "blanks"}},
        BadFormat{"key_long",
                  With({{&FormatInput::encryption, "sse_kms"},
                        {&FormatInput::kms_key, std::string(2049, 'k')}}),
                  {"2,049 bytes", "2,048"}},
        BadFormat{"two_characters",
                  With({{&FormatInput::field_delimiter, "||"}}),
                  {"--field_delimiter", "single"}},
        BadFormat{"not_ascii",
                  With({{&FormatInput::field_delimiter, "\xC2\xA7"}}),
                  {"single ASCII character"}},
        BadFormat{"the_quote", With({{&FormatInput::field_delimiter, "\""}}), {"quote character"}},
        BadFormat{"the_escape", With({{&FormatInput::field_delimiter, "\\"}}), {"--escaped_by"}},
        BadFormat{"line_end", With({{&FormatInput::field_delimiter, "\n"}}), {"'\\n'", "header"}},
        BadFormat{"escape", With({{&FormatInput::escaped_by, "ab"}}), {"--escaped_by", "single"}},
        BadFormat{"header",
                  With({{&FormatInput::include_header, "yes"}}),
                  {"--include_header", "true or false"}},
        BadFormat{"size_small",
                  With({{&FormatInput::max_file_size, "15.9MB"}}),
                  {"--max_file_size", "16MB to 78GB"}},
        BadFormat{"size_large",
                  With({{&FormatInput::max_file_size, "78.1GB"}}),
                  {"'78.1GB'", "16MB to 78GB"}},
        BadFormat{"size_bare", With({{&FormatInput::max_file_size, "100"}}), {"X[MB|GB]"}},
        BadFormat{"size_sign", With({{&FormatInput::max_file_size, "-1GB"}}), {"X[MB|GB]"}},
        BadFormat{"size_exponent", With({{&FormatInput::max_file_size, "1e1GB"}}), {"X[MB|GB]"}},
        BadFormat{"size_dots", With({{&FormatInput::max_file_size, "1.0.0GB"}}), {"X[MB|GB]"}},
        BadFormat{"size_open", With({{&FormatInput::max_file_size, "1.GB"}}), {"X[MB|GB]"}},
        BadFormat{"parquet_delimiter",
                  With({{&FormatInput::format, "parquet"}, {&FormatInput::field_delimiter, ","}}),
                  {"--field_delimiter", "--format parquet"}},
        BadFormat{"parquet_escape",
                  With({{&FormatInput::format, "parquet"}, {&FormatInput::escaped_by, "'"}}),
                  {"--escaped_by"}},
        BadFormat{"parquet_header",
                  With({{&FormatInput::format, "parquet"}, {&FormatInput::include_header, "true"}}),
                  {"--include_header"}}),
    [](const auto& tested) { return tested.param.name; });

TEST(UnloadFormatTest, TakesTheBoundsOfTheFileSize) {
  for (const char* size : {"16MB", "78GB", "0.5GB", "78000MB", "24.7MB"}) {
    FormatInput input;
    input.max_file_size = size;
    EXPECT_EQ(Checked(input).max_file_size, size);
  }
}

TEST(UnloadFormatTest, LineEndsMaySeparateWhereThereIsNoHeader) {
  FormatInput input;
  input.field_delimiter = "\r";
  input.include_header = "false";
  EXPECT_EQ(Checked(input).field_delimiter, '\r');
}

TEST(UnloadFormatTest, TellsWhatBatchLoadCannotRead) {
  FormatInput input;
  input.format = "parquet";
  EXPECT_THAT(Checked(input).BatchLoadRemarks(), ElementsAre(HasSubstr("CSV only")));

  input = With({{&FormatInput::compression, "gzip"},
                {&FormatInput::field_delimiter, "#"},
                {&FormatInput::include_header, "false"},
                {&FormatInput::max_file_size, "5GB"}});
  EXPECT_THAT(Checked(input).BatchLoadRemarks(),
              ElementsAre(HasSubstr("inflates these files"), HasSubstr("--include_header false"),
                          HasSubstr("not by '#'"), HasSubstr("--max_file_size 5GB")));

  input = With({{&FormatInput::field_delimiter, ";"}, {&FormatInput::max_file_size, "4.9GB"}});
  EXPECT_THAT(Checked(input).BatchLoadRemarks(), IsEmpty());
}

}  // namespace
}  // namespace tsm::unload
