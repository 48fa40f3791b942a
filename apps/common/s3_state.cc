#include "common/s3_state.h"

#include <algorithm>
#include <fstream>
#include <string_view>
#include <utility>
#include <vector>

#include "common/stored_runs.h"
#include "tsm/run/state_dir.h"

namespace tsm::apps {

namespace {

constexpr const char* kLockName = "lock";  // as s3_lock.h has it
constexpr const char* kFilesFolder = "files/";
constexpr std::size_t kPieceBytes = std::size_t{8} << 20U;
constexpr std::size_t kPieceDigits = 6;

Result<std::unique_ptr<run::S3Lock>> TakeLock(const S3StatePlace& place, std::stop_token stop) {
  return run::S3Lock::Acquire(place.s3, place.bucket, place.prefix, run::ThisProcess(place.random),
                              place.clock, std::move(stop));
}

s3::ObjectKey PlanKey(const S3StatePlace& place) {
  return s3::ObjectKey(place.prefix + kPlanFileName);
}

// "<prefix>files/<name>/000001"
std::string PieceKey(const S3StatePlace& place, const std::string& name, std::size_t piece) {
  std::string number = std::to_string(piece);
  number.insert(0, kPieceDigits - std::min(kPieceDigits, number.size()), '0');
  return place.prefix + kFilesFolder + name + "/" + number;
}

// What stands between the folder and the piece's number: the file's name, never a path.
std::string NameOfPiece(const S3StatePlace& place, const std::string& key) {
  const std::size_t begin = place.prefix.size() + std::string_view(kFilesFolder).size();
  const std::size_t end = key.rfind('/');
  if (end == std::string::npos || end <= begin) return "";
  const std::string name = key.substr(begin, end - begin);
  return name.find('/') == std::string::npos && !name.starts_with('.') ? name : "";
}

// Pieces come in S3's key order: each file's one after the other.
Status FetchFiles(const S3StatePlace& place, const std::filesystem::path& directory,
                  std::stop_token stop) {
  std::string current;
  std::ofstream file;
  Status status = Ok();
  const auto visit = [&](const s3::ObjectSummary& object) {
    const std::string name = NameOfPiece(place, object.key.str());
    if (name.empty()) return true;
    if (name != current) {
      current = name;
      file.close();
      file.open(directory / name, std::ios::binary | std::ios::trunc);
    }
    Result<std::string> piece = place.s3.GetObject(place.bucket, object.key, std::nullopt, stop);
    if (!piece) {
      status = piece.error().With("reading a file of the run beside the data");
    } else if (!file.write(piece->data(), static_cast<std::streamsize>(piece->size())).flush()) {
      status = MakeError(ErrorKind::kLocalIo, (directory / name).string() + " can't be written");
    }
    return status.has_value();
  };
  Status listed = place.s3.ForEachObject(place.bucket, place.prefix + kFilesFolder, visit, stop);
  return status ? listed : status;
}

}  // namespace

Result<std::unique_ptr<S3State>> S3State::Begin(const S3StatePlace& place,
                                                const std::string& plan_text,
                                                const JournalHeader& header, std::stop_token stop) {
  Result<std::unique_ptr<run::S3Lock>> lock = TakeLock(place, stop);
  if (!lock) return lock.error();
  std::unique_ptr<S3State> state(new S3State(*std::move(lock), place, 0));
  s3::PutOptions options;
  options.content_type = "application/json";
  Result<std::string> put =
      place.s3.PutObject(place.bucket, PlanKey(place), plan_text, options, stop);
  if (!put) return put.error().With("writing the plan beside the data");
  if (Status begun = state->journal_.PutHeader(header, stop); !begun) return begun.error();
  return state;
}

Result<std::unique_ptr<S3State>> S3State::TakeOver(const S3StatePlace& place,
                                                   const std::filesystem::path& directory,
                                                   std::stop_token stop) {
  Result<std::string> plan = place.s3.GetObject(place.bucket, PlanKey(place), std::nullopt, stop);
  if (!plan) return plan.error().With("reading the plan beside the data");
  Result<std::unique_ptr<run::S3Lock>> lock = TakeLock(place, stop);
  if (!lock) return lock.error();

  // The file is made whole before it takes the place of what was there.
  std::string text;
  std::uint64_t entries = 0;
  Result<run::FetchedJournal> fetched = run::S3Journal::Fetch(
      place.s3, place.bucket, place.prefix,
      [&](const JournalEntry& entry) -> Status {
        JournalEntry numbered = entry;  // S3 may have gaps, a file has none
        numbered.sequence = ++entries;
        Result<std::string> line = ToJson(numbered);
        if (!line) return line.error();
        text += *line + "\n";
        return Ok();
      },
      stop);
  if (!fetched) return fetched.error().With("reading the journal beside the data");
  Result<std::string> header = ToJson(fetched->header);
  if (!header) return header.error();
  Status written = run::WriteFileDurably(directory / kPlanFileName, *plan);
  if (written) {
    written = run::WriteFileDurably(directory / kJournalFileName, *header + "\n" + text);
  }
  if (written) written = FetchFiles(place, directory, stop);
  if (!written) return written.error();
  const std::uint64_t offset =
      fetched->last_sequence > entries ? fetched->last_sequence - entries : 0;
  return std::unique_ptr<S3State>(new S3State(*std::move(lock), place, offset));
}

Status S3State::PutFiles(const std::filesystem::path& directory,
                         const std::vector<std::string>& names, std::stop_token stop) {
  for (const std::string& name : names) {
    std::ifstream file(directory / name, std::ios::binary);
    if (!file) {
      return MakeError(ErrorKind::kLocalIo, (directory / name).string() + " can't be read");
    }
    std::string piece(kPieceBytes, '\0');
    for (std::size_t number = 1; file; ++number) {
      file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
      const auto read = static_cast<std::size_t>(file.gcount());
      if (read == 0 && number > 1) break;
      Result<std::string> put =
          place_.s3.PutObject(place_.bucket, s3::ObjectKey(PieceKey(place_, name, number)),
                              piece.substr(0, read), s3::PutOptions(), stop);
      if (!put) return put.error().With("writing a file of the run beside the data");
    }
  }
  return Ok();
}

Status S3State::Put(const JournalEntry& entry, std::stop_token stop) {
  return journal_.Put(entry, std::move(stop));
}

Status S3State::Discard(std::stop_token stop) {
  std::vector<s3::ObjectKey> keys;
  Status listed = place_.s3.ForEachObject(
      place_.bucket, place_.prefix,
      [&](const s3::ObjectSummary& object) {
        if (object.key.str() != place_.prefix + kLockName) keys.push_back(object.key);
        return keys.size() < s3::kMaxDeleteKeys;
      },
      stop);
  if (!listed) return listed;
  const auto failures = place_.s3.DeleteObjects(place_.bucket, keys, stop);
  return failures ? Ok() : Status(failures.error());
}

void S3State::Release() { (void)lock_->Release(std::stop_token()); }

}  // namespace tsm::apps
