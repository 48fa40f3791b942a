// Copies through this machine: two principals, and gzip files inflated on the way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "copy/copy_world.h"

namespace tsm::test {
namespace {

using copy::CopySummary;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::size_t kMiB = 1024 * 1024;

std::string Gzip(const std::string& plain) {
  z_stream stream = {};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string packed(deflateBound(&stream, static_cast<uLong>(plain.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string Rows(std::size_t rows, std::size_t from = 0) {
  std::string text;
  for (std::size_t i = from; i < from + rows; ++i) {
    text += "device-" + std::to_string(i) + "," + std::to_string(i * 7919 % 10007) + "\n";
  }
  return text;
}

// Of at least so many bytes, which pack well.
std::string ManyRows(std::size_t bytes, std::uint64_t* rows) {
  const std::string filling(200, '.');
  std::string text;
  text.reserve(bytes + 1000);
  for (*rows = 0; text.size() < bytes; ++*rows)
    text += std::to_string(*rows) + "," + filling + "\n";
  return text;
}

struct CopyStreamTest : ::testing::Test {
  CopyStreamTest() { world.options.streamed = true; }
  CopyWorld world;
};

TEST_F(CopyStreamTest, BytesAndMetadataArriveByTwoPrincipals) {
  const std::string etag = world.s3.Put(
      "src", "a.csv", "x,y\n1,2\n",
      {{"Content-Type", "text/csv"}, {"x-amz-meta-origin", "unload"}, {"content-encoding", "br"}});
  world.AddListed("a.csv", 8, etag);
  world.Add("empty.csv", "");
  world.AddMany(30);
  ASSERT_EQ(WhyNotAll(world.Run(), world), "");
  const StoredObject copy = *world.s3.Get("dst", "to/a.csv");
  EXPECT_EQ(copy.body, "x,y\n1,2\n");
  EXPECT_EQ(copy.etag, etag);
  EXPECT_EQ(http::FindHeader(copy.headers, "content-type"), "text/csv");
  EXPECT_EQ(http::FindHeader(copy.headers, "x-amz-meta-origin"), "unload");
  EXPECT_EQ(http::FindHeader(copy.headers, "content-encoding"), "br");
  EXPECT_EQ(world.Body("to/empty.csv"), "");
  EXPECT_EQ(world.Body("to/f0029.csv"), "body 0029");
  EXPECT_EQ(world.s3.calls(), 64U);
  EXPECT_LE(world.s3.most_at_once(), 4U);
  for (const http::Request& read : world.s3.Requests("GetObject")) {
    EXPECT_THAT(Header(read, "authorization"), HasSubstr("AKIDSOURCE"));
    EXPECT_NE(Header(read, "if-match"), "");
  }
  for (const http::Request& put : world.s3.Requests("PutObject")) {
    EXPECT_THAT(Header(put, "authorization"), HasSubstr("AKIDTARGET"));
  }
}

TEST_F(CopyStreamTest, ALargeFileGoesInPartsOfAllWorkers) {
  std::string body;
  for (std::size_t i = 0; body.size() < 23 * kMiB; ++i) body += std::to_string(i) + ";";
  world.Add("large", body);
  world.options.stream_part_bytes = 5 * kMiB;
  world.s3.call_time = std::chrono::milliseconds(10);
  ASSERT_EQ(WhyNotAll(world.Run(), world), "");
  EXPECT_TRUE(world.Body("to/large") == body);
  EXPECT_EQ(world.s3.Count("UploadPart"), 5U);
  EXPECT_EQ(world.s3.most_at_once(), 4U);
  EXPECT_THAT(world.book.open, IsEmpty());
}

TEST_F(CopyStreamTest, EachSideNamesItsOwnPermission) {
  world.Add("a", "a");
  world.Add("b", "b");
  world.s3.before = [](const CopyS3Call& call) -> std::optional<http::Response> {
    if (call.name == "GetObject" && call.key == "a") {
      return FakeCopyS3::Refusal(403, "AccessDenied");
    }
    if (call.name == "PutObject" && call.key == "to/b") {
      return FakeCopyS3::Refusal(403, "AccessDenied");
    }
    return std::nullopt;
  };
  const CopySummary summary = world.Run();
  ASSERT_THAT(summary.failures, SizeIs(2));
  for (const auto& failure : summary.failures) {
    const bool reads = failure.file.source.str() == "a";
    const std::string text = failure.error.Text();
    EXPECT_EQ(text.find("s3:GetObject on s3://src/a") != std::string::npos, reads) << text;
    EXPECT_EQ(text.find("s3:PutObject on s3://dst/to/b") != std::string::npos, !reads) << text;
  }
}

TEST_F(CopyStreamTest, AChangedOrDamagedFileIsNoCopy) {
  world.Add("changed", "first");
  world.s3.Put("src", "changed", "other");
  world.Add("damaged", "whole");
  world.s3.after = [](const CopyS3Call& call) -> std::optional<http::Response> {
    if (call.name != "GetObject" || call.key != "damaged") return std::nullopt;
    return http::Response{.status = 200, .headers = {{"ETag", "\"e\""}}, .body = "whale"};
  };
  const CopySummary summary = world.Run();
  ASSERT_THAT(summary.failures, SizeIs(2));
  for (const auto& failure : summary.failures) {
    EXPECT_THAT(failure.error.Text(),
                HasSubstr(failure.file.source.str() == "changed" ? "written anew since"
                                                                 : "their bytes differ"));
  }
}

struct InflateTest : ::testing::Test {
  InflateTest() { world.options.inflate = true; }

  run::SpooledFile& AddGzip(const std::string& key, const std::string& packed,
                            std::optional<std::uint64_t> rows = std::nullopt) {
    run::SpooledFile& file = world.Add(key, packed);
    file.rows = rows;
    return file;
  }
  std::string OnlyFailure(const CopySummary& summary, ErrorKind kind = ErrorKind::kProof) {
    if (summary.failures.size() != 1) return "failures: " + std::to_string(summary.failed);
    EXPECT_EQ(summary.failures[0].error.kind, kind);
    return summary.failures[0].error.Text();
  }
  CopyWorld world;
};

TEST_F(InflateTest, ASmallFileBecomesOneObject) {
  const std::string plain = "device,value\n" + Rows(1000);
  AddGzip("p=1/x.csv.gz", Gzip(plain), 1000);
  AddGzip("p=1/y.gz", Gzip("device,value\n" + Rows(3)));
  const CopySummary summary = world.Run();
  ASSERT_EQ(WhyNotAll(summary, world), "");
  EXPECT_THAT(world.s3.Keys("dst"), ElementsAre("to/p=1/x-0001.csv", "to/p=1/y-0001.csv"));
  EXPECT_TRUE(world.Body("to/p=1/x-0001.csv") == plain);
  const StoredObject object = *world.s3.Get("dst", "to/p=1/x-0001.csv");
  EXPECT_EQ(http::FindHeader(object.headers, "content-type"), "text/csv");
  EXPECT_EQ(world.s3.Count("PutObject"), 2U);
  const copy::CopiedFile& x = world.book.copied.at("to/p=1/x.csv.gz");
  EXPECT_EQ(x.objects, 1U);
  EXPECT_EQ(x.bytes, plain.size());
  EXPECT_EQ(x.rows, 1000U);
  EXPECT_EQ(world.book.copied.at("to/p=1/y.gz").rows, 3U);
}

TEST_F(InflateTest, SeveralMembersAreOneFile) {
  const std::string plain = "device,value\n" + Rows(2000);
  AddGzip("x.gz", Gzip(plain.substr(0, 777)) + Gzip("") + Gzip(plain.substr(777)), 2000);
  ASSERT_EQ(WhyNotAll(world.Run(), world), "");
  EXPECT_TRUE(world.Body("to/x-0001.csv") == plain);
}

TEST_F(InflateTest, ObjectsEndWithARecordAndBeginWithTheHeader) {
  const std::string header = "device,\"va\nlue\"\n";
  std::vector<std::string> records;
  for (int i = 0; i < 400; ++i) {
    const std::string n = std::to_string(i);
    records.push_back(n + ",plain\n");
    records.push_back(n + ",\"a line\nand another, \"\"quoted\"\"\"\n");
    records.push_back(n + ",\"escaped \\\"\nquote\\\\\"\n");
    records.push_back(n + ",\\\"\n");
  }
  std::string plain = header;
  for (const std::string& record : records) plain += record;
  AddGzip("x.csv.gz", Gzip(plain), records.size());
  world.options.inflated_file_bytes = 500;
  const CopySummary summary = world.Run();
  ASSERT_EQ(WhyNotAll(summary, world), "");
  const copy::CopiedFile copied = world.book.copied.at("to/x.csv.gz");
  EXPECT_GT(copied.objects, 30U);
  EXPECT_EQ(copied.rows, records.size());
  std::string joined = header;
  std::uint64_t bytes = 0;
  std::size_t record = 0;
  for (std::uint32_t i = 0; i < copied.objects; ++i) {
    const std::string body = world.Body(copy::InflatedKey(s3::ObjectKey("to/x.csv.gz"), i).str());
    EXPECT_LE(body.size(), 500U);
    ASSERT_TRUE(body.starts_with(header)) << i;
    bytes += body.size();
    // Whole records and nothing else.
    std::string_view rest = std::string_view(body).substr(header.size());
    while (!rest.empty()) {
      ASSERT_TRUE(rest.starts_with(records[record])) << i << ": " << rest;
      rest.remove_prefix(records[record++].size());
    }
    joined += body.substr(header.size());
  }
  EXPECT_EQ(joined, plain);
  EXPECT_EQ(copied.bytes, bytes);
}

TEST_F(InflateTest, DoubledQuotesAloneWhereTheEscapeIsTheQuote) {
  AddGzip("x.gz", Gzip("a,b\n1,\"ends in \\\"\n2,\"\"\"\n\"\n"), 2);
  world.options.csv_escape = '"';
  ASSERT_EQ(WhyNotAll(world.Run(), world), "");
}

TEST_F(InflateTest, ALargeFileIsUploadedInPartsAndSplit) {
  std::uint64_t rows = 0;
  const std::string plain = "device,value\n" + ManyRows(40 * kMiB, &rows);
  AddGzip("x.csv.gz", Gzip(plain), rows);
  world.options.inflated_file_bytes = 25 * kMiB;
  world.options.stream_part_bytes = 6 * kMiB;
  ASSERT_EQ(WhyNotAll(world.Run(), world), "");
  const copy::CopiedFile copied = world.book.copied.at("to/x.csv.gz");
  EXPECT_EQ(copied.objects, 2U);
  EXPECT_EQ(copied.rows, rows);
  EXPECT_TRUE(world.Body("to/x-0001.csv") + world.Body("to/x-0002.csv").substr(13) == plain);
  EXPECT_LE(world.Body("to/x-0001.csv").size(), 25 * kMiB);
  EXPECT_GE(world.s3.Count("UploadPart"), 7U);
  EXPECT_THAT(world.book.started, SizeIs(2));
  EXPECT_THAT(world.book.open, IsEmpty());
}

TEST_F(InflateTest, ThrottlingInTheMiddleDoesNotBeginAnew) {
  std::uint64_t rows = 0;
  const std::string plain = "device,value\n" + ManyRows(12 * kMiB, &rows);
  AddGzip("x.gz", Gzip(plain), rows);
  world.options.stream_part_bytes = 5 * kMiB;
  std::atomic<int> refused{0};
  world.s3.before = [&](const CopyS3Call& call) -> std::optional<http::Response> {
    if (call.name != "UploadPart" || call.part != 2 || ++refused > 5) return std::nullopt;
    return FakeCopyS3::SlowDown();
  };
  ASSERT_EQ(WhyNotAll(world.Run(), world), "");
  EXPECT_EQ(refused, 6);
  EXPECT_EQ(world.s3.Count("CreateMultipartUpload"), 1U);
  EXPECT_TRUE(world.Body("to/x-0001.csv") == plain);
}

TEST_F(InflateTest, ACutOffFileIsNoProof) {
  const std::string packed = Gzip("device,value\n" + Rows(5000));
  AddGzip("x.gz", packed.substr(0, packed.size() - 4));
  EXPECT_THAT(OnlyFailure(world.Run()),
              AllOf(HasSubstr("inflating s3://src/x.gz"), HasSubstr("ends before it is whole")));
  EXPECT_THAT(world.s3.Keys("dst"), IsEmpty());
}

TEST_F(InflateTest, ADamagedFileFailsAlone) {
  std::string packed = Gzip("device,value\n" + Rows(5000));
  packed[packed.size() / 2] = static_cast<char>(packed[packed.size() / 2] ^ 0x55);
  AddGzip("bad.gz", packed);
  AddGzip("good.gz", Gzip("a\n1\n"), 1);
  const CopySummary summary = world.Run();
  EXPECT_EQ(summary.files, 1U);
  EXPECT_THAT(OnlyFailure(summary),
              AllOf(HasSubstr("s3://src/bad.gz"), HasSubstr("no whole gzip file")));
}

TEST_F(InflateTest, WhatIsNoGzipAtAllOrHasSomethingBehindIsRefused) {
  AddGzip("plain.gz", "device,value\n1,2\n");
  EXPECT_THAT(OnlyFailure(world.Run()), HasSubstr("no whole gzip file"));
  CopyWorld behind;
  behind.options.inflate = true;
  behind.Add("x.gz", Gzip("a\n1\n") + "trailing");
  EXPECT_THAT(OnlyFailure(behind.Run()), HasSubstr("no whole gzip file"));
  CopyWorld empty;
  empty.options.inflate = true;
  empty.Add("x.gz", "");
  EXPECT_THAT(OnlyFailure(empty.Run()), HasSubstr("ends before it is whole"));
}

TEST_F(InflateTest, AnotherNumberOfRowsThanTheManifestsIsNoCopy) {
  AddGzip("x.gz", Gzip("device,value\n" + Rows(1000)), 1001);
  EXPECT_THAT(OnlyFailure(world.Run()),
              HasSubstr("the file has 1,000 rows, by its manifest 1,001"));
  EXPECT_THAT(world.s3.Keys("dst"), IsEmpty());
}

TEST_F(InflateTest, AFailureAbortsTheUploadThatIsOpen) {
  std::uint64_t rows = 0;
  AddGzip("x.gz", Gzip("device,value\n" + ManyRows(12 * kMiB, &rows)), 7);
  world.options.stream_part_bytes = 5 * kMiB;
  OnlyFailure(world.Run());
  EXPECT_THAT(world.book.started, SizeIs(1));
  EXPECT_THAT(world.book.open, IsEmpty());
  EXPECT_THAT(world.s3.open_uploads(), IsEmpty());
}

TEST_F(InflateTest, AQuoteThatDoesNotCloseIsTold) {
  AddGzip("x.gz", Gzip("a,b\n1,\"never closed\n2,3\n"));
  EXPECT_THAT(OnlyFailure(world.Run()), HasSubstr("ends inside quotes"));
}

TEST_F(InflateTest, BlankLinesAreNoRowsAndTheLastLineNeedsNoEnd) {
  AddGzip("x.gz", Gzip("a,b\n1,2\n\n\r\n3,4"), 2);
  ASSERT_EQ(WhyNotAll(world.Run(), world), "");
  EXPECT_EQ(world.Body("to/x-0001.csv"), "a,b\n1,2\n\n\r\n3,4");
}

}  // namespace
}  // namespace tsm::test
