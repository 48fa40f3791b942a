#include "ts_local/batch_load_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>

namespace ts_local {
namespace {

// Both spellings of a flag.
std::string Spelled(const std::string& name) {
  std::string dashed = name;
  std::replace(dashed.begin() + 2, dashed.end(), '_', '-');
  return name + "," + dashed;
}

template <typename Number>
void Add(CLI::App* app, const char* name, Number* value, double most, const char* help) {
  app->add_option(Spelled(name), *value, help)
      ->check(CLI::Range(Number{0}, static_cast<Number>(most)))
      ->capture_default_str();
}

}  // namespace

void AddBatchLoadOptions(CLI::App* app, BatchLoadLimits* limits) {
  Add(app, "--table_tasks", &limits->table_tasks, 1e6,
      "Batch-load tasks of a table that may be active; one more is refused with "
      "ServiceQuotaExceededException");
  Add(app, "--account_tasks", &limits->account_tasks, 1e6,
      "Batch-load tasks of the account that may be active in a region. While ts-local runs, "
      "unsigned and from this machine: POST /ts-local/tasks {\"database\": D, \"table\": T, "
      "\"count\": N, \"seconds\": S} adds tasks of other people, GET counts them, DELETE ends "
      "them");
  Add(app, "--task_seconds", &limits->seconds, 1e9,
      "How long a batch-load task takes, with its counters growing, after a second of CREATED. "
      "This and the two below are added up; all 0: as long as it really takes");
  Add(app, "--task_seconds_per_gb", &limits->seconds_per_gb, 1e9,
      "How long a batch-load task takes by the size of its files");
  Add(app, "--task_seconds_per_million_rows", &limits->seconds_per_million_rows, 1e12,
      "How long a batch-load task takes by the rows of its files");
  Add(app, "--resumable_seconds", &limits->resumable_seconds, 1e9,
      "How long a task in PROGRESS_STOPPED may be resumed");
  Add(app, "--pending_resume_seconds", &limits->pending_resume_seconds, 1e9,
      "How long a resumed task stays in PENDING_RESUME");
  Add(app, "--magnetic_partitions", &limits->magnetic_partitions, 1e6,
      "Active partitions of a database's magnetic store, each a table's UTC day; the service's "
      "limit is 250. A task whose rows need more stops. 0: any number");
  Add(app, "--magnetic_partition_seconds", &limits->magnetic_partition_seconds, 1e9,
      "How long a partition is active after its last row");
  Add(app, "--visible_seconds", &limits->visible_seconds, 1e9,
      "Query sees the rows of a batch-load task so long after its end");
}

}  // namespace ts_local
