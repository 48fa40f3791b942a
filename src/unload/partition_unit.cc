#include "tsm/unload/partition_unit.h"

namespace tsm::unload {

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

}  // namespace tsm::unload
