// Timestream Write: databases, tables, records. Thread-safe.
// https://docs.aws.amazon.com/timestream/latest/developerguide/API_Operations_Amazon_Timestream_Write.html
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "tsm/aws/client.h"
#include "tsm/aws/endpoints.h"
#include "tsm/core/clock.h"
#include "tsm/timestream/batch_load_types.h"
#include "tsm/timestream/endpoint_discovery.h"
#include "tsm/timestream/table_ref.h"

namespace tsm::timestream {

struct PartitionKey {
  bool is_measure = false;  // Type MEASURE (no name) or DIMENSION
  std::string name;
  bool required = true;  // EnforcementInRecord REQUIRED or OPTIONAL
};

struct RejectedDataLocation {
  std::string bucket;
  std::string prefix;
};

struct TableSettings {
  std::int64_t memory_store_hours = 24;
  std::int64_t magnetic_store_days = 3655;
  bool magnetic_writes = true;
  std::optional<RejectedDataLocation> rejected_data;
  std::optional<PartitionKey> partition_key;  // empty: the service's own
};

struct TableDescription {
  TableRef table;
  std::string arn;
  std::string status;  // "ACTIVE", "DELETING", "RESTORING"
  TableSettings settings;
};

// One measure of a record; `type` is DOUBLE, BIGINT, VARCHAR, BOOLEAN, TIMESTAMP.
struct MeasureValue {
  std::string name;
  std::string value;
  std::string type;
};

struct Record {
  std::vector<std::pair<std::string, std::string>> dimensions;
  std::string measure_name;
  std::vector<MeasureValue> measures;  // one, named "": a single-measure record; else MULTI
  UnixNanos time = 0;
  std::int64_t version = 1;
};

class WriteClient {
 public:
  // `endpoint`: a configured one takes the calls as it stands; else it is the regional host, asked
  // for the cell that takes them (see EndpointDiscovery, whose errors every call may give).
  WriteClient(aws::Client& client, aws::Endpoint endpoint, std::string region);

  // kAlreadyExists where it is there. 1 a second and account.
  Status CreateDatabase(const std::string& database, std::stop_token stop);
  Status DescribeDatabase(const std::string& database, std::stop_token stop);
  Result<std::vector<std::string>> ListDatabases(std::stop_token stop);

  Status CreateTable(const TableRef& table, const TableSettings& settings, std::stop_token stop);
  Result<TableDescription> DescribeTable(const TableRef& table, std::stop_token stop);
  Result<std::vector<std::string>> ListTables(const std::string& database, std::stop_token stop);

  // At most 100 records. kValidation with code RejectedRecordsException names the first rejections.
  Status WriteRecords(const TableRef& table, const std::vector<Record>& records,
                      std::stop_token stop);

  // The four batch-load calls.
  // https://docs.aws.amazon.com/timestream/latest/developerguide/API_CreateBatchLoadTask.html
  Result<std::string> CreateBatchLoadTask(const BatchLoadRequest& request, std::stop_token stop);
  Result<BatchLoadTask> DescribeBatchLoadTask(const std::string& task_id, std::stop_token stop);
  // Every page; `status` "" lists all.
  Result<std::vector<BatchLoadTaskSummary>> ListBatchLoadTasks(const std::string& status,
                                                               std::stop_token stop);
  // One page; `token` "" asks for the first. For callers that keep a pace of their own.
  Result<BatchLoadTaskPage> ListBatchLoadTasksPage(const std::string& status,
                                                   const std::string& token, std::stop_token stop);
  Status ResumeBatchLoadTask(const std::string& task_id, std::stop_token stop);

 private:
  Result<std::string> Call(const std::string& operation, Result<std::string> body,
                           const std::string& subject, std::stop_token stop);
  Result<std::string> Call(const std::string& operation, Result<std::string> body,
                           const std::string& subject, aws::Idempotency idempotency,
                           std::stop_token stop);
  aws::Client& client_;
  std::string region_;
  EndpointDiscovery discovery_;
};

}  // namespace tsm::timestream
