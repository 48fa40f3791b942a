#include "tsm/run/file_spool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "run/run_dir.h"

namespace tsm::run {
namespace {

using ::testing::HasSubstr;

SpooledFile File(std::size_t group, std::string source, std::string target) {
  SpooledFile file;
  file.group = group;
  file.ordinal = 7;
  file.source = s3::ObjectKey(std::move(source));
  file.target = s3::ObjectKey(std::move(target));
  file.size = 5'000'000'000;
  file.etag = "0123abcd-2";
  return file;
}

// All from `offset` on, as text.
std::vector<std::string> Read(const std::filesystem::path& path, std::uint64_t offset = 0) {
  std::vector<std::string> out;
  auto reader = FileSpoolReader::Open(path, offset);
  if (!reader) return {reader.error().Text()};
  for (;;) {
    Result<std::optional<SpooledFile>> file = (*reader)->Next();
    if (!file) {
      out.push_back(file.error().Text());
      return out;
    }
    if (!*file) return out;
    out.push_back(std::to_string((*file)->group) + "/" + std::to_string((*file)->ordinal) + " " +
                  (*file)->source.str() + ">" + (*file)->target.str() + " " +
                  std::to_string((*file)->size) + " " + (*file)->etag + " " +
                  ((*file)->rows ? std::to_string(*(*file)->rows) : "?"));
  }
}

TEST(FileSpoolTest, GivesBackEveryFileWhateverItsKey) {
  test::RunDir dir;
  const auto path = dir.path() / "files-0.spool";
  auto writer = FileSpoolWriter::Create(path);
  ASSERT_TRUE(writer) << writer.error().Text();
  const std::vector<std::string> keys = {"a/b.csv", "a\tb\nc\\d\\t", "=", "-", "\\=", "ü/€ x.csv"};
  std::vector<std::string> expected;
  std::vector<std::uint64_t> offsets;
  for (const std::string& key : keys) {
    for (const std::string& target : {key, "to/" + key, std::string("=")}) {
      SpooledFile file = File(3, key, target);
      if (key == "=") file.rows = 0;
      const Result<std::uint64_t> offset = (*writer)->Append(file);
      ASSERT_TRUE(offset);
      offsets.push_back(*offset);
      expected.push_back("3/7 " + key + ">" + target + " 5000000000 0123abcd-2 " +
                         (key == "=" ? "0" : "?"));
    }
  }
  ASSERT_TRUE((*writer)->Close());
  EXPECT_EQ(Read(path), expected);
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    EXPECT_EQ(Read(path, offsets[i]),
              std::vector<std::string>(expected.begin() + static_cast<std::ptrdiff_t>(i),
                                       expected.end()));
  }
  EXPECT_EQ(test::ModeOf(path), 0600U);
}

TEST(FileSpoolTest, HoldsMoreThanItsBuffers) {
  test::RunDir dir;
  const auto path = dir.path() / "s";
  auto writer = FileSpoolWriter::Create(path);
  ASSERT_TRUE(writer);
  const std::string longest(1024, '\t');
  for (std::size_t i = 0; i < 2'000; ++i) {
    ASSERT_TRUE((*writer)->Append(File(i, longest, std::string(i % 900 + 1, 'k'))));
  }
  ASSERT_TRUE((*writer)->Close());
  const auto files = Read(path);
  ASSERT_EQ(files.size(), 2'000U);
  EXPECT_THAT(files[1'999], HasSubstr("1999/7 " + longest + ">" + std::string(200, 'k') + " "));
}

TEST(FileSpoolTest, DamageIsNamedByPathAndLine) {
  test::RunDir dir;
  const auto path = dir.path() / "s";
  for (const std::string line :
       {"", "1\t2\t3", "x\t0\t1\t-\te\ta\tb", "1\t0\t1\t?\te\ta\tb", "1\t0\t1\t-\te\ta\\x\tb",
        "1\t0\t1\t-\te\ta\tb\tc", "1\t4294967296\t1\t-\te\ta\tb", "1\t0\t1\t-\te\t\t="}) {
    test::Put(path, "0\t0\t1\t-\te\ta\tb\n" + line + "\n");
    const auto read = Read(path);
    ASSERT_EQ(read.size(), 2U) << line;
    EXPECT_THAT(read[1], HasSubstr(path.string() + " is damaged: line 2")) << line;
  }
  test::Put(path, "0\t0\t1\t-\te\ta");  // torn
  EXPECT_THAT(Read(path).back(), HasSubstr("damaged: line 1"));
  test::Put(path, std::string(300'000, 'x'));
  EXPECT_THAT(Read(path).back(), HasSubstr("damaged"));
}

TEST(FileSpoolTest, WhatCantBeOpenedIsNamed) {
  const auto missing = FileSpoolReader::Open("/nonexistent/s");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind, ErrorKind::kLocalIo);
  EXPECT_THAT(missing.error().message, HasSubstr("/nonexistent/s"));
  const auto made = FileSpoolWriter::Create("/nonexistent/s");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, ErrorKind::kLocalIo);
}

}  // namespace
}  // namespace tsm::run
