// Holds a loaded table against what was unloaded: rows per place of time, and with content the
// aggregates of every column per partition. Asks patiently: what a batch load wrote into the
// magnetic store may take up to six hours to be seen.
// https://docs.aws.amazon.com/timestream/latest/developerguide/data-ingest.html
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tsm/core/clock.h"
#include "tsm/core/progress.h"
#include "tsm/core/random.h"
#include "tsm/core/result.h"
#include "tsm/model/data_model.h"
#include "tsm/run/run_record.h"
#include "tsm/s3/s3_client.h"
#include "tsm/timestream/query_client.h"
#include "tsm/timestream/table_ref.h"

namespace tsm::verify {

struct VerifyServices {
  timestream::QueryClient& query;
  const Clock& clock;
  Random& random;
  ProgressSink& sink;
  std::function<Status()> tick;  // now and then: what keeps a lock alive; may be null
  // What throttles or fails for a passing reason is asked again for so long.
  std::chrono::nanoseconds give_up_after = std::chrono::hours(24);
};

// Rows that must be there between two moments.
struct ExpectedPlace {
  std::string label;
  UnixNanos from = 0;  // inclusive
  UnixNanos end = 0;   // exclusive
  std::uint64_t rows = 0;
};

// `from` and `end` of all open: the whole table is one place.
struct CountRequest {
  timestream::TableRef table;
  std::vector<ExpectedPlace> places;  // in the order of time, not overlapping
  bool whole_table = false;           // one place, whose moments do not bound it
  std::chrono::nanoseconds wait = std::chrono::hours(6);              // while there are fewer rows
  std::chrono::nanoseconds poll_interval = std::chrono::seconds(30);  // the first wait; doubles
};

struct PlaceDifference {
  std::string label;
  std::uint64_t expected = 0;
  std::uint64_t counted = 0;
  std::string str() const;  // "2024-02-26: 10 rows expected, the table has 12"
};

struct CountVerdict {
  std::uint64_t expected = 0;
  std::uint64_t counted = 0;
  std::vector<PlaceDifference> differences;  // empty: equal
  bool waited_out = false;                   // fewer rows, and request.wait has passed
  // Among the differences: places with fewer rows that might still have filled, for another one
  // with more rows ended the count.
  std::uint64_t unsettled = 0;
};

// Counts as often as it takes: only places with fewer rows than expected are asked again, and one
// with more ends it at once, for that no waiting can mend. Errors as the service's; kInvalidInput
// where places are empty, out of order or overlap; kCancelled at a stop.
Result<CountVerdict> VerifyCount(const CountRequest& request, const VerifyServices& services,
                                 std::stop_token stop);

// The rows that a range (or all) of a table holds now, counted once: before a load.
Result<std::uint64_t> CountRows(const timestream::TableRef& table,
                                const std::optional<UnixNanos>& from,
                                const std::optional<UnixNanos>& end, const VerifyServices& services,
                                std::stop_token stop);

// The source's aggregates, as ts-unload --verify content left them, against the target's.
struct ContentRequest {
  timestream::TableRef table;
  run::RunRecord record;   // its content_prefix, slices, aliases, columns, schema and measures
  s3::BucketName bucket;   // of the record
  model::DataModel model;  // what became of the source's columns: renamed, dropped, retyped
  // While a slice of the unload has fewer rows in the target; as in CountRequest, over all slices.
  std::chrono::nanoseconds wait = std::chrono::hours(6);
  std::chrono::nanoseconds poll_interval = std::chrono::seconds(30);
};

struct ContentVerdict {
  std::uint64_t partitions = 0;
  std::uint64_t facts = 0;  // aggregates compared, the rows of each partition among them
  std::vector<std::string>
      differences;  // "2024-02-26 temperature sum: 12.5 unloaded, 12.0 now"; the first hundred
  std::uint64_t different = 0;  // how many in all
  // Columns that are not compared, or whose values are only counted, each with its reason.
  std::vector<std::string> not_compared;
  bool waited_out = false;  // fewer rows, and request.wait has passed
};

// Slice by slice as the unload asked the source, so that a partition that two slices share is
// compared in its two parts; holds one slice's aggregates at a time. Sums of doubles are equal
// within what the rounding of their additions, in whatever order, may come to: with n values, none
// of them over m, n * 2^-52 * (the sum where all have one sign, else n * m). Where even n * m is
// beyond a double they are not compared. Everything else has to be equal; a column whose type has
// changed is compared by the number of its values. Rows that the load rejected are differences.
//
// kInvalidInput: the unload was made without --verify content, or the model does not keep the rows'
// time; kNotFound: a slice's object is gone; kBadReply: it is damaged; kCancelled at a stop; other
// errors as the services'.
Result<ContentVerdict> VerifyContent(const ContentRequest& request, s3::S3Client& source,
                                     const VerifyServices& services, std::stop_token stop);

}  // namespace tsm::verify
