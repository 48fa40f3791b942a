// A run's report as JSON and as a page. What a browser makes of the page is judged by
// tests/interop/test_report_page.py.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tsm/run/report_page.h"
#include "tsm/run/run_report.h"

namespace tsm::run {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr UnixNanos kSecond = 1'000'000'000;
constexpr UnixNanos kBegin = 1'708'968'278 * kSecond;  // 2024-02-26 17:24:38

ReportAttempt Attempt(UnixNanos begin, UnixNanos end, std::string outcome = "done") {
  return {kBegin + begin * kSecond, kBegin + end * kSecond, std::move(outcome), ""};
}

ReportUnit Unit(std::string label, std::vector<ReportAttempt> attempts) {
  ReportUnit unit{"db.t", std::move(label), "a - b", "pending", 7, 1'500, 2, std::move(attempts)};
  if (!unit.attempts.empty()) unit.state = unit.attempts.back().outcome;
  return unit;
}

RunReport Report(std::vector<ReportUnit> units) {
  RunReport report;
  report.tool = "ts-unload";
  report.unit_name = "slice";
  report.tool_version = "0.1.0";
  report.run_id = "r-1";
  report.title = "db.t to s3://b/p";
  report.state = "done";
  report.started = kBegin;
  report.finished = kBegin + 100 * kSecond;
  report.written = *report.finished;
  report.units = std::move(units);
  return report;
}

std::string PageOf(const RunReport& report) {
  std::string page;
  WriteReportPage(report, [&](std::string_view piece) { page += piece; });
  return page;
}

std::size_t Count(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(RunReportJson, HoldsAllOfTheReport) {
  RunReport report = Report({Unit("s1", {Attempt(1, 9, "failed"), Attempt(10, 20)})});
  report.units[0].attempts[0].note = "why";
  report.facts = {{"Region", "eu-west-1"}, {"Account", "1"}};
  report.troubles = {"slice s1 failed once"};
  report.next_command = "ts-unload resume r-1";
  const json out = json::parse(ToJson(report));
  EXPECT_EQ(out["schema_version"], 1);
  EXPECT_EQ(out["run_id"], "r-1");
  EXPECT_EQ(out["started"], "2024-02-26T17:24:38.000Z");
  EXPECT_EQ(out["finished"], "2024-02-26T17:26:18.000Z");
  EXPECT_EQ(out["unit_name"], "slice");
  EXPECT_EQ(out["facts"][0], (json{{"name", "Region"}, {"value", "eu-west-1"}}));
  EXPECT_EQ(out["facts"].size(), 2U);
  EXPECT_EQ(out["troubles"], json::array({"slice s1 failed once"}));
  EXPECT_EQ(out["next_command"], "ts-unload resume r-1");
  const json& unit = out["units"].at(0);
  EXPECT_EQ(unit["lane"], "db.t");
  EXPECT_EQ(unit["rows"], 7);
  EXPECT_EQ(unit["bytes"], 1'500);
  EXPECT_EQ(unit["files"], 2);
  EXPECT_EQ(unit["attempts"][0]["outcome"], "failed");
  EXPECT_EQ(unit["attempts"][0]["note"], "why");
  EXPECT_EQ(unit["attempts"][1]["end"], "2024-02-26T17:24:58.000Z");
}

TEST(RunReportJson, WhatHasNoEndIsNullAndWhatIsNoTextIsMarked) {
  RunReport report = Report({Unit("s1", {Attempt(1, 2, "running")})});
  report.units[0].attempts[0].end.reset();
  report.finished.reset();
  report.title = "a\xff";
  const json out = json::parse(ToJson(report));
  EXPECT_TRUE(out["finished"].is_null());
  EXPECT_TRUE(out["units"][0]["attempts"][0]["end"].is_null());
  EXPECT_EQ(out["title"], "a\uFFFD");
}

TEST(ReportPage, EveryUnitIsARowAndEveryAttemptABar) {
  const std::string page =
      PageOf(Report({Unit("s1", {Attempt(0, 50)}),
                     Unit("s2", {Attempt(1, 2, "failed"), Attempt(3, 100)}), Unit("s3", {})}));
  EXPECT_EQ(Count(page, "<tr id=\"u"), 3U);
  EXPECT_EQ(Count(page, "<a class=\"bar "), 3U);
  EXPECT_EQ(Count(page, "<a class=\"bar failed"), 1U);
  EXPECT_THAT(page, HasSubstr("href=\"#u1\""));
  EXPECT_THAT(page, HasSubstr("left:0.000%;width:50.000%"));
  EXPECT_THAT(page, HasSubstr("left:3.000%;width:97.000%"));
  EXPECT_THAT(page, HasSubstr("17:24:41 to 17:26:18 (1 min 37 s)"));
  EXPECT_THAT(page, HasSubstr("Slices done</dt><dd>2 of 3<"));
  EXPECT_THAT(page, HasSubstr("badge small pending"));
}

TEST(ReportPage, AsManyTracksAsRanAtOnce) {
  std::vector<ReportUnit> units;
  for (UnixNanos i = 0; i < 30; ++i) {
    units.push_back(Unit(std::to_string(i), {Attempt(i, i + 3)}));
  }
  EXPECT_EQ(Count(PageOf(Report(units)), "class=\"track\""), 3U);
  units[29].lane = "db.other";
  EXPECT_EQ(Count(PageOf(Report(units)), "class=\"track\""), 4U);
}

TEST(ReportPage, ARunningAttemptReachesUntilNow) {
  RunReport report = Report({Unit("s1", {Attempt(50, 0, "running")})});
  report.units[0].attempts[0].end.reset();
  report.finished.reset();
  const std::string page = PageOf(report);
  EXPECT_THAT(page, HasSubstr("left:50.000%;width:50.000%"));
  EXPECT_THAT(page, HasSubstr("17:25:28 to now (50.0 s)"));
  EXPECT_THAT(page, HasSubstr("as of <time"));
}

TEST(ReportPage, ClocksThatStandOrWereSetBackMakeNoImpossibleBar) {
  RunReport report = Report({Unit("s1", {Attempt(0, 0)}), Unit("s2", {Attempt(0, -5)})});
  report.finished = report.started;
  report.written = 0;
  const std::string page = PageOf(report);
  EXPECT_EQ(Count(page, "left:0.000%;width:0.000%"), 2U);
  EXPECT_THAT(page, Not(HasSubstr("nan")));
}

TEST(ReportPage, AttemptsOfAnotherDaySayTheDay) {
  const std::string page = PageOf(Report({Unit("s1", {Attempt(86'400, 86'460)})}));
  EXPECT_THAT(page, HasSubstr("<li>2024-02-27 17:24:38 to 17:25:38"));
  EXPECT_THAT(page, HasSubstr(">02-27 00:00<"));
}

TEST(ReportPage, ForeignTextStaysText) {
  const std::string attack = "</td><script>x('\"&')</script>";
  RunReport report = Report({Unit(attack, {Attempt(0, 1, attack)})});
  report.units[0].lane = report.units[0].range = report.units[0].state = attack;
  report.units[0].attempts[0].note = attack;
  report.title = report.state = report.run_id = report.tool = report.tool_version = attack;
  report.facts = {{attack, attack}};
  report.troubles = {attack};
  report.next_command = attack;
  report.unit_name = attack;
  const std::string page = PageOf(report);
  EXPECT_THAT(page, Not(HasSubstr("x('")));
  EXPECT_EQ(Count(page, "<script>"), 1U);
  EXPECT_EQ(Count(page, "</script>"), 1U);
  EXPECT_GT(Count(page, "&lt;/td&gt;&lt;script&gt;x(&#39;&quot;&amp;&#39;)&lt;/script&gt;"), 15U);
}

TEST(ReportPage, TextThatMisleadsIsMarked) {
  RunReport report = Report({});
  report.troubles = {"a\x1b[2K\u202Eb", "\xff|\xC0\xAF|\xED\xA0\x80|\xF5\x80\x80\x80|\xE2\x82",
                     "Zürich 東京 😀"};
  const std::string page = PageOf(report);
  EXPECT_THAT(page, HasSubstr("a\uFFFD[2K\uFFFDb"));
  EXPECT_THAT(page, HasSubstr("\uFFFD|\uFFFD\uFFFD|\uFFFD\uFFFD\uFFFD|"
                              "\uFFFD\uFFFD\uFFFD\uFFFD|\uFFFD\uFFFD<"));
  EXPECT_THAT(page, HasSubstr("Zürich 東京 😀"));
}

TEST(ReportPage, ARunWithoutUnitsIsAPageToo) {
  const std::string page = PageOf(Report({}));
  EXPECT_THAT(page, HasSubstr("There is no slice in this run."));
  EXPECT_EQ(Count(page, "<table"), 0U);
  EXPECT_EQ(Count(page, "<figure"), 0U);
  EXPECT_EQ(Count(page, "class=\"troubles\""), 0U);
  EXPECT_EQ(Count(page, "class=\"next\""), 0U);
}

TEST(ReportPage, ThousandsOfUnitsComeInSmallPieces) {
  std::vector<ReportUnit> units;
  for (UnixNanos i = 0; i < 5'000; ++i) {
    units.push_back(Unit("slice-" + std::to_string(i), {Attempt(i, i + 4)}));
  }
  std::size_t largest = 0;
  std::size_t total = 0;
  WriteReportPage(Report(std::move(units)), [&](std::string_view piece) {
    largest = std::max(largest, piece.size());
    total += piece.size();
  });
  EXPECT_LT(largest, 10'000U);  // the style
  EXPECT_GT(total, 1'000'000U);
}

}  // namespace
}  // namespace tsm::run
