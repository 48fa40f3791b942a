#include "partition_rows.h"

namespace tsm::unload {

PartitionRows::PartitionRows(const UnloadPlan& plan) : plan_(plan), counts_(plan.tables.size()) {}

void PartitionRows::Add(const SliceRef& ref, const Attempt& attempt,
                        const run::Manifest& manifest) {
  const TableSelect& select = plan_.tables[ref.table].select;
  const bool folders = select.partition != PartitionUnit::kNone || !select.partitioned_by.empty();
  const std::string prefix = attempt.results_prefix();
  const std::lock_guard lock(mutex_);
  if (!seen_.insert(ref).second) return;
  Counts& counts = counts_[ref.table];
  for (const run::ManifestFile& file : manifest.files) {
    const std::string_view key = file.uri.key.str();
    counts[folders && key.starts_with(prefix) ? PartitionValues(key.substr(prefix.size()))
                                              : PlannedSlice(ref.slice)] += file.rows;
  }
}

void PartitionRows::Forget(std::size_t table) {
  const std::lock_guard lock(mutex_);
  counts_[table].clear();
  std::erase_if(seen_, [&](const SliceRef& ref) { return ref.table == table; });
}

bool PartitionRows::Has(const SliceRef& ref) const {
  const std::lock_guard lock(mutex_);
  return seen_.count(ref) > 0;
}

std::string PartitionValues(std::string_view key_behind_results) {
  std::string values;
  std::size_t start = 0;
  for (std::size_t slash = key_behind_results.find('/'); slash != std::string_view::npos;
       slash = key_behind_results.find('/', start)) {
    const std::string_view folder = key_behind_results.substr(start, slash - start);
    const std::size_t equals = folder.find('=');
    if (!values.empty()) values += '/';
    values += equals == std::string_view::npos ? folder : folder.substr(equals + 1);
    start = slash + 1;
  }
  return values;
}

std::string PlannedSlice(std::string_view slice) {
  return std::string(slice.substr(0, slice.find_first_not_of("0123456789")));
}

}  // namespace tsm::unload
