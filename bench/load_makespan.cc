// usage: load_makespan [SHAPE...]
//
// How long the tasks of a load take by the service's clock beside the best possible under the slots
// of one table and one create a second, and what that costs in calls and memory. Time is virtual
// and the service a fake; the scheduler, its clients and its journal are the real ones. Without a
// shape all are run, one after the other.
#include <malloc.h>
#include <stdlib.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "support/fake_batch_load_service.h"
#include "support/fake_clock.h"
#include "support/load_clients.h"
#include "tsm/batchload/load_run.h"

namespace tsm::bench {
namespace {

using std::chrono::duration;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

struct Shape {
  std::string name;
  std::size_t groups;
  double shortest;  // of the tasks, in seconds; those between are as many per doubling
  double longest;
  double told;  // how much of a task's length its bytes tell, 0 to 1
  nanoseconds poll_interval;
};

const std::vector<Shape>& Shapes() {
  static const std::vector<Shape> shapes = {
      {"uneven_1000", 1000, 20, 7200, 0.9, seconds(10)},
      {"unforeseen_1000", 1000, 20, 7200, 0, seconds(10)},
      {"short_1000", 1000, 20, 120, 0.9, seconds(10)},
      {"seldom_asked", 1000, 20, 7200, 0.9, seconds(60)},
      {"tasks_10000", 10'000, 30, 120, 0.9, seconds(10)},
  };
  return shapes;
}

// By line of /proc/self/status, in kB: "VmHWM", "VmRSS".
long MemoryOf(const std::string& name) {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word != name + ":") continue;
    long kilobytes = 0;
    status >> kilobytes;
    return kilobytes;
  }
  return 0;
}

class Silence final : public ProgressSink {
 public:
  void OnNotice(const Notice& notice) override {
    if (notice.severity == Severity::kError) std::fprintf(stderr, "%s\n", notice.text.c_str());
  }
  void OnProgress(const Progress&) override {}
};

nanoseconds LengthOf(const Shape& shape, double at) {
  const double length = shape.shortest * std::exp(at * std::log(shape.longest / shape.shortest));
  return std::chrono::duration_cast<nanoseconds>(duration<double>(length));
}

batchload::LoadPlan PlanOf(const Shape& shape, test::FakeBatchLoadService& service,
                           std::mt19937_64& dice) {
  batchload::LoadPlan plan;
  plan.run_id = "bench";
  plan.target_bucket = plan.source_bucket = plan.report_bucket = *s3::BucketName::Parse("bkt");
  plan.tables.resize(1);
  plan.tables[0].target = {"db", "t"};
  plan.tables[0].data_model_json = "{}";
  for (std::size_t i = 0; i < shape.groups; ++i) {
    batchload::LoadGroup group;
    group.id = "g" + std::to_string(100'000 + i);
    group.prefix = "unload/" + group.id + "/";
    group.files = 1;
    const double at = std::uniform_real_distribution<>(0, 1)(dice);
    group.bytes = static_cast<std::uint64_t>(duration<double>(LengthOf(shape, at)).count() * 1e7);
    group.rows = 1000;
    service.Put(group.prefix + "0.csv", {group.bytes, 1000, ""});
    plan.groups.push_back(std::move(group));
  }
  return plan;
}

int Measure(const Shape& shape) {
  const auto started = std::chrono::steady_clock::now();
  std::mt19937_64 dice(11);
  test::FakeBatchLoadService service;
  test::FakeClock clock;
  Silence silence;
  const batchload::LoadPlan plan = PlanOf(shape, service, dice);
  service.rules.fate = [&](const test::FakeLoadTask& task, std::size_t) {
    const double foreseen = static_cast<double>(task.bytes) / 1e7;
    const double drawn =
        duration<double>(LengthOf(shape, std::uniform_real_distribution<>(0, 1)(dice))).count();
    test::LoadFate fate;
    fate.takes = std::chrono::duration_cast<nanoseconds>(
        duration<double>(foreseen * shape.told + drawn * (1 - shape.told)));
    return std::optional(fate);
  };
  test::LoadClients clients(service, clock, silence, 1);
  clients.transport.call_time = milliseconds(50);
  std::string directory = std::filesystem::temp_directory_path() / "load_makespan_XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr) return 1;
  test::UnsyncedDisk disk;
  Result<std::unique_ptr<Journal>> journal =
      Journal::Create(std::filesystem::path(directory) / "run",
                      {"ts-batchload", "bench", "bench", "bench", 0}, clock, disk);
  if (!journal) return 1;
  batchload::LoadLedger ledger(batchload::LoadState(plan), **journal);
  batchload::ReadyGroups ready;
  ready.Close();
  batchload::LoadConduct conduct;
  conduct.poll_interval = shape.poll_interval;
  const batchload::LoadRunResult result =
      batchload::RunLoad(plan, ledger, conduct, clients.Services(), ready,
                         [&](std::size_t group) -> Result<std::vector<s3::ObjectKey>> {
                           return std::vector{s3::ObjectKey(plan.groups[group].prefix + "0.csv")};
                         },
                         {});
  std::filesystem::remove_all(directory);
  if (result.fatal || ledger.Totals().done != shape.groups) {
    std::fprintf(stderr, "%s: not done\n", shape.name.c_str());
    return 1;
  }
  const double makespan = duration<double>(service.makespan()).count();
  const double best = duration<double>(service.best_makespan(5)).count();
  const duration<double> real = std::chrono::steady_clock::now() - started;
  std::printf("%-16s %7zu %10.0f %10.0f %7.4f %10.1f %8.1f %7.1f\n", shape.name.c_str(),
              shape.groups, best, makespan, makespan / best,
              static_cast<double>(clients.transport.calls()) / static_cast<double>(shape.groups),
              static_cast<double>(MemoryOf("VmHWM")) / 1000, real.count());
  return 0;
}

int Main(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const auto known = std::any_of(Shapes().begin(), Shapes().end(),
                                   [&](const Shape& shape) { return shape.name == name; });
    if (known) continue;
    std::fprintf(stderr, "no shape is called %s\n", name.c_str());
    return 2;
  }
  std::printf("%-16s %7s %10s %10s %7s %10s %8s %7s\n", "shape", "tasks", "best s", "makespan",
              "ratio", "calls/task", "peak MB", "real s");
  bool good = true;
  for (const Shape& shape : Shapes()) {
    if (!names.empty() && std::find(names.begin(), names.end(), shape.name) == names.end()) {
      continue;
    }
    good = Measure(shape) == 0 && good;
    std::fflush(stdout);
  }
  return good ? 0 : 1;
}

}  // namespace
}  // namespace tsm::bench

int main(int argc, char** argv) {
  mallopt(M_ARENA_MAX, 1);  // as ts-batchload has it
  return tsm::bench::Main(std::vector<std::string>(argv + 1, argv + argc));
}
