#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "verify/content_bench.h"

namespace tsm::test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(VerifyContentTest, TheSameRowsAreEqualInEveryFact) {
  ContentBench bench;
  bench.WriteContent();
  const auto verdict = bench.Verify();
  ASSERT_TRUE(verdict) << verdict.error().Text();
  EXPECT_THAT(verdict->differences, IsEmpty());
  EXPECT_EQ(verdict->different, 0U);
  EXPECT_THAT(verdict->not_compared, IsEmpty());
  EXPECT_EQ(verdict->partitions, 4U);
  // Per day: rows; two texts of 4; time and seen of 5; temperature 4; visits 5; open 2.
  EXPECT_EQ(verdict->facts, 4U * (1 + 8 + 10 + 4 + 5 + 2));
  EXPECT_FALSE(verdict->waited_out);
  EXPECT_EQ(bench.sink.progress.back().done, 2U);
  EXPECT_EQ(bench.sink.progress.back().rows_done, 40U);
}

TEST(VerifyContentTest, EachChangedValueIsADifference) {
  const auto changed = [](std::size_t row, const std::string& column, const std::string& value) {
    ContentBench bench;
    bench.WriteContent();
    bench.Rows().rows[row].values[column] = value;
    const auto verdict = bench.Verify();
    EXPECT_TRUE(verdict);
    EXPECT_EQ(verdict->different, verdict->differences.size());
    return verdict->differences;
  };
  EXPECT_THAT(changed(2, "temperature", "2.75"),
              ElementsAre("2024-02-26 temperature sum: 37 unloaded, 37.5 now"));
  EXPECT_THAT(changed(10, "temperature", "-1.5"),
              ElementsAre("2024-02-27 temperature min: 10.25 unloaded, -1.5 now",
                          AllOf(HasSubstr("2024-02-27 temperature sum:"))));
  EXPECT_THAT(changed(39, "visits", "1"), SizeIs(3));  // was null: count, min or max, remainder
  EXPECT_THAT(changed(5, "city", "Molde"),
              ElementsAre(HasSubstr("2024-02-26 city length: 50 unloaded, 49 now")));
  EXPECT_THAT(changed(5, "city", "Zürich"), SizeIs(2));
  EXPECT_THAT(changed(0, "open", "false"), ElementsAre("2024-02-26 open true: 4 unloaded, 3 now"));
  const UnixNanos seen = kFebruary26 + 5 * (kDay / 10) + 123 + 8;
  EXPECT_THAT(changed(5, "seen", FormatTimestamp(seen)),
              ElementsAre("2024-02-26 seen nanos: 1300 unloaded, 1301 now"));
  EXPECT_THAT(changed(30, "measure_name", "climate"), SizeIs(1));
}

TEST(VerifyContentTest, RowsOfOtherTimesAndMissingPartitionsAreDifferences) {
  ContentBench bench;
  bench.WriteContent();
  bench.request.wait = std::chrono::seconds(0);
  std::erase_if(bench.Rows().rows, [](const FakeRow& row) {
    return row.time >= kFebruary26 + kDay && row.time < kFebruary26 + 2 * kDay;
  });
  const auto verdict = bench.Verify();
  ASSERT_TRUE(verdict) << verdict.error().Text();
  EXPECT_THAT(verdict->differences, ElementsAre("2024-02-27 rows: 10 unloaded, 0 now"));
  EXPECT_TRUE(verdict->waited_out);
  // The other way round.
  ContentBench empty;
  std::erase_if(empty.Source().rows,
                [](const FakeRow& row) { return row.time < kFebruary26 + 2 * kDay; });
  empty.WriteContent();
  EXPECT_THAT(empty.Verify()->differences, ElementsAre("2024-02-26 rows: 0 unloaded, 10 now",
                                                       "2024-02-27 rows: 0 unloaded, 10 now"));
  EXPECT_EQ(empty.Slept().count(), 0);
}

TEST(VerifyContentTest, RowsThatAreSeenLateAreWaitedFor) {
  ContentBench bench;
  bench.WriteContent();
  for (std::size_t i = 33; i < 40; ++i) {
    bench.Rows().rows[i].seen_from = bench.Now() + 3 * 3600 * kSecond;
  }
  const auto verdict = bench.Verify();
  ASSERT_TRUE(verdict) << verdict.error().Text();
  EXPECT_THAT(verdict->differences, IsEmpty());
  EXPECT_FALSE(verdict->waited_out);
  EXPECT_GE(bench.Slept(), std::chrono::hours(3));
  EXPECT_LE(bench.Slept(), std::chrono::hours(3) + std::chrono::minutes(10));
}

TEST(VerifyContentTest, OnlyTheFirstHundredDifferencesAreKept) {
  ContentBench bench;
  bench.WriteContent();
  bench.request.wait = std::chrono::seconds(0);
  bench.Rows().rows.erase(bench.Rows().rows.begin(), bench.Rows().rows.begin() + 5);
  for (FakeRow& row : bench.Rows().rows) {
    for (auto& [name, value] : row.values) {
      if (name == "city" || name == "measure_name") value = "q" + value;
    }
    row.values.erase("visits");
    row.values.erase("temperature");
    row.values.erase("seen");
    row.values.erase("open");
    row.time += 1000;
  }
  const auto verdict = bench.Verify();
  ASSERT_TRUE(verdict);
  EXPECT_THAT(verdict->differences, SizeIs(100));
  EXPECT_GT(verdict->different, 100U);
}

TEST(VerifyContentTest, RenamedColumnsAreComparedUnderTheirNewNames) {
  ContentBench bench;
  bench.WriteContent();
  bench.Rename("city", "place");
  bench.Rename("temperature", "temp");
  bench.Rename("seen", "last");
  bench.request.model.dimensions[0].destination_column = "place";
  bench.request.model.multi->attributes[0].target_name = "temp";
  bench.request.model.multi->attributes[3].target_name = "last";
  auto verdict = bench.Verify();
  ASSERT_TRUE(verdict) << verdict.error().Text();
  EXPECT_THAT(verdict->differences, IsEmpty());
  EXPECT_THAT(verdict->not_compared, IsEmpty());
  bench.Rows().rows[0].values["temp"] = "77";
  verdict = bench.Verify();
  ASSERT_TRUE(verdict);
  EXPECT_THAT(verdict->differences,
              ElementsAre(HasSubstr("2024-02-26 temperature (loaded as temp) max: 9.25"),
                          HasSubstr("(loaded as temp) min: "), HasSubstr("(loaded as temp) sum")));
}

TEST(VerifyContentTest, DroppedAndRetypedColumnsAreSaid) {
  ContentBench bench;
  bench.WriteContent();
  bench.Drop("open");
  bench.Retype("visits", "varchar");
  bench.request.model.multi->attributes.erase(bench.request.model.multi->attributes.begin() + 2);
  auto verdict = bench.Verify();
  ASSERT_TRUE(verdict) << verdict.error().Text();
  EXPECT_THAT(verdict->differences, IsEmpty());
  EXPECT_THAT(verdict->not_compared,
              ElementsAre("visits: it is bigint in the source and varchar in the target, so that "
                          "its values are only counted",
                          "open: the data model does not load it"));
  bench.Rows().rows[0].values.erase("visits");
  verdict = bench.Verify();
  ASSERT_TRUE(verdict);
  EXPECT_THAT(verdict->differences, ElementsAre("2024-02-26 visits count: 8 unloaded, 7 now"));
}

TEST(VerifyContentTest, AColumnThatTheTargetLacksHadNoValues) {
  ContentBench bench;
  for (FakeRow& row : bench.Source().rows) row.values.erase("visits");
  bench.WriteContent();
  bench.Drop("visits");
  auto verdict = bench.Verify();
  ASSERT_TRUE(verdict) << verdict.error().Text();
  EXPECT_THAT(verdict->differences, IsEmpty());
  bench.Source().rows[30].values["visits"] = "1";
  bench.WriteContent();
  verdict = bench.Verify();
  ASSERT_TRUE(verdict);
  EXPECT_THAT(verdict->differences,
              ElementsAre("2024-02-29 visits count: 1 unloaded, the target has no such column"));
}

TEST(VerifyContentTest, APartitionInTwoSlicesIsComparedInItsParts) {
  ContentBench bench;
  const UnixNanos noon = kFebruary26 + kDay / 2;
  bench.request.record.slices.clear();
  bench.AddSlice("0001", kFebruary26, noon);
  // The second was unloaded in halves, and its content was asked for as it was planned.
  bench.AddSlice("0002a", noon, kFebruary26 + 3 * kDay);
  bench.AddSlice("0002b", kFebruary26 + 3 * kDay, kFebruary26 + 4 * kDay);
  bench.WriteSlice("0001", kFebruary26, noon);
  bench.WriteSlice("0002", noon, kFebruary26 + 4 * kDay);
  auto verdict = bench.Verify();
  ASSERT_TRUE(verdict) << verdict.error().Text();
  EXPECT_THAT(verdict->differences, IsEmpty());
  EXPECT_EQ(verdict->partitions, 4U);
  bench.Rows().rows[7].values["open"] = "true";
  verdict = bench.Verify();
  ASSERT_TRUE(verdict);
  EXPECT_THAT(verdict->differences, ElementsAre("2024-02-26 open true: 2 unloaded, 3 now"));
}

TEST(VerifyContentTest, ManyColumnsAreAskedInSeveralQuestions) {
  ContentBench bench;
  for (FakeRows* rows : {&bench.Source(), &bench.Rows()}) {
    for (int i = 0; i < 250; ++i) {
      const std::string name = "m" + std::to_string(i);
      rows->columns.push_back({name, "bigint", timestream::ColumnRole::kMulti});
      for (FakeRow& row : rows->rows) row.values[name] = std::to_string(i);
    }
  }
  bench.request.record.schema.columns = bench.Source().columns;
  for (int i = 0; i < 250; ++i) {
    bench.request.model.multi->attributes.push_back({"m" + std::to_string(i), "", {}});
  }
  bench.WriteContent();
  auto verdict = bench.Verify();
  ASSERT_TRUE(verdict) << verdict.error().Text();
  EXPECT_THAT(verdict->differences, IsEmpty());
  EXPECT_EQ(verdict->facts, 4U * (1 + 8 + 10 + 4 + 5 + 2 + 5 * 250));
  bench.Rows().rows[12].values["m249"] = "250";
  verdict = bench.Verify();
  ASSERT_TRUE(verdict);
  EXPECT_THAT(verdict->differences, ElementsAre("2024-02-27 m249 max: 249 unloaded, 250 now",
                                                HasSubstr("m249 remainder")));
}

TEST(VerifyContentTest, AnotherOrderOfAdditionsIsNoDifference) {
  ContentBench bench;
  const auto fill = [&](FakeRows& rows) {
    for (int i = 0; i < 2000; ++i) {
      FakeRow row;
      row.time = kFebruary26 + 5000 + i;
      row.values = {{"city", "Oslo"}, {"measure_name", "weather"}};
      row.values["temperature"] = std::to_string(0.1 * (i % 7) + 1e6 * (i % 2));
      rows.rows.push_back(row);
    }
  };
  fill(bench.Source());
  fill(bench.Rows());
  bench.WriteContent();
  std::sort(bench.Rows().rows.begin(), bench.Rows().rows.end(), [](const auto& a, const auto& b) {
    const auto of = [](const FakeRow& row) {
      const auto found = row.values.find("temperature");
      return found == row.values.end() ? 0.0 : std::stod(found->second);
    };
    return of(a) > of(b);
  });
  const auto verdict = bench.Verify();
  ASSERT_TRUE(verdict) << verdict.error().Text();
  EXPECT_THAT(verdict->differences, IsEmpty());
}

TEST(VerifyContentTest, AnUnloadWithoutAggregatesIsNamed) {
  ContentBench bench;
  bench.request.record.content_prefix.clear();
  const auto refused = bench.Verify();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalidInput);
  EXPECT_THAT(refused.error().Text(), AllOf(HasSubstr("db.source"), HasSubstr("--verify content"),
                                            HasSubstr("--verify count")));
}

TEST(VerifyContentTest, AnObjectThatIsGoneOrDamagedIsNamed) {
  ContentBench bench;
  bench.WriteSlice("0001", kFebruary26, kFebruary26 + 2 * kDay);
  auto verdict = bench.Verify();
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(verdict.error().Text(),
              AllOf(HasSubstr("slice 0002"), HasSubstr("s3://bkt/unload/tsm-content-r1/0002.jsonl"),
                    HasSubstr("--verify content")));
  bench.service.behind.Put("bkt", "unload/tsm-content-r1/0002.jsonl", "{\"partition\":\"2024");
  verdict = bench.Verify();
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().kind, ErrorKind::kBadReply);
  EXPECT_THAT(verdict.error().Text(), AllOf(HasSubstr("slice 0002"), HasSubstr("line 1")));
}

TEST(VerifyContentTest, ThrottlesOfEitherServiceAreWaitedOut) {
  ContentBench bench;
  bench.WriteContent();
  int refusals = 0;
  bench.clients.transport.before = [&](const FakeCall& call) -> std::optional<Interference> {
    if (++refusals > 40) return std::nullopt;
    if (call.name == "GetObject") return Interference::Of("SlowDown", "slow down", 503);
    return Interference::Throttle();
  };
  const auto verdict = bench.Verify();
  ASSERT_TRUE(verdict) << verdict.error().Text();
  EXPECT_THAT(verdict->differences, IsEmpty());
}

TEST(VerifyContentTest, AStopEndsIt) {
  ContentBench bench;
  bench.WriteContent();
  bench.Rows().rows.pop_back();
  bench.sink.on_notice = [&](const Notice&) { bench.stop.request_stop(); };
  const auto verdict = bench.Verify();
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().kind, ErrorKind::kCancelled);
}

}  // namespace
}  // namespace tsm::test
