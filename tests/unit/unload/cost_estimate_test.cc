#include "tsm/unload/cost_estimate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tsm::unload {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

CostQuestion Surveyed() {
  CostQuestion question;
  question.unloads = 3;
  question.side_queries = 2;
  question.rows = 1'000'000'000;
  question.bytes = 100'000'000'000;
  question.partitions = 250;
  return question;
}

TEST(CostEstimateTest, WithASurveyTellsEachFigureItsAssumptionAndItsFlag) {
  EXPECT_THAT(
      EstimateLines(Surveyed()),
      ElementsAre(StartsWith("cost      estimated"),
                  "work      3 UNLOADs and 2 other queries, 250 folders, 1,000,000,000 rows by the "
                  "survey",
                  // 100 GB by the UNLOADs and 100 GB by each of two others.
                  AllOf(StartsWith("queries   USD 3.00, assuming"), HasSubstr("300.0 GB"),
                        HasSubstr("USD 0.01 per GB scanned (--price_query_gb")),
                  // 250 data files and 2 for each of 3 UNLOADs.
                  AllOf(StartsWith("requests  USD 0.0013, assuming 256 files"),
                        HasSubstr("USD 0.005 per 1,000 (--price_put_1000)")),
                  AllOf(StartsWith("storage   USD 2.30 a month for about 100.0 GB"),
                        HasSubstr("USD 0.023 per GB and month (--price_storage_gb_month)")),
                  "total     about USD 3.00 once and USD 2.30 a month"));
}

TEST(CostEstimateTest, WithoutASurveyTellsWhatIsNotKnown) {
  CostQuestion question;
  question.unloads = 1;
  question.side_queries = 1;
  question.partitions = 1;
  const std::vector<std::string> lines = EstimateLines(question);
  EXPECT_THAT(lines, Contains("work      1 UNLOAD and 1 other query, 1 folder"));
  EXPECT_THAT(lines, Contains(StartsWith("queries   USD 0.0002 or more: what they scan is not "
                                         "known without --survey")));
  EXPECT_THAT(lines, Contains(StartsWith("storage   not known without --survey")));
  EXPECT_THAT(lines, Contains(StartsWith("total     not known without --survey")));
}

TEST(CostEstimateTest, PricesAreTheFlags) {
  CostQuestion question = Surveyed();
  question.prices = {.query_gb = 0.02, .put_1000 = 1, .storage_gb_month = 0};
  const std::vector<std::string> lines = EstimateLines(question);
  EXPECT_THAT(lines, Contains(StartsWith("queries   USD 6.00,")));
  EXPECT_THAT(lines, Contains(StartsWith("requests  USD 0.2560,")));
  EXPECT_THAT(lines, Contains(StartsWith("storage   USD 0.0000 a month")));
  EXPECT_THAT(lines, Contains("total     about USD 6.26 once and USD 0.0000 a month"));
}

TEST(CostEstimateTest, SmallTablesAreMeteredByTheLeastOfAQuery) {
  CostQuestion question = Surveyed();
  question.bytes = 1000;
  // 10 MB for each of 5 queries.
  EXPECT_THAT(EstimateLines(question),
              Contains(AllOf(StartsWith("queries   USD 0.0005,"), HasSubstr("50.0 MB in all"))));
}

TEST(CostEstimateTest, ManyFilesInFewFoldersAreCountedByTheGigabyte) {
  CostQuestion question = Surveyed();
  question.partitions = 1;
  EXPECT_THAT(EstimateLines(question), Contains(HasSubstr("assuming 106 files")));
}

TEST(CostEstimateTest, GzipMakesAnUpperBound) {
  CostQuestion question = Surveyed();
  EXPECT_THAT(EstimateLines(question), Not(Contains(HasSubstr("gzip"))));
  question.compressed = true;
  EXPECT_THAT(EstimateLines(question), Contains(HasSubstr("at most 100.0 GB (gzip")));
}

}  // namespace
}  // namespace tsm::unload
