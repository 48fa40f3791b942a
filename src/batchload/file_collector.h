// Takes the files of one table as they are found: refuses those that can't be loaded, adds up, and
// sorts them for their groups. For one thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "found_file.h"
#include "load_groups.h"
#include "tsm/core/progress.h"
#include "tsm/core/result.h"
#include "tsm/core/sorted_spool.h"

namespace tsm::batchload {

class FileCollector {
 public:
  // `rules` stay the caller's, and are as they will be when the groups are drafted.
  FileCollector(const GroupRules& rules, const std::filesystem::path& directory,
                ProgressSink& sink);

  // kInvalidInput as CheckFile's; kLocalIo.
  Status Add(const FoundFile& file);
  // kOther and kStrange: kept only where they may lie in a group's way.
  Status AddOther(const s3::ObjectSummary& object, FoundFile::Kind kind);

  SortedSpool& spool() { return spool_; }
  std::uint64_t files() const { return files_; }
  std::uint64_t bytes() const { return bytes_; }
  // Nothing where one file does not tell.
  std::optional<std::uint64_t> rows() const { return rows_; }
  // The first that is not empty.
  const std::optional<FoundFile>& sample() const { return sample_; }

  Findings findings;

 private:
  const GroupRules& rules_;
  ProgressSink& sink_;
  SortedSpool spool_;
  std::uint64_t files_ = 0;
  std::uint64_t bytes_ = 0;
  std::optional<std::uint64_t> rows_ = 0;
  std::optional<FoundFile> sample_;
};

}  // namespace tsm::batchload
