// ParallelFor: a small pool of threads over an index range, the one way the library runs calls side
// by side. Blocks until every started call has returned.
#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>

namespace tsm {

// Calls `work(index, stop)` for 0 <= index < count on at most `threads` threads, in index order of
// start. Once `stop` is requested, or a call returns false, no further index is started; calls
// under way finish. Returns how many indexes were started. `work` must not throw.
std::size_t ParallelFor(std::size_t count, std::size_t threads, std::stop_token stop,
                        const std::function<bool(std::size_t index, std::stop_token stop)>& work);

}  // namespace tsm
