// The flags of batch load's limits.
#pragma once

#include "ts_local/batch_load_limits.h"

namespace CLI {
class App;
}  // namespace CLI

namespace ts_local {

// `limits` must outlive the parsing.
void AddBatchLoadOptions(CLI::App* app, BatchLoadLimits* limits);

}  // namespace ts_local
