// Where runs live on this machine: `<state dir>/<run id>/` holds all that a run remembers and
// leaves (journal, plan, events, report). Directories have mode 0700 and files 0600: SQL and table
// names are nobody else's. No state; safe from several threads, a file's two writers excepted.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tsm/aws/environment.h"
#include "tsm/core/clock.h"
#include "tsm/core/journal.h"
#include "tsm/core/local_file.h"
#include "tsm/core/random.h"
#include "tsm/core/result.h"

namespace tsm::run {

// $XDG_STATE_HOME/ts-migration where that is an absolute path (others count as not set), else
// $HOME/.local/state/ts-migration. kConfiguration, naming --state_dir, where neither is known.
// https://specifications.freedesktop.org/basedir-spec/latest/#variables
Result<std::filesystem::path> DefaultStateDir(const aws::Environment& environment);

// Letters, digits and dashes, a dash not first, at most 100: a name that can be neither a path nor
// a flag.
bool IsRunId(std::string_view text);

// "20261122T024500Z-4f3a9c": sorts by time, and two runs of one second differ.
std::string MakeRunId(const Clock& clock, Random& random);

// `<state dir>/<run id>`; makes nothing. kInvalidInput where it is no run id.
Result<std::filesystem::path> RunDirectory(const std::filesystem::path& state_dir,
                                           std::string_view run_id);

struct StoredRun {
  std::string run_id;
  std::filesystem::path directory;
  // Nothing where the journal has no whole header, or one of a newer program's: it still is a run.
  std::optional<JournalHeader> header;
  UnixNanos begun = 0;  // the header's `created`, else when the journal was last written
};

// The runs of a state directory, newest first: its folders with a run id for a name and a journal.
// No lock is taken and of each journal only the first line is read. None where the directory does
// not exist; kLocalIo where it can't be read.
Result<std::vector<StoredRun>> ListRuns(const std::filesystem::path& state_dir);

// Replaces the file by `text` or leaves it as it was, whenever the process or the machine may die;
// on the disk when it returns. Missing directories are made. kLocalIo names path and reason.
Status WriteFileDurably(const std::filesystem::path& path, std::string_view text,
                        JournalDisk& disk = SystemJournalDisk());

// The whole file. kNotFound; kLocalIo where it can't be read, is no regular file or has more than
// `limit` bytes.
Result<std::string> ReadWholeFile(const std::filesystem::path& path, std::size_t limit);

}  // namespace tsm::run
