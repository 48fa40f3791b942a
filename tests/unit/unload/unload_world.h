// An unload from its flags to its end against the fake service, in virtual time, with a real
// journal in a directory of its own: what the tests of the run and the bench share. Each process of
// a run is made anew from plan and journal, as a resume makes it. For one thread.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "run/run_dir.h"
#include "support/fake_transport.h"
#include "support/fake_unload_service.h"
#include "support/simulated_clock.h"
#include "support/unload_clients.h"
#include "tsm/core/journal.h"
#include "tsm/run/run_record.h"
#include "tsm/unload/plan_unload.h"
#include "tsm/unload/unload_ledger.h"
#include "tsm/unload/unload_run.h"

namespace tsm::test {

// Keeps what it is told. Thread-safe.
class NoticeSink final : public ProgressSink {
 public:
  void OnNotice(const Notice& notice) override;
  void OnProgress(const Progress& progress) override;
  void OnEvent(const Event& event) override;

  std::vector<std::string> Notices() const;
  bool Told(const std::string& part) const;  // in any notice
  std::size_t CountEvents(std::string_view kind) const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> notices_;
  std::map<std::string, std::size_t, std::less<>> events_;
};

// One process of a run: what it was told goes with it.
struct UnloadProcess {
  UnloadProcess(FakeServer& server, const Clock& clock, std::uint64_t seed)
      : clients(server, clock, sink, seed), transport(clients.transport) {}

  NoticeSink sink;
  UnloadClients clients;
  FakeTransport& transport;
};

class UnloadWorld {
 public:
  explicit UnloadWorld(std::uint64_t seed = 1);

  SimulatedClock clock;
  FakeUnloadService service;
  // What a process is made with; may be changed between two.
  unload::UnloadInput input;  // db.t, by day, to s3://bkt/unload
  FakeTransport::Hook before;
  FakeTransport::Hook after;
  std::chrono::nanoseconds call_time{0};
  unload::UnloadInterrupts interrupts;
  std::function<Status()> tick;
  // Options beyond the flags' checks, for tests.
  std::function<void(unload::UnloadPlan& plan)> adjust_plan;

  // Plans with the flags; a failure fails the test. Then Run creates the journal, and each later
  // Run goes on with it.
  const unload::UnloadPlan& Plan();
  Result<unload::UnloadPlan> TryPlan();
  Result<unload::UnloadSummary> Run();

  const unload::UnloadPlan& plan() const { return *plan_; }
  void SetPlan(unload::UnloadPlan plan) { plan_ = std::move(plan); }
  std::filesystem::path run_dir() const { return dir_.path() / "run"; }
  // Of the last process.
  UnloadProcess& process() { return *process_; }
  std::uint64_t calls() const { return process_->transport.calls(); }

  FakeTable& Table() { return service.AddTable(FakeTable()); }
  // The table's record, read from the bucket; a failure fails the test.
  run::RunRecord Record(std::size_t table = 0);

 private:
  UnloadProcess& NewProcess();

  RunDir dir_;
  UnsyncedDisk disk_;
  std::uint64_t seed_;
  std::optional<unload::UnloadPlan> plan_;
  std::unique_ptr<UnloadProcess> process_;
};

// Every way in which the bucket contradicts a finished run: the record vouches for exactly one
// manifest per slice, these hold all rows of the range, their files are there, and below results/
// lies no data file that they do not name. Empty: all is well.
std::vector<std::string> Contradictions(UnloadWorld& world, std::size_t table = 0);

// Why a run did not end well; "" where it did.
std::string WhyNotDone(const Result<unload::UnloadSummary>& summary);

inline constexpr UnixNanos kDayNanos = 86'400'000'000'000;
inline constexpr UnixNanos kJanuary2024 = 1'704'067'200'000'000'000;  // 2024-01-01

}  // namespace tsm::test
