// Tables of a fake Timestream whose rows stand value by value, for what looks at content: small
// ones, whose rows may come into sight late, as a batch load's do. Answers the counts and
// aggregates that the toolkit asks for; everything else (S3 too) is answered by a FakeUnloadService
// behind it. Thread-safe.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "support/fake_sql.h"
#include "support/fake_transport.h"
#include "support/fake_unload_service.h"
#include "tsm/timestream/table_schema.h"

namespace tsm::test {

struct FakeRow {
  UnixNanos time = 0;
  std::map<std::string, std::string> values;  // by column; an absent one is null
  UnixNanos seen_from = 0;                    // by the wall clock
};

struct FakeRows {
  std::vector<timestream::SchemaColumn> columns;  // "time" too
  std::vector<FakeRow> rows;                      // in the order in which sums are added up
};

class FakeRowsService final : public FakeServer {
 public:
  FakeAnswer Take(const http::Request& request, UnixNanos now) override;
  FakeAnswer Again(const std::string& held, UnixNanos now) override;

  FakeUnloadService behind;
  std::map<timestream::TableRef, FakeRows> tables;  // changed between calls only

  // Every statement so far, but for DESCRIBE.
  std::vector<std::string> Asked() const;

 private:
  Result<std::string> Answer(const std::string& sql, UnixNanos now) const;
  Result<std::string> Describe(const std::string& sql) const;
  Result<std::string> Select(const std::string& sql, UnixNanos now) const;

  mutable std::mutex mutex_;
  std::vector<std::string> asked_;
};

}  // namespace tsm::test
