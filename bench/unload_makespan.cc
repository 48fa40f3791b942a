// usage: unload_makespan [SHAPE...]
//
// How long an unload takes by the service's clock, beside one UNLOAD after the other and the best
// possible under one start a second and --parallel, and what memory its process takes. Time is
// virtual and the service a fake in a process of its own; the run, its clients and its journal are
// the real ones. Without a shape all are run, one after the other, each in a process of its own.
#include <malloc.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "piped_server.h"
#include "support/fake_unload_service.h"
#include "support/unload_clients.h"
#include "tsm/run/state_dir.h"
#include "tsm/unload/plan_unload.h"

namespace tsm::bench {
namespace {

using std::chrono::duration;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using timestream::PartitionUnit;

struct Shape {
  std::string name;
  std::string partition;  // as --partition has it
  PartitionUnit unit;
  std::size_t partitions;
  std::uint64_t rows;   // of each partition
  std::uint64_t files;  // of each partition
  std::size_t parallel;
  nanoseconds base;     // of an UNLOAD
  nanoseconds per_row;  // beside it
  bool survey;
};

const std::vector<Shape>& Shapes() {
  using std::chrono::microseconds;
  using std::chrono::milliseconds;
  static const std::vector<Shape> shapes = {
      {"three_years_by_day", "day", PartitionUnit::kDay, 1096, 1'000'000, 4, 4, seconds(30),
       microseconds(3), false},
      {"a_month_by_hour", "hour", PartitionUnit::kHour, 720, 40'000, 1, 4, seconds(20),
       microseconds(3), false},
      {"one_at_a_time", "day", PartitionUnit::kDay, 1096, 1'000'000, 4, 1, seconds(30),
       microseconds(3), false},
      {"many_small", "hour", PartitionUnit::kHour, 20'000, 100, 1, 16, seconds(6), milliseconds(0),
       false},
      {"partitions_100000", "hour", PartitionUnit::kHour, 100'000, 1000, 1, 8, seconds(20),
       microseconds(100), false},
      {"files_1000000", "hour", PartitionUnit::kHour, 100'000, 1000, 10, 8, seconds(20),
       microseconds(100), false},
      {"files_1000000_by_4", "hour", PartitionUnit::kHour, 100'000, 1000, 10, 4, seconds(20),
       microseconds(100), false},
      {"files_1000000_survey", "hour", PartitionUnit::kHour, 100'000, 1000, 10, 8, seconds(20),
       microseconds(100), true},
  };
  return shapes;
}

constexpr UnixNanos kFrom = 1'420'070'400'000'000'000;  // 2015-01-01

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

void ServeShape(const Shape& shape, const std::function<void(PipedServer::Parts)>& serve) {
  test::FakeUnloadService service;
  test::FakeTable table({"db", "t"}, shape.unit);
  table.bytes_per_row = 100;
  table.files_per_partition = shape.files;
  table.Fill(kFrom, shape.partitions, shape.rows);
  service.AddTable(std::move(table));
  service.With([&](test::FakeUnloadService::World& world) {
    world.unloads.rules.base = shape.base;
    world.unloads.rules.per_row = shape.per_row;
    world.unloads.rules.page_hold = seconds(55);
  });
  serve({service, [&](const std::string& question) -> std::string {
           if (question == "unloads") return std::to_string(service.starts());
           if (question == "makespan") return std::to_string(service.makespan().count());
           if (question == "sequential") return std::to_string(service.sequential_time().count());
           return std::to_string(service.best_makespan(shape.parallel).count());
         }});
}

double SecondsOf(const std::string& nanos) {
  return duration<double>(nanoseconds(std::stoll(nanos))).count();
}

Result<unload::UnloadSummary> RunShape(const Shape& shape, const std::filesystem::path& directory,
                                       test::UnloadClients& clients, const Clock& clock) {
  unload::UnloadInput input;
  input.database = "db";
  input.table = "t";
  input.s3_uri = "s3://bkt/unload";
  input.partition = shape.partition;
  input.parallel = std::to_string(shape.parallel);
  input.survey = shape.survey;
  Result<unload::UnloadOptions> options = unload::UnloadOptions::Check(input);
  if (!options) return options.error();
  const unload::UnloadServices services = clients.Services();
  Result<unload::PlannedUnload> planned =
      unload::PlanUnload(*options, services, &clients.write(),
                         run::MakeRunId(services.clock, services.random), std::stop_token());
  if (!planned) return planned.error();
  const unload::UnloadPlan plan = std::move(planned->plan);
  test::UnsyncedDisk disk;
  Result<std::unique_ptr<Journal>> journal = Journal::Create(
      directory, {"ts-unload", plan.run_id, plan.run_id, plan.Title(), 0}, clock, disk);
  if (!journal) return journal.error();
  unload::UnloadLedger ledger(unload::UnloadState(plan), **journal);
  unload::UnloadConduct conduct;
  conduct.settings = options->run;
  return unload::RunUnload(plan, ledger, conduct, services, {});
}

int Measure(const Shape& shape) {
  PipedServer server([&](const auto& serve) { ServeShape(shape, serve); });
  const test::SimulatedClock clock;
  server.SetClock(&clock);
  Silence silence;
  test::UnloadClients clients(server, clock, silence, 1);
  const long before = MemoryOf("VmHWM");
  const auto started = std::chrono::steady_clock::now();
  std::string directory = std::filesystem::temp_directory_path() / "unload_makespan_XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr) return 1;
  const Result<unload::UnloadSummary> summary =
      RunShape(shape, std::filesystem::path(directory) / "run", clients, clock);
  std::filesystem::remove_all(directory);
  const long peak = MemoryOf("VmHWM");
  const duration<double> real = std::chrono::steady_clock::now() - started;
  if (!summary || summary->outcome != unload::UnloadOutcome::kDone) {
    std::fprintf(stderr, "%s: %s\n", shape.name.c_str(),
                 summary ? "not done" : summary.error().Text().c_str());
    return 1;
  }
  const double makespan = SecondsOf(server.Ask("makespan"));
  const double best = SecondsOf(server.Ask("best"));
  std::printf("%-22s %10zu %9llu %8s %8zu %11.0f %9.0f %9.0f %6.3f %7llu %8.1f %8.1f %7.1f\n",
              shape.name.c_str(), shape.partitions,
              static_cast<unsigned long long>(summary->tables[0].files),
              server.Ask("unloads").c_str(), shape.parallel, SecondsOf(server.Ask("sequential")),
              makespan, best, makespan / best,
              static_cast<unsigned long long>(clients.transport.calls()),
              static_cast<double>(before) / 1000, static_cast<double>(peak) / 1000, real.count());
  return 0;
}

// In a process of its own, so that one shape's memory is none of the next one's.
bool MeasureApart(const Shape& shape) {
  std::fflush(stdout);
  const pid_t child = ::fork();
  if (child < 0) return false;
  if (child == 0) {
    const int status = Measure(shape);
    std::fflush(stdout);
    std::_Exit(status);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int Main(const std::vector<std::string>& names) {
  std::printf("%-22s %10s %9s %8s %8s %11s %9s %9s %6s %7s %8s %8s %7s\n", "shape", "partitions",
              "files", "unloads", "parallel", "sequential", "makespan", "best", "ratio", "calls",
              "start MB", "peak MB", "real s");
  bool good = true;
  for (const std::string& name : names) {
    const auto known = std::any_of(Shapes().begin(), Shapes().end(),
                                   [&](const Shape& shape) { return shape.name == name; });
    if (known) continue;
    std::fprintf(stderr, "no shape is called %s\n", name.c_str());
    return 2;
  }
  for (const Shape& shape : Shapes()) {
    if (!names.empty() && std::find(names.begin(), names.end(), shape.name) == names.end()) {
      continue;
    }
    good = MeasureApart(shape) && good;
  }
  return good ? 0 : 1;
}

}  // namespace
}  // namespace tsm::bench

int main(int argc, char** argv) {
  mallopt(M_ARENA_MAX, 1);  // as ts-unload has it
  return tsm::bench::Main(std::vector<std::string>(argv + 1, argv + argc));
}
