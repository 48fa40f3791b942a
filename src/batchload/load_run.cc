#include "tsm/batchload/load_run.h"

#include <utility>

#include "load_loop.h"

namespace tsm::batchload {

void ReadyGroups::Push(std::size_t group) {
  const std::lock_guard lock(mutex_);
  groups_.push_back(group);
}

void ReadyGroups::Close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

std::vector<std::size_t> ReadyGroups::Take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(groups_, {});
}

bool ReadyGroups::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_ && groups_.empty();
}

LoadRunResult RunLoad(const LoadPlan& plan, LoadLedger& ledger, const LoadConduct& conduct,
                      const LoadServices& services, ReadyGroups& ready, const GroupKeys& keys,
                      const LoadInterrupts& interrupts) {
  return LoadLoop(plan, ledger, conduct, services, ready, keys, interrupts).Run();
}

}  // namespace tsm::batchload
