// Measure values and times as the Write API and batch load carry them: text of a declared type.
// https://docs.aws.amazon.com/timestream/latest/developerguide/supported-data-types.html
// Pure functions, strict: nothing is rounded, cut or guessed.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "ts_local/table_store.h"

namespace ts_local {

enum class TimeUnit { kSeconds, kMilliseconds, kMicroseconds, kNanoseconds };

// "SECONDS", ...; nothing for other text.
std::optional<TimeUnit> ParseTimeUnit(std::string_view text);
// "DOUBLE", ...; nothing for other text, "MULTI" included.
std::optional<ScalarType> ParseScalarType(std::string_view text);

// A whole number of units since the epoch, as nanoseconds; nothing where the text is no number, is
// before 1970 or does not fit.
std::optional<std::int64_t> ParseEpoch(std::string_view text, TimeUnit unit);

// Nothing where the text is not a value of the type (NaN and infinities included). A TIMESTAMP is
// an epoch in `unit`: that it is read in the record's TimeUnit is documented nowhere.
std::optional<Value> ParseMeasure(ScalarType type, std::string_view text, TimeUnit unit);

}  // namespace ts_local
