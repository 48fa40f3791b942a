#include "tsm/batchload/error_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tsm::batchload {
namespace {

using ::testing::ElementsAre;

TEST(ErrorReport, ReadsTheDocumentedExample) {
  const Result<ErrorReport> report = ParseErrorReport(
      R"({"taskId":"9367BE28418C5EF902676482220B631C","taskErrors":[],"fileErrors":[
          {"fileName":"example.csv","errors":[{"reason":
           "The record timestamp is outside the time range of the data ingestion window.",
           "lineRanges":[[2,3],[7,7]]}]}]})");
  ASSERT_TRUE(report) << report.error().Text();
  EXPECT_EQ(report->task_id, "9367BE28418C5EF902676482220B631C");
  EXPECT_THAT(FirstErrors(*report, 10),
              ElementsAre("example.csv, lines 2-3, 7: The record timestamp is outside the time "
                          "range of the data ingestion window."));
}

TEST(ErrorReport, ShowsTheFirstAndCountsTheRest) {
  const Result<ErrorReport> report = ParseErrorReport(
      R"({"taskId":"T","taskErrors":["too many files",{"reason":"denied"},{"code":7}],
          "fileErrors":[{"fileName":"a.csv","errors":[{"reason":"bad","lineRanges":[[5,5]]},
                                                      {"reason":"worse"}]}]})");
  ASSERT_TRUE(report);
  EXPECT_THAT(FirstErrors(*report, 4), ElementsAre("too many files", "denied", R"({"code":7})",
                                                   "a.csv, line 5: bad", "and 1 more"));
}

TEST(ErrorReport, ManyRangesAreCut) {
  FileError error{"a.csv", "bad", {}};
  for (int i = 1; i <= 8; ++i) error.lines.emplace_back(i * 10, i * 10 + 1);
  EXPECT_THAT(FirstErrors({"T", {}, {error}}, 1),
              ElementsAre("a.csv, lines 10-11, 20-21, 30-31, 40-41, 50-51 and 3 more ranges: bad"));
}

TEST(ErrorReport, RefusesAnotherDocument) {
  EXPECT_FALSE(ParseErrorReport("[]"));
  EXPECT_FALSE(ParseErrorReport("<html>"));
}

}  // namespace
}  // namespace tsm::batchload
