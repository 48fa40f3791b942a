#include "tsm/core/parallel.h"

#include <algorithm>
#include <atomic>
#include <system_error>
#include <thread>
#include <vector>

namespace tsm {

std::size_t ParallelFor(std::size_t count, std::size_t threads, std::stop_token stop,
                        const std::function<bool(std::size_t index, std::stop_token stop)>& work) {
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> started{0};
  std::atomic<bool> failed{false};
  const auto drain = [&] {
    while (!failed && !stop.stop_requested()) {
      const std::size_t index = next.fetch_add(1);
      if (index >= count) return;
      started.fetch_add(1);
      if (!work(index, stop)) failed = true;
    }
  };
  // The caller's thread is one of the pool, so work goes on even where no thread can be made.
  const std::size_t helpers =
      std::min(count, std::max<std::size_t>(threads, 1)) - (count > 0 ? 1 : 0);
  std::vector<std::jthread> pool;
  pool.reserve(helpers);
  for (std::size_t i = 0; i < helpers; ++i) {
    try {
      pool.emplace_back(drain);
    } catch (const std::system_error&) {
      break;
    }
  }
  drain();
  pool.clear();  // joins
  return started.load();
}

}  // namespace tsm
