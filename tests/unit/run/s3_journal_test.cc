#include "tsm/run/s3_journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "fake_state_s3.h"
#include "support/client_bench.h"

namespace tsm::run {
namespace {

using test::ClientBench;
using test::FakeStateS3;
using test::Header;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kFirst[] = "state/journal/0000000001.json";

JournalHeader Header1() {
  return {.tool = "ts-unload", .run_id = "r1", .fingerprint = "f1", .plan = "db.t", .created = 1};
}

JournalEntry Entry(std::uint64_t sequence, const std::string& kind = "attempt") {
  return {.kind = kind,
          .fields = {{"slice", "s\"ü\n"}, {"sql", "SELECT 1"}},
          .sequence = sequence,
          .time = 1'708'968'278'000'000'001};
}

struct S3JournalTest : ::testing::Test {
  S3JournalTest() {
    bench.transport.SetHandler([this](const http::Request& request) { return s3.Handle(request); });
  }

  Result<FetchedJournal> Fetch() {
    seen.clear();
    return S3Journal::Fetch(client, bucket, "state/",
                            [this](const JournalEntry& entry) {
                              seen.push_back(entry.kind + std::to_string(entry.sequence));
                              return Ok();
                            },
                            {});
  }

  ClientBench bench;
  FakeStateS3 s3{bench.clock};
  s3::BucketName bucket = *s3::BucketName::Parse("bkt");
  s3::S3Client client{bench.client, aws::EndpointResolver(test::CustomEndpoint("127.0.0.1:4566")),
                      "eu-west-1"};
  S3Journal journal{client, bucket, "state/"};
  std::vector<std::string> seen;
};

TEST_F(S3JournalTest, AnEntryIsAnObjectOfItsOwn) {
  ASSERT_TRUE(journal.PutHeader(Header1(), {}));
  ASSERT_TRUE(journal.Put(Entry(1), {}));
  ASSERT_TRUE(journal.Put(Entry(1'234'567'890), {}));
  const auto objects = s3.objects();
  ASSERT_EQ(objects.size(), 3U);
  EXPECT_EQ(objects.at("state/journal/header.json").body, *ToJson(Header1()));
  EXPECT_EQ(objects.at(kFirst).body, *ToJson(Entry(1)));
  EXPECT_EQ(objects.count("state/journal/1234567890.json"), 1U);
  // One call each, which never overwrites.
  const auto requests = bench.transport.requests();
  ASSERT_EQ(requests.size(), 3U);
  for (const http::Request& request : requests) {
    EXPECT_EQ(Header(request, "if-none-match"), "*");
    EXPECT_EQ(Header(request, "content-type"), "application/json");
  }
}

TEST_F(S3JournalTest, WhatWasPutComesBackInOrderGapsAndPagesIncluded) {
  ASSERT_TRUE(journal.PutHeader(Header1(), {}));
  for (const std::uint64_t sequence : {1200U, 2U, 7U, 10U, 9U, 100U}) {
    ASSERT_TRUE(journal.Put(Entry(sequence, "k"), {}));
  }
  for (const std::size_t page : {1U, 2U, 1000U}) {
    s3.page_size = page;
    const auto fetched = Fetch();
    ASSERT_TRUE(fetched) << fetched.error().Text();
    EXPECT_THAT(seen, ElementsAre("k2", "k7", "k9", "k10", "k100", "k1200"));
    EXPECT_EQ(fetched->entries, 6U);
    EXPECT_EQ(fetched->last_sequence, 1200U);
    EXPECT_EQ(fetched->header.run_id, "r1");
    EXPECT_EQ(fetched->header.fingerprint, "f1");
  }
}

TEST_F(S3JournalTest, AnEntryComesBackWhole) {
  ASSERT_TRUE(journal.PutHeader(Header1(), {}));
  ASSERT_TRUE(journal.Put(Entry(3), {}));
  JournalEntry got;
  ASSERT_TRUE(S3Journal::Fetch(client, bucket, "state/",
                               [&](const JournalEntry& entry) {
                                 got = entry;
                                 return Ok();
                               },
                               {}));
  EXPECT_EQ(got.kind, "attempt");
  EXPECT_EQ(got.fields, Entry(3).fields);
  EXPECT_EQ(got.time, Entry(3).time);
  EXPECT_EQ(got.sequence, 3U);
}

TEST_F(S3JournalTest, ARunThatGoesOnElsewhereWritesAfterWhatIsThere) {
  ASSERT_TRUE(journal.PutHeader(Header1(), {}));
  ASSERT_TRUE(journal.Put(Entry(5), {}));
  // The local journal there begins with the one fetched entry.
  S3Journal elsewhere(client, bucket, "state/", 5 - 1);
  ASSERT_TRUE(elsewhere.PutHeader(Header1(), {}));
  ASSERT_TRUE(elsewhere.Put(Entry(2, "more"), {}));
  ASSERT_TRUE(Fetch());
  EXPECT_THAT(seen, ElementsAre("attempt5", "more6"));
}

TEST_F(S3JournalTest, AnEmptyJournalIsNotAMissingOne) {
  EXPECT_EQ(Fetch().error().kind, ErrorKind::kNotFound);
  ASSERT_TRUE(journal.Put(Entry(1), {}));
  EXPECT_EQ(Fetch().error().kind, ErrorKind::kNotFound);
  s3.Delete(kFirst);
  ASSERT_TRUE(journal.PutHeader(Header1(), {}));
  const auto fetched = Fetch();
  ASSERT_TRUE(fetched) << fetched.error().Text();
  EXPECT_EQ(fetched->entries, 0U);
  EXPECT_EQ(fetched->last_sequence, 0U);
}

TEST_F(S3JournalTest, AnotherWritersEntryStopsTheEffect) {
  s3.Put(kFirst, *ToJson(Entry(1, "other")));
  const Status put = journal.Put(Entry(1), {});
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().kind, ErrorKind::kInTheWay);
  EXPECT_THAT(put.error().Text(), HasSubstr("s3://bkt/state/journal/0000000001.json"));
  EXPECT_EQ(s3.objects().at(kFirst).body, *ToJson(Entry(1, "other")));
  // The same once more, by the process or by a lost answer, is no conflict.
  s3.Put(kFirst, *ToJson(Entry(1)));
  EXPECT_TRUE(journal.Put(Entry(1), {}));
}

TEST_F(S3JournalTest, ALostAnswerIsNoConflict) {
  int lost = 1;
  s3.after = [&](const http::Request&) -> std::optional<Result<http::Response>> {
    if (lost-- <= 0) return std::nullopt;
    return Result<http::Response>(MakeError(ErrorKind::kTransient, "connection reset"));
  };
  EXPECT_TRUE(journal.Put(Entry(1), {}));
  lost = 3;
  EXPECT_EQ(journal.Put(Entry(2), {}).error().kind, ErrorKind::kTransient);
  EXPECT_TRUE(journal.Put(Entry(2), {}));
}

TEST_F(S3JournalTest, AnotherRunsHeaderIsNamed) {
  ASSERT_TRUE(journal.PutHeader(Header1(), {}));
  EXPECT_TRUE(journal.PutHeader(Header1(), {}));
  JournalHeader other = Header1();
  other.run_id = "r2";
  const Status put = journal.PutHeader(other, {});
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().kind, ErrorKind::kInTheWay);
  EXPECT_THAT(put.error().Text(), AllOf(HasSubstr("run r1"), HasSubstr("'db.t'")));

  s3.Put("state/journal/header.json", "text");
  EXPECT_THAT(journal.PutHeader(other, {}).error().Text(), HasSubstr("is no journal of a run"));
}

TEST_F(S3JournalTest, WhatNoJournalHoldsIsNotPut) {
  EXPECT_EQ(journal.Put(Entry(0), {}).error().kind, ErrorKind::kInvalidInput);
  EXPECT_EQ(journal.Put(Entry(kMaxS3Sequence + 1), {}).error().kind, ErrorKind::kInvalidInput);
  EXPECT_EQ(journal.Put(Entry(1, ""), {}).error().kind, ErrorKind::kInvalidInput);
  EXPECT_EQ(journal.Put(Entry(1, "\xFF"), {}).error().kind, ErrorKind::kInvalidInput);
  EXPECT_EQ(S3Journal(client, bucket, "state/", UINT64_MAX).Put(Entry(3), {}).error().kind,
            ErrorKind::kInvalidInput);
  EXPECT_EQ(journal.PutHeader({}, {}).error().kind, ErrorKind::kInvalidInput);
  EXPECT_TRUE(bench.transport.requests().empty());
  EXPECT_TRUE(journal.Put(Entry(kMaxS3Sequence), {}));
}

TEST_F(S3JournalTest, DamageIsNamed) {
  ASSERT_TRUE(journal.PutHeader(Header1(), {}));
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"", "no journal entry"},
      {"{\"seq\":1", "no journal entry"},
      {*ToJson(Entry(2)), "this holds entry 2"},
      {std::string(kMaxJournalLine + 1, ' '), "bytes, a journal entry at most"},
  };
  for (const auto& [body, text] : bad) {
    s3.Put(kFirst, body);
    const auto fetched = Fetch();
    ASSERT_FALSE(fetched) << text;
    EXPECT_EQ(fetched.error().kind, ErrorKind::kBadReply);
    EXPECT_THAT(fetched.error().Text(),
                AllOf(HasSubstr(text), HasSubstr("state/journal/0000000001.json")));
    EXPECT_TRUE(seen.empty());
  }
  s3.Delete(kFirst);
  s3.Put("state/journal/header.json", "{}");
  EXPECT_EQ(Fetch().error().kind, ErrorKind::kBadReply);
}

TEST_F(S3JournalTest, AnEntryThatGoesBeforeItIsReadIsAnError) {
  ASSERT_TRUE(journal.PutHeader(Header1(), {}));
  ASSERT_TRUE(journal.Put(Entry(1), {}));
  s3.before = [&](const http::Request& request) -> std::optional<Result<http::Response>> {
    if (!request.path.ends_with("1.json")) return std::nullopt;
    return Result<http::Response>(FakeStateS3::Refuse(404, "NoSuchKey"));
  };
  const auto fetched = Fetch();
  ASSERT_FALSE(fetched);
  EXPECT_THAT(fetched.error().Text(), HasSubstr("0000000001.json"));
}

TEST_F(S3JournalTest, OtherNamesAreLeftAlone) {
  ASSERT_TRUE(journal.PutHeader(Header1(), {}));
  ASSERT_TRUE(journal.Put(Entry(1), {}));
  for (const char* name : {"", "1.json", "0000000000.json", "00000000001.json", "000000000a.json",
                           "0000000002.json.bak", "-000000002.json", "0000000003.jsom"}) {
    s3.Put(std::string("state/journal/") + name, "text");
  }
  const auto fetched = Fetch();
  ASSERT_TRUE(fetched) << fetched.error().Text();
  EXPECT_THAT(seen, ElementsAre("attempt1"));
}

TEST_F(S3JournalTest, TheVisitorsErrorEndsIt) {
  ASSERT_TRUE(journal.PutHeader(Header1(), {}));
  for (const std::uint64_t sequence : {1U, 2U, 3U}) ASSERT_TRUE(journal.Put(Entry(sequence), {}));
  int shown = 0;
  const auto fetched = S3Journal::Fetch(client, bucket, "state/",
                                        [&](const JournalEntry&) -> Status {
                                          if (++shown == 2)
                                            return MakeError(ErrorKind::kValidation, "enough");
                                          return Ok();
                                        },
                                        {});
  ASSERT_FALSE(fetched);
  EXPECT_EQ(shown, 2);
  EXPECT_EQ(fetched.error().kind, ErrorKind::kValidation);
  EXPECT_THAT(fetched.error().Text(), HasSubstr("0000000002.json: enough"));
}

TEST_F(S3JournalTest, ManyThreadsPutAtOnce) {
  ASSERT_TRUE(journal.PutHeader(Header1(), {}));
  std::atomic<int> failed = 0;
  {
    std::vector<std::jthread> writers;
    writers.reserve(8);
    for (std::uint64_t i = 0; i < 8; ++i) {
      writers.emplace_back([this, i, &failed] {
        for (std::uint64_t k = 1; k <= 20; ++k) {
          if (!journal.Put(Entry(i * 20 + k), {})) ++failed;
        }
      });
    }
  }
  EXPECT_EQ(failed, 0);
  const auto fetched = Fetch();
  ASSERT_TRUE(fetched) << fetched.error().Text();
  EXPECT_EQ(fetched->entries, 160U);
  EXPECT_EQ(fetched->last_sequence, 160U);
}

}  // namespace
}  // namespace tsm::run
