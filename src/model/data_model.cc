#include "tsm/model/data_model.h"

#include <algorithm>

namespace tsm::model {

std::string_view Name(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kSeconds:
      return "SECONDS";
    case TimeUnit::kMilliseconds:
      return "MILLISECONDS";
    case TimeUnit::kMicroseconds:
      return "MICROSECONDS";
    case TimeUnit::kNanoseconds:
      return "NANOSECONDS";
  }
  return "MILLISECONDS";
}

std::string_view Name(MeasureType type) {
  switch (type) {
    case MeasureType::kDouble:
      return "DOUBLE";
    case MeasureType::kBigint:
      return "BIGINT";
    case MeasureType::kBoolean:
      return "BOOLEAN";
    case MeasureType::kVarchar:
      return "VARCHAR";
    case MeasureType::kTimestamp:
      return "TIMESTAMP";
    case MeasureType::kMulti:
      return "MULTI";
  }
  return "VARCHAR";
}

const std::string& MixedMeasureMapping::Target() const {
  if (!target_name.empty()) return target_name;
  return measure_name.empty() ? source_column : measure_name;
}

bool DataModel::HasDimension(std::string_view name) const {
  return std::any_of(dimensions.begin(), dimensions.end(), [name](const DimensionMapping& mapping) {
    return mapping.Destination() == name;
  });
}

}  // namespace tsm::model
