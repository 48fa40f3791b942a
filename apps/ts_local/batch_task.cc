#include "ts_local/batch_task.h"

namespace ts_local {
namespace {

constexpr const char* kTable = R"(
CREATE TABLE IF NOT EXISTS tasks(
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, region TEXT NOT NULL,
  db TEXT NOT NULL, tbl TEXT NOT NULL, version INTEGER NOT NULL, configuration TEXT NOT NULL,
  model TEXT NOT NULL, token TEXT NOT NULL, request TEXT NOT NULL, created INTEGER NOT NULL,
  status TEXT NOT NULL, files TEXT NOT NULL DEFAULT '', processed INTEGER NOT NULL DEFAULT 0,
  ingested INTEGER NOT NULL DEFAULT 0, parse_failures INTEGER NOT NULL DEFAULT 0,
  record_failures INTEGER NOT NULL DEFAULT 0, file_failures INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '', updated INTEGER NOT NULL,
  resumable INTEGER NOT NULL DEFAULT 0);
)";

}  // namespace

BatchTaskStore::BatchTaskStore(const std::string& dir) : connection_(dir + "/tasks.db") {
  connection_.Exec(kTable);
}

std::vector<BatchTask> BatchTaskStore::Load() {
  std::vector<BatchTask> tasks;
  Statement select(
      connection_,
      "SELECT seq, id, region, db, tbl, version, configuration, model, token, request, "
      "created, status, files, processed, ingested, parse_failures, record_failures, "
      "file_failures, bytes, error, updated, resumable FROM tasks ORDER BY seq");
  while (select.Step()) {
    BatchTask task;
    task.seq = select.Int(0);
    task.id = select.Text(1);
    task.region = select.Text(2);
    task.database = select.Text(3);
    task.table = select.Text(4);
    task.version = select.Int(5);
    task.configuration = select.Text(6);
    task.model = select.Text(7);
    task.client_token = select.Text(8);
    task.request = select.Text(9);
    task.created_ms = select.Int(10);
    task.status = select.Text(11);
    task.files_json = select.Text(12);
    task.counters = {select.Int(13), select.Int(14), select.Int(15),
                     select.Int(16), select.Int(17), select.Int(18)};
    task.error = select.Text(19);
    task.updated_ms = select.Int(20);
    task.resumable_until_ms = select.Int(21);
    tasks.push_back(std::move(task));
  }
  return tasks;
}

void BatchTaskStore::Insert(BatchTask* task) {
  Statement insert(connection_,
                   "INSERT INTO tasks(id, region, db, tbl, version, configuration, model, token, "
                   "request, created, status, updated) "
                   "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)");
  insert.Bind(1, std::string_view(task->id))
      .Bind(2, std::string_view(task->region))
      .Bind(3, std::string_view(task->database))
      .Bind(4, std::string_view(task->table))
      .Bind(5, task->version)
      .Bind(6, std::string_view(task->configuration))
      .Bind(7, std::string_view(task->model))
      .Bind(8, std::string_view(task->client_token))
      .Bind(9, std::string_view(task->request))
      .Bind(10, task->created_ms)
      .Bind(11, std::string_view(task->status))
      .Bind(12, task->updated_ms)
      .Run();
  task->seq = connection_.LastRowId();
}

void BatchTaskStore::Update(const BatchTask& task) {
  Statement update(connection_,
                   "UPDATE tasks SET status = ?2, files = ?3, processed = ?4, ingested = ?5, "
                   "parse_failures = ?6, record_failures = ?7, file_failures = ?8, bytes = ?9, "
                   "error = ?10, updated = ?11, resumable = ?12 WHERE seq = ?1");
  const BatchCounters& counters = task.counters;
  update.Bind(1, task.seq)
      .Bind(2, std::string_view(task.status))
      .Bind(3, std::string_view(task.files_json))
      .Bind(4, counters.processed)
      .Bind(5, counters.ingested)
      .Bind(6, counters.parse_failures)
      .Bind(7, counters.record_failures)
      .Bind(8, counters.file_failures)
      .Bind(9, counters.bytes)
      .Bind(10, std::string_view(task.error))
      .Bind(11, task.updated_ms)
      .Bind(12, task.resumable_until_ms)
      .Run();
}

}  // namespace ts_local
