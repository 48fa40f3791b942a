#include "tsm/timestream/partition_unit.h"

namespace tsm::timestream {

std::string_view Name(PartitionUnit unit) {
  switch (unit) {
    case PartitionUnit::kNone:
      return "";
    case PartitionUnit::kHour:
      return "hour";
    case PartitionUnit::kDay:
      return "day";
    case PartitionUnit::kMonth:
      return "month";
    case PartitionUnit::kYear:
      return "year";
  }
  return "";
}

std::optional<PartitionUnit> ParsePartitionUnit(std::string_view name) {
  for (const PartitionUnit unit : {PartitionUnit::kNone, PartitionUnit::kHour, PartitionUnit::kDay,
                                   PartitionUnit::kMonth, PartitionUnit::kYear}) {
    if (name == Name(unit)) return unit;
  }
  return std::nullopt;
}

}  // namespace tsm::timestream
