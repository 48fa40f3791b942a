#include "tsm/unload/unload_proof.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unload/plan_sample.h"

namespace tsm::unload {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kQuery = "AEDACANRA63LLDJ2NRK35XUWCGVKFYGA";
const std::string kOther = "AEDACAOTHERQUERY2222222222222222";

std::string File(const std::string& query, char id) {
  return query + "_1234567890_" + std::string(16, id) + ".csv";
}

s3::ObjectSummary Object(const std::string& key, std::uint64_t size) {
  return {s3::ObjectKey(key), size, "etag", ""};
}

// A manifest of two files below `results`.
run::Manifest ManifestIn(const std::string& results, const std::string& bucket = "bkt") {
  run::Manifest manifest;
  for (const char id : {'a', 'b'}) {
    manifest.files.push_back(
        {*s3::S3Uri::Parse("s3://" + bucket + "/" + results + File(kQuery, id)), 10, 1});
  }
  return manifest;
}

class UnloadProofTest : public ::testing::Test {
 protected:
  UnloadProof Nested() { return UnloadProof(nested_manifest_, nested_, kQuery); }
  UnloadProof Flat() { return UnloadProof(flat_manifest_, flat_, kQuery); }
  static void SeeBoth(UnloadProof& proof, const std::string& results) {
    proof.See(Object(results + File(kQuery, 'a'), 10));
    proof.See(Object(results + File(kQuery, 'b'), 10));
  }

  const std::string nested_results_ = "unload/results/0001-abcdef/results/";
  const std::string flat_results_ = "unload/results/";
  const Attempt nested_ = NestedAttempt("0001", "abcdef");
  const Attempt flat_ = FlatAttempt("abcdef");
  const run::Manifest nested_manifest_ = ManifestIn(nested_results_);
  const run::Manifest flat_manifest_ = ManifestIn(flat_results_);
};

TEST_F(UnloadProofTest, EveryFileThereWithItsSizeIsProven) {
  UnloadProof nested = Nested();
  SeeBoth(nested, nested_results_);
  EXPECT_THAT(nested.Problems(), IsEmpty());
  UnloadProof flat = Flat();
  SeeBoth(flat, flat_results_);
  EXPECT_THAT(flat.Problems(), IsEmpty());
  EXPECT_THAT(flat.strangers(), IsEmpty());
}

TEST_F(UnloadProofTest, ANamedFileThatIsNotThereIsNamed) {
  UnloadProof proof = Nested();
  proof.See(Object(nested_results_ + File(kQuery, 'b'), 10));
  EXPECT_THAT(proof.Problems(), ElementsAre("s3://bkt/" + nested_results_ + File(kQuery, 'a') +
                                            ": named by the manifest, but not there"));
}

TEST_F(UnloadProofTest, AnotherSizeIsNamed) {
  UnloadProof proof = Nested();
  proof.See(Object(nested_results_ + File(kQuery, 'a'), 1234));
  proof.See(Object(nested_results_ + File(kQuery, 'b'), 10));
  EXPECT_THAT(proof.Problems(), ElementsAre(HasSubstr("1,234 bytes, the manifest says 10")));
}

TEST_F(UnloadProofTest, AFileOfThisQueryThatTheManifestLacksIsAProblem) {
  UnloadProof proof = Nested();
  SeeBoth(proof, nested_results_);
  proof.See(Object(nested_results_ + "partition_date=2024-02-26/" + File(kQuery, 'c'), 10));
  EXPECT_THAT(proof.Problems(),
              ElementsAre(HasSubstr("written by this query, but not named by its manifest")));
  EXPECT_THAT(proof.strangers(), IsEmpty());
}

TEST_F(UnloadProofTest, DataFilesOfOthersAreStrangers) {
  UnloadProof proof = Flat();
  SeeBoth(proof, flat_results_);
  const std::string other = flat_results_ + "partition_date=2024-02-26/" + File(kOther, 'a');
  const std::string foreign = flat_results_ + "export.csv";
  proof.See(Object(other, 10));
  proof.See(Object(foreign, 10));
  proof.See(Object(flat_results_ + "notes.txt", 10));  // no data file
  proof.See(Object(flat_results_ + kOther + "/", 0));  // a console's folder
  EXPECT_THAT(proof.Problems(), IsEmpty());
  EXPECT_THAT(proof.strangers(), ElementsAre(s3::ObjectKey(other), s3::ObjectKey(foreign)));
}

TEST_F(UnloadProofTest, BesideAFlatAttemptTheFoldersOfNestedOnesArePassedOver) {
  UnloadProof flat = Flat();
  SeeBoth(flat, flat_results_);
  flat.See(Object(flat_results_ + "0001-fedcba/results/" + File(kOther, 'a'), 10));
  flat.See(
      Object(flat_results_ + "0001ab-fedcba/results/partition_date=2024/" + File(kOther, 'a'), 10));
  EXPECT_THAT(flat.Problems(), IsEmpty());
  EXPECT_THAT(flat.strangers(), IsEmpty());
  // A nested attempt shares its folder with nobody.
  UnloadProof nested = Nested();
  SeeBoth(nested, nested_results_);
  const std::string key = nested_results_ + "0001-fedcba/" + File(kOther, 'a');
  nested.See(Object(key, 10));
  EXPECT_THAT(nested.strangers(), ElementsAre(s3::ObjectKey(key)));
}

TEST_F(UnloadProofTest, FilesOutsideOfTheAttemptAreNotProven) {
  run::Manifest manifest = ManifestIn("unload/results/0002-abcdef/results/");
  UnloadProof elsewhere(manifest, nested_, kQuery);
  EXPECT_EQ(elsewhere.Problems().size(), 2U);
  EXPECT_THAT(elsewhere.Problems().front(), HasSubstr("but outside s3://bkt/unload/results/0001"));
  run::Manifest foreign = ManifestIn(nested_results_, "other");
  UnloadProof proof(foreign, nested_, kQuery);
  SeeBoth(proof, nested_results_);
  EXPECT_THAT(proof.Problems().front(), HasSubstr("s3://other/"));
}

TEST_F(UnloadProofTest, AFileNamedTwiceIsAProblem) {
  run::Manifest manifest = nested_manifest_;
  manifest.files.push_back(manifest.files.front());
  UnloadProof proof(manifest, nested_, kQuery);
  SeeBoth(proof, nested_results_);
  EXPECT_THAT(proof.Problems(), ElementsAre(HasSubstr("named twice by the manifest")));
}

// The service may write the bucket's own name where the TO names an access point.
TEST_F(UnloadProofTest, OfAnAccessPointOnlyTheKeysAreCompared) {
  Attempt attempt = nested_;
  attempt.to = *s3::S3Uri::Parse("s3://point-metadata123-s3alias/unload/results/0001-abcdef");
  UnloadProof proof(nested_manifest_, attempt, kQuery);
  SeeBoth(proof, nested_results_);
  EXPECT_THAT(proof.Problems(), IsEmpty());
  UnloadProof missing(nested_manifest_, attempt, kQuery);
  EXPECT_EQ(missing.Problems().size(), 2U);
}

TEST_F(UnloadProofTest, NoRowsAreProvenByNoFiles) {
  const run::Manifest none;
  UnloadProof proof(none, nested_, "");
  EXPECT_THAT(proof.Problems(), IsEmpty());
  proof.See(Object(nested_results_ + File(kQuery, 'a'), 10));
  EXPECT_EQ(proof.strangers().size(), 1U);
}

TEST(UnloadProof, FoldersOfAttempts) {
  EXPECT_EQ(AttemptFolder("0007ab", "k3f9a2"), "0007ab-k3f9a2");
  for (const std::string folder :
       {"0007-k3f9a2", "0007ab-k3f9a2", "12345-000000", "0001b-abcdef"}) {
    EXPECT_TRUE(IsAttemptFolder(folder)) << folder;
  }
  for (const std::string folder :
       {"", "-", "0007", "0007-", "007-k3f9a2", "0007-k3f9a", "0007-k3f9a22", "0007c-k3f9a2",
        "a007-k3f9a2", "0007a1-k3f9a2", "0007-K3f9a2", "0007-k3f-a2", "0007-k3f9a2/",
        "partition_date=2024-02-26", "2024-02-26-17", "partition_id=0007-k3f9a2"}) {
    EXPECT_FALSE(IsAttemptFolder(folder)) << folder;
  }
}

}  // namespace
}  // namespace tsm::unload
