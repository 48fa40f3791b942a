#include "run_context.h"

#include <utility>

namespace tsm::unload {

RunContext::RunContext(const UnloadPlan& run_plan, UnloadLedger& run_ledger,
                       const UnloadConduct& run_conduct, const UnloadServices& run_services,
                       const UnloadInterrupts& run_interrupts)
    : plan(run_plan),
      ledger(run_ledger),
      conduct(run_conduct),
      services(run_services),
      starts(run_services.clock, run_conduct.settings.start_interval),
      progress(run_ledger, run_services),
      partition_rows(run_plan),
      interrupts_(run_interrupts),
      on_drain_(run_interrupts.drain,
                [this] {
                  drain_.request_stop();
                  TellDrain();
                }),
      on_stop_(run_interrupts.stop, [this] {
        drain_.request_stop();
        stop_.request_stop();
      }) {}

void RunContext::TellDrain() const {
  const std::uint64_t running = ledger.Totals().running;
  services.progress.Warn(running == 0
                             ? std::string("interrupted: nothing more is started")
                             : "interrupted: nothing more is started; " + std::to_string(running) +
                                   (running == 1 ? " UNLOAD is" : " UNLOADs are") +
                                   " followed to the end, a second interrupt cancels what runs");
}

void RunContext::Fail(Error error) {
  {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::move(error);
  }
  drain_.request_stop();
  stop_.request_stop();
}

std::optional<Error> RunContext::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

Status RunContext::Tick() {
  if (conduct.tick) {
    if (Status kept = conduct.tick(); !kept) return kept;
  }
  return ledger.FlushIfDue();
}

UnixNanos RunContext::Now() const {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             services.clock.Now().time_since_epoch())
      .count();
}

}  // namespace tsm::unload
