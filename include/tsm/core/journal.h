// The memory of a run: the file `journal` of its run directory, one line of JSON per fact, in the
// order in which the facts became true. What must not be done twice is written here and on the disk
// before it is done; whoever opens the journal again is shown every entry and goes on from there.
// One process at a time writes (a lock that ends with the process); any number may Read beside it.
// A Journal is thread-safe. Clock and JournalDisk are the caller's and outlive it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "tsm/core/clock.h"
#include "tsm/core/result.h"

namespace tsm {

inline constexpr int kJournalFormat = 1;
inline constexpr std::string_view kJournalFileName = "journal";
// An UNLOAD statement has at most 262,144 bytes, each of which JSON may write as six.
inline constexpr std::size_t kMaxJournalLine = std::size_t{4} << 20U;
// Grouped entries are put on the disk together once there are so many, or the first is so old.
inline constexpr std::size_t kJournalGroupEntries = 1000;
inline constexpr std::chrono::seconds kJournalGroupAge{1};

// The first line: whose run this is. Never a secret.
struct JournalHeader {
  std::string tool;         // "ts-unload"
  std::string run_id;       // not empty
  std::string fingerprint;  // of the plan: two runs may share a journal only where it is the same
  std::string plan;       // the plan for a person, one line: "sourcedb.myTable by day to s3://…"
  UnixNanos created = 0;  // set by Create
};

// One fact. The file keeps `seq`, `time` and `kind` beside the fields, so no field has these names.
// Names and values are UTF-8. Never put a secret into one: keys, session tokens, signatures and
// presigned URLs have no place in a journal (a Timestream ClientToken, QueryId or NextToken is
// none).
struct JournalEntry {
  std::string kind;  // "attempt", "page", "done", …; not empty
  std::map<std::string, std::string, std::less<>> fields;
  std::uint64_t sequence = 0;  // 1, 2, 3, … without gaps; set by Append
  UnixNanos time = 0;          // wall clock, UTC; set by Append

  // The field's value, or "" where there is none.
  std::string_view Field(std::string_view name) const;
};

// One line of JSON without its newline, as the file has it. kInvalidInput: no tool, run id or
// fingerprint, or text that is not UTF-8.
Result<std::string> ToJson(const JournalHeader& header);
// The opposite. kBadReply where it is no header, kInvalidInput where it is of another format.
Result<JournalHeader> ParseJournalHeader(std::string_view line);

// One line of JSON without its newline, as the file has it. kInvalidInput: no kind, a field with a
// reserved name or text that is not UTF-8, or more than kMaxJournalLine bytes.
Result<std::string> ToJson(const JournalEntry& entry);
// The opposite. kBadReply where it is no entry.
Result<JournalEntry> ParseJournalEntry(std::string_view line);

enum class Durability {
  kBeforeEffect,  // on the disk before Append returns: the call that it announces may then be made
  kGrouped,       // with the next kBeforeEffect, or by kJournalGroupEntries, kJournalGroupAge
};

// The two calls that a disk can fail in the middle of a run: a seam for tests. Thread-safe.
class JournalDisk {
 public:
  virtual ~JournalDisk() = default;
  // fsync of an open file or directory: 0 or an errno.
  virtual int Sync(int file);
  // Appends some of `bytes`: how many (more than 0), or an errno as a negative number.
  virtual std::int64_t Write(int file, std::string_view bytes);
};
JournalDisk& SystemJournalDisk();

class Journal {
 public:
  // Called for each entry in order. A failure ends the replay and is returned with file and line.
  using Visitor = std::function<Status(const JournalEntry& entry)>;

  // A new run. Missing directories are made with mode 0700, the file has 0600; header and directory
  // entries are on the disk when it returns. kInvalidInput: a header without tool, run id or
  // fingerprint. kInTheWay: the directory has a journal. kLocalIo names the path and what to do.
  static Result<std::unique_ptr<Journal>> Create(const std::filesystem::path& directory,
                                                 JournalHeader header, const Clock& clock,
                                                 JournalDisk& disk = SystemJournalDisk());

  // Goes on with a run: takes the lock, compares `expected`'s tool and fingerprint with the header,
  // shows every entry to `visit` (constant memory), cuts off a torn last line, which no effect can
  // have followed, and puts all that it has shown on the disk, so that none of it can get lost
  // after it was acted on. kNotFound: no journal, or one without a whole header: that run ended
  // before it began. kInTheWay: another process has the run open, named by its pid where the system
  // tells. kInvalidInput: another tool's, another plan's (both are named) or a newer program's
  // journal. kLocalIo: not readable or writable; or damaged anywhere but in the last line: file and
  // line.
  static Result<std::unique_ptr<Journal>> Open(const std::filesystem::path& directory,
                                               const JournalHeader& expected, const Visitor& visit,
                                               const Clock& clock,
                                               JournalDisk& disk = SystemJournalDisk());

  // For `status` and `list`: takes no lock, changes nothing, leaves out a last line that its writer
  // has not finished. Errors as Open's, but for lock and plan.
  static Result<JournalHeader> Read(const std::filesystem::path& directory, const Visitor& visit);

  // The process that has the journal of this directory open, nothing where none has or the system
  // does not tell. Takes no lock.
  static std::optional<long> Holder(const std::filesystem::path& directory);

  ~Journal();  // flushes; whoever wants to know whether that worked calls Flush
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Sets the entry's sequence and time, writes it and returns it as written. With kBeforeEffect,
  // calls of several threads share one fsync where they meet.
  // kInvalidInput as ToJson's, nothing is written. kLocalIo where the disk fails: the effect must
  // not follow. A line that could not be written whole is taken back, and a later Append may do
  // better; after a failed fsync what the file holds is unknown, so every later call fails alike.
  Result<JournalEntry> Append(JournalEntry entry, Durability durability);

  // Everything appended so far is on the disk. FlushIfDue does it only where a group is full or
  // old: the journal has no thread of its own, so a loop that waits for long calls it now and then.
  Status Flush();
  Status FlushIfDue();

  const JournalHeader& header() const { return header_; }
  // Bytes of the torn last line that Open cut off; 0 where it was whole.
  std::uint64_t dropped_bytes() const { return dropped_bytes_; }

 private:
  class File;
  Journal(JournalHeader header, std::unique_ptr<File> file, std::uint64_t size,
          std::uint64_t sequence, const Clock& clock, JournalDisk& disk);

  Status Write(const std::string& line);
  bool GroupIsDue() const;
  Status SyncUpTo(std::uint64_t sequence, std::unique_lock<std::mutex>& lock);

  const JournalHeader header_;
  const std::unique_ptr<File> file_;
  const Clock& clock_;
  JournalDisk& disk_;
  std::uint64_t dropped_bytes_ = 0;

  std::mutex mutex_;                        // guards all below
  std::condition_variable synced_changed_;  // synced_, syncing_ or broken_ changed
  std::uint64_t size_;                      // bytes of whole lines
  std::uint64_t sequence_;                  // of the last entry
  std::uint64_t synced_;                    // the last entry that is on the disk
  std::size_t group_ = 0;                   // entries that no fsync was started for
  std::chrono::steady_clock::time_point group_began_;
  bool syncing_ = false;  // a thread is in fsync, without the mutex
  std::optional<Error> broken_;
};

}  // namespace tsm
