#include "tsm/timestream/write_client.h"

#include <utility>

#include "batch_load_codec.h"
#include "json_call.h"
#include "write_codec.h"

namespace tsm::timestream {
namespace {

// https://docs.aws.amazon.com/timestream/latest/developerguide/API_WriteRecords.html
constexpr std::size_t kMaxRecordsPerWrite = 100;

// A listing whose token stands still gives the same page for ever.
Status GoOn(std::string& token, std::string next) {
  if (!next.empty() && next == token) {
    return MakeError(ErrorKind::kBadReply, "the listing repeats its NextToken");
  }
  token = std::move(next);
  return Ok();
}

// What a listing call of this service shares: pages until the token is gone.
template <typename Fetch>
Result<std::vector<std::string>> CollectNames(const std::string& operation, const Fetch& fetch) {
  std::vector<std::string> names;
  std::string token;
  do {
    Result<NamePage> page = fetch(token);
    if (!page) return std::move(page).error();
    names.insert(names.end(), page->names.begin(), page->names.end());
    if (Status more = GoOn(token, std::move(page->next_token)); !more) {
      return std::move(more).error().With(operation);
    }
  } while (!token.empty());
  return names;
}

}  // namespace

WriteClient::WriteClient(aws::Client& client, aws::Endpoint endpoint, std::string region)
    : client_(client),
      region_(std::move(region)),
      discovery_(client, Api::kWrite, std::move(endpoint), region_) {}

Result<std::string> WriteClient::Call(const std::string& operation, Result<std::string> body,
                                      const std::string& subject, aws::Idempotency idempotency,
                                      std::stop_token stop) {
  aws::Operation made = MakeJsonOperation(region_, operation, "", subject);
  if (!body) return std::move(body).error().With(made.name);
  made.request.body = *std::move(body);
  made.idempotency = idempotency;
  Result<http::Response> response =
      CallDiscovered(client_, discovery_, std::move(made), std::move(stop));
  if (!response) return std::move(response).error();
  return std::move(response->body);
}

Result<std::string> WriteClient::Call(const std::string& operation, Result<std::string> body,
                                      const std::string& subject, std::stop_token stop) {
  return Call(operation, std::move(body), subject, aws::Idempotency::kSafe, std::move(stop));
}

Status WriteClient::CreateDatabase(const std::string& database, std::stop_token stop) {
  Result<std::string> reply = Call("CreateDatabase", EncodeDatabase(database), database, stop);
  if (!reply) return std::move(reply).error();
  return Ok();
}

Status WriteClient::DescribeDatabase(const std::string& database, std::stop_token stop) {
  Result<std::string> reply = Call("DescribeDatabase", EncodeDatabase(database), database, stop);
  if (!reply) return std::move(reply).error();
  Status status = CheckDatabaseReply(*reply, database);
  if (!status) return std::move(status).error().With("DescribeDatabase " + database);
  return status;
}

Result<std::vector<std::string>> WriteClient::ListDatabases(std::stop_token stop) {
  return CollectNames("ListDatabases", [&](const std::string& token) -> Result<NamePage> {
    Result<std::string> reply = Call("ListDatabases", EncodeList("", token), "", stop);
    if (!reply) return std::move(reply).error();
    Result<NamePage> page = DecodeNames(*reply, "Databases", "DatabaseName");
    if (!page) return std::move(page).error().With("ListDatabases");
    return page;
  });
}

Status WriteClient::CreateTable(const TableRef& table, const TableSettings& settings,
                                std::stop_token stop) {
  Result<std::string> reply =
      Call("CreateTable", EncodeCreateTable(table, settings), table.str(), stop);
  if (!reply) return std::move(reply).error();
  return Ok();
}

Result<TableDescription> WriteClient::DescribeTable(const TableRef& table, std::stop_token stop) {
  Result<std::string> reply = Call("DescribeTable", EncodeTable(table), table.str(), stop);
  if (!reply) return std::move(reply).error();
  Result<TableDescription> description = DecodeTable(*reply);
  if (!description) return std::move(description).error().With("DescribeTable " + table.str());
  return description;
}

Result<std::vector<std::string>> WriteClient::ListTables(const std::string& database,
                                                         std::stop_token stop) {
  return CollectNames("ListTables " + database, [&](const std::string& token) -> Result<NamePage> {
    Result<std::string> reply = Call("ListTables", EncodeList(database, token), database, stop);
    if (!reply) return std::move(reply).error();
    Result<NamePage> page = DecodeNames(*reply, "Tables", "TableName");
    if (!page) return std::move(page).error().With("ListTables " + database);
    return page;
  });
}

Status WriteClient::WriteRecords(const TableRef& table, const std::vector<Record>& records,
                                 std::stop_token stop) {
  if (records.empty() || records.size() > kMaxRecordsPerWrite) {
    return MakeError(ErrorKind::kInvalidInput,
                     "a call writes 1 to " + std::to_string(kMaxRecordsPerWrite) +
                         " records, not " + std::to_string(records.size()))
        .With("WriteRecords " + table.str());
  }
  Result<std::string> reply =
      Call("WriteRecords", EncodeRecords(table, records), table.str(), stop);
  if (!reply) return std::move(reply).error();
  return Ok();
}

Result<std::string> WriteClient::CreateBatchLoadTask(const BatchLoadRequest& request,
                                                     std::stop_token stop) {
  const std::string subject =
      request.table.str() + " from s3://" + request.source_bucket + "/" + request.source_prefix;
  Result<std::string> reply =
      Call("CreateBatchLoadTask", EncodeCreateBatchLoadTask(request), subject, stop);
  if (!reply) return std::move(reply).error();
  Result<std::string> id = DecodeTaskId(*reply);
  if (!id) return std::move(id).error().With("CreateBatchLoadTask " + subject);
  return id;
}

Result<BatchLoadTask> WriteClient::DescribeBatchLoadTask(const std::string& task_id,
                                                         std::stop_token stop) {
  Result<std::string> reply = Call("DescribeBatchLoadTask", EncodeTaskId(task_id), task_id, stop);
  if (!reply) return std::move(reply).error();
  Result<BatchLoadTask> task = DecodeBatchLoadTask(*reply);
  if (!task) return std::move(task).error().With("DescribeBatchLoadTask " + task_id);
  return task;
}

Result<BatchLoadTaskPage> WriteClient::ListBatchLoadTasksPage(const std::string& status,
                                                              const std::string& token,
                                                              std::stop_token stop) {
  Result<std::string> reply =
      Call("ListBatchLoadTasks", EncodeListBatchLoadTasks(status, token), status, stop);
  if (!reply) return std::move(reply).error();
  Result<BatchLoadTaskPage> page = DecodeBatchLoadTasks(*reply);
  if (!page) return std::move(page).error().With("ListBatchLoadTasks");
  return page;
}

Result<std::vector<BatchLoadTaskSummary>> WriteClient::ListBatchLoadTasks(const std::string& status,
                                                                          std::stop_token stop) {
  std::vector<BatchLoadTaskSummary> tasks;
  std::string token;
  do {
    Result<BatchLoadTaskPage> page = ListBatchLoadTasksPage(status, token, stop);
    if (!page) return std::move(page).error();
    tasks.insert(tasks.end(), page->tasks.begin(), page->tasks.end());
    if (Status more = GoOn(token, std::move(page->next_token)); !more) {
      return std::move(more).error().With("ListBatchLoadTasks");
    }
  } while (!token.empty());
  return tasks;
}

Status WriteClient::ResumeBatchLoadTask(const std::string& task_id, std::stop_token stop) {
  // Not repeated blindly: a second resume of a task that the first one has started is refused, and
  // would look like a task that can't be resumed. The caller asks for the task's state instead.
  Result<std::string> reply =
      Call("ResumeBatchLoadTask", EncodeTaskId(task_id), task_id, aws::Idempotency::kUnsafe, stop);
  if (!reply) return std::move(reply).error();
  return Ok();
}

}  // namespace tsm::timestream
