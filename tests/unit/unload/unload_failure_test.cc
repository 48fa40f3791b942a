// Unloads that fail after the claim: what is proven, what is cancelled, what is left behind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tsm/run/run_record.h"
#include "tsm/unload/unload_run.h"
#include "unload/fake_aws.h"

namespace tsm::unload {
namespace {

using test::DataFileName;
using test::FakeAws;
using test::kOtherQueryId;
using test::kQueryId;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class UnloadFailureTest : public ::testing::Test {
 protected:
  UnloadFailureTest() {
    options.table = *timestream::TableRef::Make("sourcedb", "myTable");
    options.destination = *s3::S3Uri::Parse("s3://bkt/unload");
  }

  Error Fail() {
    const Result<UnloadSummary> summary = RunUnload(options, fake.Services(), stop.get_token());
    if (summary) {
      ADD_FAILURE() << "the run ended well";
      return Error();
    }
    return summary.error();
  }

  std::optional<run::RunState> RecordState() {
    const auto text = fake.ObjectWithPrefix("bkt", "unload/tsm-run-");
    if (!text) return std::nullopt;
    return run::ParseRunRecord(*text)->state;
  }

  std::string FirstFile() const {
    return "unload/results/partition_date=2024-02-26/" + DataFileName(kQueryId, 1);
  }

  // Runs `effect` once, after the first answer to that call.
  void OnceAfter(const std::string& call, const std::function<void()>& effect) {
    fake.after = [this, call, effect](const std::string& answered) {
      if (answered != call || done_) return;
      done_ = true;
      effect();
    };
  }

  FakeAws fake;
  UnloadOptions options;
  std::stop_source stop;

 private:
  bool done_ = false;
};

TEST_F(UnloadFailureTest, RowsOfQueryAndManifestMustAgree) {
  fake.reply_rows = 8;
  const Error error = Fail();
  EXPECT_EQ(error.kind, ErrorKind::kProof);
  EXPECT_THAT(error.Text(),
              AllOf(HasSubstr("8 rows"), HasSubstr("7"), HasSubstr("_manifest.json")));
  EXPECT_EQ(RecordState(), run::RunState::kStarted);
}

TEST_F(UnloadFailureTest, AManifestWhoseTotalsExceedItsListIsRefused) {
  fake.reply_rows = 24906;
  fake.manifest_rows = 24906;
  const Error error = Fail();
  EXPECT_EQ(error.kind, ErrorKind::kProof);
  EXPECT_THAT(error.Text(), HasSubstr("24,906"));
}

TEST_F(UnloadFailureTest, AMissingManifestIsNoProof) {
  fake.write_manifest = false;
  EXPECT_EQ(Fail().kind, ErrorKind::kProof);
}

TEST_F(UnloadFailureTest, AMissingFileIsNamed) {
  OnceAfter("Query UNLOAD", [&] { fake.buckets["bkt"].objects.erase(FirstFile()); });
  EXPECT_EQ(Fail().kind, ErrorKind::kProof);
  EXPECT_THAT(fake.notices, Contains(AllOf(HasSubstr(FirstFile()), HasSubstr("not there"))));
}

TEST_F(UnloadFailureTest, AFileOfAnotherSizeIsNamed) {
  OnceAfter("Query UNLOAD", [&] { fake.buckets["bkt"].objects[FirstFile()] += "+"; });
  EXPECT_EQ(Fail().kind, ErrorKind::kProof);
  EXPECT_THAT(fake.notices, Contains(AllOf(HasSubstr(FirstFile()), HasSubstr("31 bytes"),
                                           HasSubstr("manifest says 30"))));
}

TEST_F(UnloadFailureTest, AFileThatTheManifestDoesNotNameIsNamed) {
  const std::string extra = "unload/results/" + DataFileName(kQueryId, 99);
  OnceAfter("Query UNLOAD", [&] { fake.buckets["bkt"].objects[extra] = "x"; });
  EXPECT_EQ(Fail().kind, ErrorKind::kProof);
  EXPECT_THAT(fake.notices, Contains(AllOf(HasSubstr(extra), HasSubstr("not named"))));
}

TEST_F(UnloadFailureTest, AFileOfAnotherQueryAfterTheProofIsNamed) {
  const std::string late = "unload/results/" + DataFileName(kOtherQueryId, 1);
  fake.after = [&](const std::string& call) {
    if (call.starts_with("PutObject") && RecordState() == run::RunState::kDone) {
      fake.buckets["bkt"].objects[late] = "x";
    }
  };
  const Error error = Fail();
  EXPECT_EQ(error.kind, ErrorKind::kProof);
  EXPECT_THAT(error.message, HasSubstr(late));
  EXPECT_EQ(RecordState(), run::RunState::kDone);
}

TEST_F(UnloadFailureTest, AFailedQueryThatWroteNothingGivesTheClaimBack) {
  fake.write_files = false;
  fake.write_manifest = false;
  fake.unload_refusal = {400, "QueryExecutionException", "exceeded maximum available memory"};
  fake.refuse_page = 1;
  const Error error = Fail();
  EXPECT_EQ(error.kind, ErrorKind::kQueryFailed);
  EXPECT_THAT(error.Text(), HasSubstr("exceeded maximum available memory"));
  EXPECT_EQ(RecordState(), std::nullopt);
  EXPECT_THAT(fake.notices, Contains(HasSubstr("can be run again")));
}

TEST_F(UnloadFailureTest, AFailedQuerysFilesAreNamedAndKeepTheClaim) {
  fake.write_manifest = false;
  fake.unload_refusal = {400, "QueryExecutionException", "timed out"};
  fake.refuse_page = 1;
  EXPECT_EQ(Fail().kind, ErrorKind::kQueryFailed);
  EXPECT_EQ(RecordState(), run::RunState::kStarted);
  EXPECT_THAT(fake.notices, Contains(AllOf(HasSubstr("left behind"), HasSubstr(FirstFile()))));
}

TEST_F(UnloadFailureTest, ARefusedStatementGivesTheClaimBack) {
  fake.write_files = false;
  fake.write_manifest = false;
  fake.unload_refusal = {400, "ValidationException", "line 1:8: no"};
  EXPECT_EQ(Fail().kind, ErrorKind::kValidation);
  EXPECT_EQ(RecordState(), std::nullopt);
}

TEST_F(UnloadFailureTest, AQueryWhoseStartIsNotKnownKeepsTheClaim) {
  fake.before = [](const std::string& call) -> std::optional<FakeAws::Refusal> {
    if (call == "Query UNLOAD") return FakeAws::Refusal{0, "", ""};
    return std::nullopt;
  };
  EXPECT_EQ(Fail().kind, ErrorKind::kTransient);
  EXPECT_EQ(RecordState(), run::RunState::kStarted);
  EXPECT_THAT(fake.notices, Contains(HasSubstr("may still be running")));
}

// The last of several answers says nothing about the attempts before it.
TEST_F(UnloadFailureTest, AQueryRefusedAfterRetriesKeepsTheClaim) {
  fake.before = [](const std::string& call) -> std::optional<FakeAws::Refusal> {
    if (call != "Query UNLOAD") return std::nullopt;
    return FakeAws::Refusal{400, "ThrottlingException", "slow down"};
  };
  const Error error = Fail();
  EXPECT_EQ(error.kind, ErrorKind::kThrottled);
  EXPECT_GT(error.attempts, 1);
  EXPECT_EQ(RecordState(), run::RunState::kStarted);
}

TEST_F(UnloadFailureTest, AQueryThatCannotBeFollowedIsCancelled) {
  fake.write_files = false;
  fake.write_manifest = false;
  int pages = 0;
  fake.before = [&pages](const std::string& call) -> std::optional<FakeAws::Refusal> {
    if (call == "Query UNLOAD" && pages++ > 0) return FakeAws::Refusal{0, "", ""};
    return std::nullopt;
  };
  EXPECT_EQ(Fail().kind, ErrorKind::kTransient);
  EXPECT_THAT(fake.calls, Contains(std::string("CancelQuery ") + kQueryId));
  EXPECT_EQ(RecordState(), std::nullopt) << "cancelled, and nothing was written";
}

// The query goes on while its pages can't be read: giving the claim back would let the next run
// start beside it, into the same folder.
TEST_F(UnloadFailureTest, ARefusedPageIsNoEndOfTheQuery) {
  fake.write_files = false;
  fake.write_manifest = false;
  fake.unload_refusal = {400, "ExpiredTokenException", "the token has expired"};
  fake.refuse_page = 1;
  fake.cancel_refusal = fake.unload_refusal;
  EXPECT_EQ(Fail().kind, ErrorKind::kExpiredCredentials);
  EXPECT_THAT(fake.calls, Contains(std::string("CancelQuery ") + kQueryId));
  EXPECT_EQ(RecordState(), run::RunState::kStarted);
  EXPECT_THAT(fake.notices, Contains(HasSubstr("may still be running")));
}

TEST_F(UnloadFailureTest, ARefusedPolicyGivesTheClaimBack) {
  options.iam_role_arn = "arn:aws:iam::123456789123:role/BatchLoadRole";
  fake.before = [](const std::string& call) -> std::optional<FakeAws::Refusal> {
    if (call.starts_with("PutBucketPolicy")) return FakeAws::Refusal{403, "AccessDenied", "no"};
    return std::nullopt;
  };
  EXPECT_EQ(Fail().kind, ErrorKind::kAccessDenied);
  EXPECT_EQ(RecordState(), std::nullopt);
  EXPECT_THAT(fake.calls, Not(Contains("Query UNLOAD")));
}

TEST_F(UnloadFailureTest, ARefusedRunLeavesThePolicyAlone) {
  options.iam_role_arn = "arn:aws:iam::123456789123:role/BatchLoadRole";
  fake.buckets["bkt"].objects["unload/results/" + DataFileName(kOtherQueryId, 1)] = "x";
  EXPECT_EQ(Fail().kind, ErrorKind::kInTheWay);
  EXPECT_EQ(fake.buckets["bkt"].policy, "");
}

TEST_F(UnloadFailureTest, SomebodyElsesCancelIsAFailedQuery) {
  fake.unload_refusal = {400, "ConflictException", "Unable to poll results for a cancelled query"};
  fake.refuse_page = 1;
  EXPECT_EQ(Fail().kind, ErrorKind::kQueryFailed);
}

TEST_F(UnloadFailureTest, AStopCancelsTheQueryAndNamesWhatIsLeft) {
  OnceAfter("Query UNLOAD", [&] { stop.request_stop(); });
  EXPECT_EQ(Fail().kind, ErrorKind::kCancelled);
  EXPECT_THAT(fake.calls, Contains(std::string("CancelQuery ") + kQueryId));
  EXPECT_THAT(fake.notices, Contains(AllOf(HasSubstr("left behind"), HasSubstr(FirstFile()))));
  EXPECT_EQ(RecordState(), run::RunState::kStarted);
}

TEST_F(UnloadFailureTest, AStopWhoseCancelIsRefusedKeepsTheClaim) {
  fake.write_files = false;
  fake.cancel_refusal = {400, "ValidationException", "the query has ended"};
  OnceAfter("Query UNLOAD", [&] { stop.request_stop(); });
  EXPECT_EQ(Fail().kind, ErrorKind::kCancelled);
  EXPECT_EQ(RecordState(), run::RunState::kStarted);
  EXPECT_THAT(fake.notices, Contains(HasSubstr("could not be cancelled")));
}

TEST_F(UnloadFailureTest, AStopBeforeTheQueryGivesTheClaimBack) {
  fake.after = [&](const std::string& call) {
    if (call.starts_with("PutObject")) stop.request_stop();
  };
  EXPECT_EQ(Fail().kind, ErrorKind::kCancelled);
  EXPECT_THAT(fake.calls, Not(Contains("Query UNLOAD")));
  EXPECT_EQ(RecordState(), std::nullopt);
}

TEST_F(UnloadFailureTest, ARecordThatCannotBePutStopsTheRun) {
  fake.before = [](const std::string& call) -> std::optional<FakeAws::Refusal> {
    if (call.starts_with("PutObject")) return FakeAws::Refusal{403, "AccessDenied", "no"};
    return std::nullopt;
  };
  const Error error = Fail();
  EXPECT_EQ(error.kind, ErrorKind::kAccessDenied);
  EXPECT_THAT(error.Text(), HasSubstr("run record"));
  EXPECT_THAT(fake.calls, Not(Contains("Query UNLOAD")));
}

}  // namespace
}  // namespace tsm::unload
