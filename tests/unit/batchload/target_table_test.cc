#include "tsm/batchload/target_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace tsm::batchload {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using timestream::PartitionKey;
using timestream::RejectedDataLocation;
using timestream::TableDescription;

constexpr UnixNanos kNow = 1'708'968'278'000'000'000;  // 2024-02-26 17:24:38
constexpr UnixNanos kHour = 3'600'000'000'000;
constexpr UnixNanos kDay = 24 * kHour;
constexpr const char* kFirst = "the table targetdb.t exists and is used as it is";

DesiredTable Desired() {
  DesiredTable desired;
  desired.table = {.database = "targetdb", .table = "t"};
  desired.region = "eu-west-1";
  desired.rejected_data = RejectedDataOf(*s3::BucketName::Parse("reports"), desired.table);
  return desired;
}

PartitionKey Key(std::string name, bool required = true) {
  return {.is_measure = false, .name = std::move(name), .required = required};
}

TableDescription Existing() {
  TableDescription existing;
  existing.table = Desired().table;
  existing.status = "ACTIVE";
  existing.settings.memory_store_hours = 12;
  existing.settings.magnetic_store_days = 400;
  existing.settings.rejected_data = RejectedDataLocation{"reports", "x"};
  existing.settings.partition_key = PartitionKey{.is_measure = true, .name = "", .required = false};
  return existing;
}

LoadedData Data() {
  LoadedData data;
  data.model.dimensions = {{"city", ""}, {"storey", "floor"}};
  data.oldest = kNow - 30 * kDay;
  return data;
}

struct Case {
  DesiredTable desired = Desired();
  TableDescription existing = Existing();
  LoadedData data = Data();

  std::vector<std::string> Notes() const {
    const auto notes = CompareTarget(desired, existing, data, kNow);
    EXPECT_TRUE(notes) << (notes ? "" : notes.error().Text());
    return notes ? *notes : std::vector<std::string>();
  }
  std::string Why(ErrorKind kind = ErrorKind::kInvalidInput) const {
    const auto notes = CompareTarget(desired, existing, data, kNow);
    if (notes) return "fits";
    EXPECT_EQ(notes.error().kind, kind);
    return notes.error().Text();
  }
};

TEST(TargetTable, ATableThatFitsIsUsedAsItIs) { EXPECT_THAT(Case().Notes(), ElementsAre(kFirst)); }

TEST(TargetTable, ATableThatGoesAwayTakesNoLoad) {
  Case c;
  for (const char* status : {"DELETING", "RESTORING"}) {
    c.existing.status = status;
    EXPECT_EQ(c.Why(ErrorKind::kInTheWay),
              "the table targetdb.t is " + std::string(status) + ", it takes no load");
  }
}

TEST(TargetTable, DataOlderThanTheMagneticStoreKeepsIsNotLoaded) {
  Case c;
  c.existing.settings.magnetic_store_days = 30;
  EXPECT_EQ(
      c.Why(),
      "the table targetdb.t does not fit this load: its magnetic store keeps 30 days, and the "
      "data reaches back to 2024-01-27 17:24:38.000000000: older rows would be refused. This "
      "keeps them: aws timestream-write update-table --region eu-west-1 --database-name "
      "targetdb --table-name t --retention-properties MemoryStoreRetentionPeriodInHours=12,"
      "MagneticStoreRetentionPeriodInDays=31");
  c.data.oldest = kNow - 30 * kDay + 1;
  EXPECT_EQ(c.Why(), "fits");
  c.data.oldest = kNow - 30 * kDay - 1;
  EXPECT_THAT(c.Why(), HasSubstr("InDays=32"));
  c.data.oldest.reset();
  EXPECT_EQ(c.Why(), "fits") << "how old the data is is not known";
}

TEST(TargetTable, OtherRetentionThanAskedIsNoted) {
  Case c;
  c.desired.magnetic_store_days = 3655;
  c.desired.memory_store_hours = 1;
  EXPECT_THAT(
      c.Notes(),
      ElementsAre(kFirst, "its magnetic store keeps 400 days, not the 3,655 that were asked for",
                  "its memory store keeps 12 hours, not the 1 that were asked for"));
  c.existing.settings.memory_store_hours = 1;
  c.existing.settings.magnetic_store_days = 3655;
  EXPECT_THAT(c.Notes(), ElementsAre(kFirst));
}

TEST(TargetTable, WithoutMagneticWritesOnlyFreshRowsGetIn) {
  Case c;
  c.existing.settings.magnetic_writes = false;
  c.existing.settings.rejected_data.reset();
  EXPECT_EQ(
      c.Why(),
      "the table targetdb.t does not fit this load: its magnetic-store writes are off, so that "
      "rows "
      "older than the memory store's 12 hours would be refused, and the data reaches back to "
      "2024-01-27 17:24:38.000000000. This turns them on: aws timestream-write update-table "
      "--region eu-west-1 --database-name targetdb --table-name t "
      "--magnetic-store-write-properties '{\"EnableMagneticStoreWrites\":true,"
      "\"MagneticStoreRejectedDataLocation\":{\"S3Configuration\":{\"BucketName\":\"reports\","
      "\"ObjectKeyPrefix\":\"rejected_data/targetdb/t\",\"EncryptionOption\":\"SSE_S3\"}}}'");
  c.data.oldest = kNow - 12 * kHour + 1;
  EXPECT_THAT(c.Notes(), ElementsAre(kFirst));
  c.data.oldest.reset();
  EXPECT_THAT(c.Why(), HasSubstr("and how old the data is is not known"));
  c.desired.rejected_data = {};
  c.desired.region = "";
  EXPECT_THAT(c.Why(), HasSubstr("update-table --database-name targetdb --table-name t "
                                 "--magnetic-store-write-properties "
                                 "'{\"EnableMagneticStoreWrites\":true}'"));
}

TEST(TargetTable, NoPlaceForRejectedDataIsNoted) {
  Case c;
  c.existing.settings.rejected_data.reset();
  EXPECT_THAT(c.Notes(),
              ElementsAre(kFirst, HasSubstr("are lost in silence. This gives it one: aws "
                                            "timestream-write update-table")));
}

TEST(TargetTable, Keys) {
  const struct {
    const char* name;
    std::optional<PartitionKey> asked;
    std::optional<PartitionKey> existing;
    const char* message;  // of the error, or of the second note; "": neither
    bool refused;
  } cases[] = {
      {"none asked", std::nullopt, Key("city"), "", false},
      {"the same", Key("city"), Key("city"), "", false},
      {"measure asked, none told", model::MakePartitionKey("measure_name", true), std::nullopt, "",
       false},
      {"other name", Key("city"), Key("floor"),
       "its partition key is \"floor\" (REQUIRED), not \"city\" (REQUIRED) as asked, and a table's "
       "key can't be changed: load into another table, or leave out --partition_key",
       true},
      {"measure instead", Key("city"), std::nullopt,
       "its partition key is measure_name, not \"city\" (REQUIRED) as asked", true},
      {"dimension instead", model::MakePartitionKey("measure_name", true), Key("city", false),
       "its partition key is \"city\" (OPTIONAL), not measure_name as asked", true},
      {"not written", std::nullopt, Key("rack"),
       "its partition key is \"rack\" (REQUIRED), which the data model does not write: map a "
       "column "
       "to it in DimensionMappings",
       true},
      {"not written, optional", std::nullopt, Key("rack", false),
       "its partition key is \"rack\" (OPTIONAL), which the data model does not write", false},
      {"by its source's name", std::nullopt, Key("storey"), "does not write", true},
      {"other enforcement", Key("city"), Key("city", false),
       "its partition key is \"city\" (OPTIONAL), not REQUIRED as asked", false},
  };
  for (const auto& k : cases) {
    Case c;
    c.desired.partition_key = k.asked;
    c.existing.settings.partition_key = k.existing;
    if (k.refused) {
      EXPECT_THAT(c.Why(), HasSubstr(k.message)) << k.name;
    } else if (*k.message == '\0') {
      EXPECT_THAT(c.Notes(), ElementsAre(kFirst)) << k.name;
    } else {
      EXPECT_THAT(c.Notes(), ElementsAre(kFirst, k.message)) << k.name;
    }
  }
}

TEST(TargetTable, RowsWithoutARequiredKeyWouldBeRefused) {
  Case c;
  c.existing.settings.partition_key = Key("floor");
  c.data.counts = {.rows = 5000, .non_null = {{"storey", 3800}}};
  EXPECT_THAT(
      c.Why(),
      HasSubstr("its partition key \"floor\" is REQUIRED, and 1,200 of 5,000 rows do not have it. "
                "This takes them: aws timestream-write update-table --region eu-west-1 "
                "--database-name targetdb --table-name t --schema '{\"CompositePartitionKey\":"
                "[{\"Type\":\"DIMENSION\",\"Name\":\"floor\",\"EnforcementInRecord\":"
                "\"OPTIONAL\"}]}'"));
  c.existing.settings.partition_key = Key("floor", false);
  EXPECT_EQ(c.Why(), "fits");
}

TEST(TargetTable, EveryReasonIsTold) {
  Case c;
  c.existing.settings.magnetic_store_days = 7;
  c.existing.settings.magnetic_writes = false;
  c.existing.settings.partition_key = Key("rack");
  const std::string why = c.Why();
  EXPECT_THAT(why, HasSubstr("keeps 7 days"));
  EXPECT_THAT(why, HasSubstr("; also: its magnetic-store writes are off"));
  EXPECT_THAT(why, HasSubstr("; also: its partition key is \"rack\""));
}

TEST(TargetTable, ANewTableHoldsTheData) {
  DesiredTable desired = Desired();
  LoadedData data = Data();
  EXPECT_TRUE(CheckNewTarget(desired, data, kNow));
  const timestream::TableSettings settings = desired.Settings();
  EXPECT_EQ(settings.memory_store_hours, 24);
  EXPECT_EQ(settings.magnetic_store_days, 3655);
  EXPECT_TRUE(settings.magnetic_writes);
  ASSERT_TRUE(settings.rejected_data);
  EXPECT_EQ(settings.rejected_data->prefix, "rejected_data/targetdb/t");
  EXPECT_FALSE(settings.partition_key);

  data.oldest = kNow - 4000 * kDay;
  EXPECT_THAT(CheckNewTarget(desired, data, kNow).error().Text(),
              HasSubstr("and the new table targetdb.t would keep 3,655 days, so that older rows "
                        "would be refused: give --magnetic_store_retention_in_days 4001 or more"));
  desired.magnetic_store_days = 4001;
  EXPECT_TRUE(CheckNewTarget(desired, data, kNow));

  desired.partition_key = Key("floor");
  data.counts = {.rows = 10, .non_null = {{"storey", 9}}};
  EXPECT_THAT(
      CheckNewTarget(desired, data, kNow).error().Text(),
      HasSubstr("the new table targetdb.t: the partition key \"floor\" is null or absent in "
                "1 of 10 rows"));
  desired.partition_key = Key("floor", false);
  EXPECT_TRUE(CheckNewTarget(desired, data, kNow));
  desired.partition_key = Key("rack");
  EXPECT_THAT(CheckNewTarget(desired, data, kNow).error().Text(),
              HasSubstr("\"rack\" is the destination of no dimension mapping"));
}

}  // namespace
}  // namespace tsm::batchload
