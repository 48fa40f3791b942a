// What an error of S3 means to a copy: whether it passes, fails the file alone or all of them, and
// in which words the operator hears of it. Pure.
#pragma once

#include "tsm/copy/copy_run.h"
#include "tsm/core/error.h"

namespace tsm::copy {

// May be gone when asked again later.
bool IsPassing(const Error& error);

// Would meet every other file alike.
bool IsFatal(const Error& error);

// The upload is not there any more (a lifecycle rule, another process): its file begins anew.
bool LostUpload(const Error& error);

// Which request it was tells whose permission or object is meant.
enum class Side { kSource, kTarget, kBoth };

// The error with what to do about it.
Error Explain(Error error, Side side, const CopyOptions& options, const run::SpooledFile& file);

}  // namespace tsm::copy
