// The proof of a run's tables after their loads: rows by place, columns by aggregate, and what is
// to be said where neither can tell. Writes the outcome to the ledger and closes what is proven.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "tsm/batchload/load_ledger.h"
#include "tsm/batchload/load_plan.h"
#include "tsm/core/result.h"
#include "tsm/s3/s3_client.h"
#include "tsm/verify/verify_table.h"

namespace tsm::apps {

struct ProofParts {
  const batchload::LoadPlan& plan;
  batchload::LoadLedger& ledger;
  s3::S3Client& source;  // reads the unload's record and aggregates
  verify::VerifyServices services;
  batchload::Verify verify = batchload::Verify::kCount;
  std::chrono::nanoseconds wait{0};
  std::chrono::nanoseconds poll_interval{0};
  bool again = false;  // tables that are closed too
};

// What a table must hold, place by place, less what its groups' last reports rejected. Places that
// share a group with rejections become one.
std::vector<verify::ExpectedPlace> ExpectedPlaces(const batchload::LoadPlan& plan,
                                                  std::size_t table,
                                                  const batchload::LoadState& state);

// Proves every table all of whose groups have ended, and closes it where it is as it must be and no
// group failed. `remarks` per table, for the summary. An error ends the proof: it can be made later
// (`verify RUN`, or a resume).
Status ProveTables(const ProofParts& parts, std::vector<std::vector<std::string>>& remarks,
                   std::stop_token stop);

}  // namespace tsm::apps
