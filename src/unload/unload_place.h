// The half of UnloadOptions::Check that is about where from and where to: tables, bucket and
// prefix, role. Pure.
#pragma once

#include "tsm/core/result.h"
#include "tsm/unload/unload_options.h"

namespace tsm::unload {

Result<TableScope> CheckScope(const UnloadInput& input);

// Sets destination and iam_role_arn; reads scope, partition and partitioned_by of `options`.
Status CheckDestination(const UnloadInput& input, UnloadOptions& options);

}  // namespace tsm::unload
