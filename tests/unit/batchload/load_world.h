// A load from its plan to its end against the fake service, in virtual time, with a real journal in
// a directory of its own: what the tests of the scheduler share. Each process of a run is made anew
// from plan and journal, as a resume makes it. For one thread.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "run/run_dir.h"
#include "support/fake_batch_load_service.h"
#include "support/fake_clock.h"
#include "support/fake_transport.h"
#include "support/load_clients.h"
#include "tsm/batchload/load_run.h"

namespace tsm::test {

// Keeps what it is told.
class LoadSink final : public ProgressSink {
 public:
  void OnNotice(const Notice& notice) override { notices.push_back(notice.text); }
  void OnProgress(const Progress& progress) override { last = progress; }
  void OnEvent(const Event& event) override { ++events[std::string(event.kind)]; }

  bool Told(const std::string& part) const;
  std::size_t CountTold(const std::string& part) const;

  std::vector<std::string> notices;
  std::map<std::string, std::size_t> events;
  Progress last;
};

class LoadWorld {
 public:
  explicit LoadWorld(std::uint64_t seed = 1);

  FakeClock clock;
  FakeBatchLoadService service;
  batchload::LoadPlan plan;  // no copy; one table db.t; no groups yet
  batchload::LoadConduct conduct;
  batchload::LoadInterrupts interrupts;
  FakeTransport::Hook before;
  FakeTransport::Hook after;
  std::chrono::nanoseconds call_time{0};
  // Called now and then while the run goes on: what copies would do. Without it all are ready.
  std::function<void(batchload::LoadLedger& ledger, batchload::ReadyGroups& ready)> copies;

  // A group of so many files, `rows` and `megabytes` in each, which lie in the bucket.
  void AddGroup(std::uint64_t megabytes = 10, std::uint64_t rows = 100, std::uint32_t files = 2,
                std::size_t table = 0);
  void AddTable(const std::string& name);
  // One process, to its end.
  batchload::LoadRunResult Run();

  batchload::GroupState Group(std::size_t group) const;
  batchload::LoadTotals Totals() const { return state_->Totals(); }
  const batchload::LoadState& state() const { return *state_; }
  LoadSink& sink() { return *sink_; }  // of the last process
  FakeTransport& transport() { return clients_->transport; }
  std::filesystem::path run_dir() const { return dir_.path() / "run"; }
  UnixNanos Now() const;

 private:
  RunDir dir_;
  UnsyncedDisk disk_;
  std::uint64_t seed_;
  std::unique_ptr<LoadSink> sink_;
  std::unique_ptr<LoadClients> clients_;
  std::unique_ptr<batchload::LoadState> state_;  // after the last process
};

// Why a run did not end well; "" where every group is done.
std::string WhyNotLoaded(const LoadWorld& world, const batchload::LoadRunResult& result);

}  // namespace tsm::test
