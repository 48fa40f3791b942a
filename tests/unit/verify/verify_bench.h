// The verify room's functions on a fake service and clock: what its tests share. For one thread.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "support/fake_clock.h"
#include "support/fake_rows.h"
#include "support/unload_clients.h"
#include "tsm/verify/verify_table.h"

namespace tsm::test {

class VerifySink final : public ProgressSink {
 public:
  void OnNotice(const Notice& notice) override {
    notices.push_back(notice.text);
    if (on_notice) on_notice(notice);
  }
  void OnProgress(const Progress& seen) override { progress.push_back(seen); }

  std::vector<std::string> notices;
  std::vector<Progress> progress;
  std::function<void(const Notice&)> on_notice;
};

inline constexpr UnixNanos kSecond = 1'000'000'000;
inline constexpr UnixNanos kDay = 86'400 * kSecond;
inline constexpr UnixNanos kFebruary26 = 19'779 * kDay;  // 2024-02-26

struct VerifyBench {
  FakeClock clock;
  FakeRowsService service;
  VerifySink sink;
  UnloadClients clients{service, clock, sink, 7};
  SeededRandom random{11};
  std::stop_source stop;
  int ticks = 0;
  const timestream::TableRef table{"db", "t"};

  FakeRows& Rows() { return service.tables[table]; }
  UnixNanos Now() const {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(clock.Now().time_since_epoch())
        .count();
  }
  verify::VerifyServices Services() {
    return {clients.Services().query, clock, random, sink, [this]() -> Status {
              ++ticks;
              return Ok();
            }};
  }
  std::chrono::nanoseconds Slept() const {
    std::chrono::nanoseconds slept{0};
    for (const auto sleep : clock.sleeps()) slept += sleep;
    return slept;
  }
};

}  // namespace tsm::test
