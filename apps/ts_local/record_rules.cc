#include "ts_local/record_rules.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "ts_local/value_text.h"

namespace ts_local {
namespace {

bool FitsType(ScalarType type, const Value& value) {
  switch (type) {
    case ScalarType::kVarchar:
      return std::holds_alternative<std::string>(value);
    case ScalarType::kDouble:
      return std::holds_alternative<double>(value);
    case ScalarType::kBigint:
      return std::holds_alternative<std::int64_t>(value);
    case ScalarType::kBoolean:
      return std::holds_alternative<bool>(value);
    case ScalarType::kTimestamp:
      return std::holds_alternative<Timestamp>(value);
  }
  return false;
}

std::string CheckMeasures(const Record& record) {
  if (record.measures.empty()) return "The record has no measure value.";
  if (record.multi && record.measures.size() > kMaxMeasuresPerRecord) {
    return "A multi-measure record may have at most 256 measures.";
  }
  std::size_t bytes = 0;
  for (const auto& [column, value] : record.measures) {
    if (!FitsType(column.type, value)) return "The measure value does not have its type.";
    if (const auto* number = std::get_if<double>(&value)) {
      if (!std::isfinite(*number)) return "Measure values may not be NaN or infinite.";
      bytes += sizeof(double);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      if (text->empty()) return "Measure value can't be empty.";
      bytes += text->size();
    } else {
      bytes += sizeof(std::int64_t);
    }
  }
  if (bytes > kMaxValueBytes) return "The measure values of a record may have at most 2048 bytes.";
  for (std::size_t i = 0; i < record.measures.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (record.measures[i].first.name == record.measures[k].first.name) {
        return "The record has two measures named " + record.measures[i].first.name + ".";
      }
    }
  }
  return {};
}

std::string CheckDimensions(const Record& record) {
  if (record.dimensions.empty()) return "The record has no dimension.";
  if (record.dimensions.size() > kMaxDimensions) {
    return "A record may have at most 128 dimensions.";
  }
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < record.dimensions.size(); ++i) {
    const auto& [name, value] = record.dimensions[i];
    bytes += name.size() + value.size();
    for (std::size_t k = 0; k < i; ++k) {
      if (record.dimensions[k].first == name)
        return "Duplicate dimensions are not allowed: " + name;
    }
  }
  if (bytes > kMaxSeriesBytes) {
    return "Dimension names and values of a record may have at most 2048 bytes.";
  }
  return {};
}

std::string IsoMillis(std::int64_t ns) {
  const CivilTime time = ToCivil(ns);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", time.year, time.month,
                time.day, time.hour, time.minute, time.second,
                static_cast<int>(time.nanosecond / 1'000'000));
  return text;
}

}  // namespace

std::string CheckColumnName(std::string_view name, std::size_t max_bytes) {
  if (name.empty()) return "A name may not be empty.";
  if (name.size() > max_bytes) {
    return "The name " + std::string(name) + " has more than " + std::to_string(max_bytes) +
           " bytes.";
  }
  static constexpr std::array<std::string_view, 3> kReserved{"measure_value", "ts_non_existent_col",
                                                             "time"};
  if (std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end() ||
      name.starts_with("ts_") || name.starts_with("measure_name")) {
    return "The name " + std::string(name) + " is reserved.";
  }
  return {};
}

std::string CheckRecord(const Record& record) {
  if (record.measure_name.empty()) return "The record has no measure name.";
  if (record.measure_name.size() > kMaxMeasureNameBytes) {
    return "A measure name may have at most 256 bytes.";
  }
  if (record.version < 1) return "The record version must be at least 1.";
  std::string reason = CheckDimensions(record);
  if (reason.empty()) reason = CheckMeasures(record);
  return reason;
}

std::string CheckPartitionKey(const TableProperties& properties, const Record& record) {
  const auto& key = properties.partition_key;
  if (!key || key->is_measure || !key->required) return {};
  const auto& dimensions = record.dimensions;
  const bool present =
      std::any_of(dimensions.begin(), dimensions.end(), [&](const auto& dimension) {
        return dimension.first == key->name && !dimension.second.empty();
      });
  if (present) return {};
  return "The record does not have the partition key dimension " + key->name +
         ", which the table requires.";
}

std::int64_t RetentionCutoff(const TableProperties& properties, std::int64_t now_ns) {
  // 73,000 days (the most) are 6.3e18 ns, which fits.
  return std::max<std::int64_t>(0, now_ns - properties.magnetic_days * kDayNs);
}

std::string CheckTime(const TableProperties& properties, std::int64_t now_ns, std::int64_t time_ns,
                      bool* magnetic) {
  const std::int64_t memory_from =
      std::max<std::int64_t>(0, now_ns - properties.memory_hours * kHourNs);
  const std::int64_t to = now_ns + kFutureWindowNs;
  *magnetic = time_ns < memory_from;
  if (!properties.magnetic_writes && (*magnetic || time_ns >= to)) {
    return "The record timestamp is outside the time range [" + IsoMillis(memory_from) + ", " +
           IsoMillis(to) + ") of the memory store.";
  }
  if (time_ns < RetentionCutoff(properties, now_ns) || time_ns >= to) {
    return "The record timestamp is outside the time range of the data ingestion window.";
  }
  return {};
}

}  // namespace ts_local
