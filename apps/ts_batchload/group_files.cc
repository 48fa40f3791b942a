#include "ts_batchload/group_files.h"

#include <algorithm>
#include <utility>

namespace tsm::apps {

Result<std::unique_ptr<SpoolFeed>> SpoolFeed::Open(const std::filesystem::path& directory,
                                                   const batchload::TableLoad& table,
                                                   Wanted wanted) {
  Result<std::unique_ptr<run::FileSpoolReader>> reader =
      run::FileSpoolReader::Open(directory / table.spool);
  if (!reader) return reader.error();
  return std::unique_ptr<SpoolFeed>(new SpoolFeed(*std::move(reader), std::move(wanted)));
}

Result<std::optional<run::SpooledFile>> SpoolFeed::Next() {
  while (true) {
    Result<std::optional<run::SpooledFile>> file = reader_->Next();
    if (!file || !*file || wanted_((*file)->group)) return file;
  }
}

Result<std::vector<s3::ObjectKey>> KeysOfGroup(const std::filesystem::path& directory,
                                               const batchload::LoadPlan& plan, std::size_t group,
                                               const batchload::GroupState& state) {
  const batchload::LoadGroup& planned = plan.groups[group];
  const batchload::TableLoad& table = plan.tables[planned.table];
  Result<std::unique_ptr<run::FileSpoolReader>> reader =
      run::FileSpoolReader::Open(directory / table.spool, planned.offset);
  if (!reader) return reader.error();
  std::vector<s3::ObjectKey> keys;
  for (std::uint32_t i = 0; i < planned.files; ++i) {
    Result<std::optional<run::SpooledFile>> file = (*reader)->Next();
    if (!file) return file.error();
    if (!*file || (*file)->group != group) {
      return MakeError(ErrorKind::kLocalIo, (directory / table.spool).string() + " has not the " +
                                                std::to_string(planned.files) + " files of group " +
                                                planned.id);
    }
    if (!table.gzip) {
      keys.push_back((*file)->target);
      continue;
    }
    const std::uint64_t objects = (*file)->ordinal < state.inflated_objects.size()
                                      ? state.inflated_objects[(*file)->ordinal]
                                      : 0;
    for (std::uint32_t object = 0; object < objects; ++object) {
      keys.push_back(copy::InflatedKey((*file)->target, object));
    }
  }
  std::sort(keys.begin(), keys.end());
  return keys;
}

std::vector<std::string> PrefixesOf(const batchload::LoadPlan& plan, std::size_t table,
                                    const std::vector<bool>& wanted) {
  std::vector<std::string> prefixes;
  for (std::size_t i = 0; i < plan.groups.size(); ++i) {
    if (plan.groups[i].table == table && wanted[i]) prefixes.push_back(plan.groups[i].prefix);
  }
  std::sort(prefixes.begin(), prefixes.end());
  prefixes.erase(std::unique(prefixes.begin(), prefixes.end()), prefixes.end());
  return prefixes;
}

}  // namespace tsm::apps
