#include "tsm/copy/copy_run.h"

#include <algorithm>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "copy_board.h"
#include "copy_errors.h"
#include "copy_patience.h"
#include "copy_progress.h"
#include "file_copy.h"
#include "inflated_file.h"
#include "tsm/core/text.h"
#include "tsm/core/time_text.h"
#include "whole_copies.h"

namespace tsm::copy {

namespace {

constexpr std::size_t kMostFailuresKept = 100;
// Of a file whose uploads vanish: whoever deletes them does not stop.
constexpr int kMostRestarts = 5;
// How long many files may be under way without a look at what else there is to do.
constexpr std::chrono::milliseconds kLongestTurn{200};

bool Streams(const CopyOptions& options) { return options.streamed || options.inflate; }

class Run {
 public:
  Run(const CopyOptions& options, FileFeed& feed, const std::vector<bool>& there, CopyBook& book,
      const CopyServices& services, const CopyTotals& totals,
      const std::function<void(const CopyFailure&)>& failed, const CopyInterrupts& interrupts)
      : options_(options),
        feed_(feed),
        there_(there),
        book_(book),
        services_(services),
        failed_(failed),
        interrupts_(interrupts),
        patience_(Streams(options) ? options.stream_workers : options.concurrency,
                  Streams(options) ? options.stream_workers : options.most_concurrency,
                  options.give_up_after, services.clock, services.random),
        progress_(totals, patience_, services.clock, services.sink),
        files_(options, services),
        many_(WholeCopies::Open(options, services.target, files_)),
        board_(
            patience_, [this] { return NextFile(); }, services.clock, interrupts,
            /*together=*/many_ != nullptr) {}

  CopySummary Execute();

 private:
  using Time = CopyPatience::Time;

  Result<std::optional<run::SpooledFile>> NextFile();
  Status BookWhatWasThere(const run::SpooledFile& file);
  void Hire(void (Run::*work)());
  void Work();
  // The work of the one who has many files under way, where there is such a way.
  void WorkTogether();
  void End(WholeCopies::Ended ended);
  void HandOver(Job job);
  void Do(Job job);
  void DoFile(Job job, Time began);
  void FileCopied(const run::SpooledFile& file);
  void DoLargeFile(Job job, Time began);
  void DoPart(Job job, Time began);
  void DoComplete(Job job);
  // A request of the job failed: it is tried again, or ends its file or the run.
  void Failed(Job job, Error error, Time began);
  void GiveUp(const std::shared_ptr<Upload>& upload);
  void FailFile(const run::SpooledFile& file, Error error);
  void Booked(const run::SpooledFile& file, const CopiedFile& copied);
  void Tell() {
    progress_.Update([this] { return board_.waiting(); });
  }
  void Tick();

  const CopyOptions& options_;
  FileFeed& feed_;
  const std::vector<bool>& there_;
  CopyBook& book_;
  const CopyServices& services_;
  const std::function<void(const CopyFailure&)>& failed_;
  const CopyInterrupts& interrupts_;
  CopyPatience patience_;
  CopyProgress progress_;
  FileCopy files_;
  const std::unique_ptr<WholeCopies> many_;  // null: each file has a thread while it is copied
  CopyBoard board_;
  std::mutex feeding_;  // guards feed_ and the place in it
  std::size_t fed_ = 0;
  std::mutex mutex_;  // guards the two below; held while a failure is told
  std::vector<CopyFailure> failures_;
  std::vector<std::jthread> workers_;
};

CopySummary Run::Execute() {
  const auto started = services_.clock.Steady();
  if (board_.WantsWorker()) Hire(many_ ? &Run::WorkTogether : &Run::Work);
  board_.Keep([this] {
    Tick();
    Tell();
  });
  workers_.clear();  // joins: nobody hires any more
  progress_.Tell(board_.waiting());
  CopySummary summary;
  summary.files = progress_.files();
  summary.bytes = progress_.bytes();
  summary.were_there = progress_.were_there();
  summary.failed = progress_.failed();
  summary.failures = std::move(failures_);
  summary.duration = services_.clock.Steady() - started;
  summary.fatal = board_.fatal();
  const bool asked = interrupts_.stop.stop_requested() || interrupts_.drain.stop_requested();
  summary.interrupted = asked && board_.left_files();
  return summary;
}

void Run::Tick() {
  if (!services_.tick) return;
  if (Status ticked = services_.tick(); !ticked) board_.End(std::move(ticked).error());
}

// The next that is not copied yet. What lies there is booked on the way.
Result<std::optional<run::SpooledFile>> Run::NextFile() {
  const std::lock_guard lock(feeding_);
  const auto stopped = [this] {
    return interrupts_.stop.stop_requested() || interrupts_.drain.stop_requested();
  };
  while (!stopped()) {
    Result<std::optional<run::SpooledFile>> file = feed_.Next();
    if (!file) return std::move(file).error().With("reading the list of files to copy");
    if (!*file) return file;
    const std::size_t place = fed_++;
    const bool booked = book_.IsCopied(**file);
    if (!booked && (place >= there_.size() || !there_[place])) return file;
    if (!booked) {
      if (Status noted = BookWhatWasThere(**file); !noted) return noted.error();
    }
    progress_.AddBytes((*file)->size);
    progress_.AddFile(/*was_there=*/true);
    Tell();
  }
  return std::optional<run::SpooledFile>();
}

Status Run::BookWhatWasThere(const run::SpooledFile& file) {
  CopiedFile copied;
  copied.bytes = file.size;
  copied.rows = file.rows;
  copied.was_there = true;
  return book_.Copied(file, copied);
}

void Run::Hire(void (Run::*work)()) {
  const std::lock_guard lock(mutex_);
  try {
    workers_.emplace_back([this, work] { (this->*work)(); });
  } catch (const std::system_error& error) {
    board_.Left();
    // Those that are there do the work; without one nobody would, nor what was handed over.
    if (workers_.size() < (many_ ? 2 : 1)) {
      board_.End(MakeError(ErrorKind::kLocalIo, std::string("no thread could be started (") +
                                                    error.what() +
                                                    "): raise the limit of processes (ulimit -u)"));
    }
  }
}

void Run::Work() {
  while (std::optional<Job> job = board_.Take()) {
    if (board_.WantsWorker()) Hire(&Run::Work);
    Do(*std::move(job));
    board_.Finish();
    Tell();
  }
}

void Run::WorkTogether() {
  while (true) {
    while (std::optional<Job> job = board_.TakeTogether(many_->under_way() == 0)) {
      if (job->file.size > files_.whole_bytes()) {
        HandOver(*std::move(job));
      } else {
        many_->Start(*std::move(job), patience_.Now(), interrupts_.stop);
      }
    }
    if (many_->under_way() == 0) return;
    for (WholeCopies::Ended& ended : many_->Wait(kLongestTurn, interrupts_.stop)) {
      End(std::move(ended));
    }
  }
}

void Run::End(WholeCopies::Ended ended) {
  if (!ended.is_last) return HandOver(std::move(ended.job));
  if (ended.outcome) {
    FileCopied(ended.job.file);
  } else {
    Failed(std::move(ended.job), std::move(ended.outcome).error(), ended.began);
  }
  board_.Finish();
  Tell();
}

void Run::HandOver(Job job) {
  board_.HandOver(std::move(job));
  if (board_.WantsWorker()) Hire(&Run::Work);
}

void Run::Do(Job job) {
  const Time began = patience_.Now();
  if (job.kind == Job::Kind::kPart) return DoPart(std::move(job), began);
  if (job.kind == Job::Kind::kComplete) return DoComplete(std::move(job));
  if (options_.inflate) {
    InflatedFile inflated(options_, services_, patience_, book_, interrupts_.stop);
    Result<CopiedFile> copied = inflated.Copy(job.file);
    if (!copied) return Failed(std::move(job), std::move(copied).error(), began);
    progress_.AddBytes(job.file.size);
    return Booked(job.file, *copied);
  }
  if (job.file.size > files_.whole_bytes()) return DoLargeFile(std::move(job), began);
  DoFile(std::move(job), began);
}

void Run::DoFile(Job job, Time began) {
  Status copied = files_.Whole(job.file, interrupts_.stop);
  if (!copied) return Failed(std::move(job), std::move(copied).error(), began);
  FileCopied(job.file);
}

void Run::FileCopied(const run::SpooledFile& file) {
  patience_.Succeeded();
  progress_.AddBytes(file.size);
  CopiedFile entry;
  entry.bytes = file.size;
  entry.rows = file.rows;
  Booked(file, entry);
}

void Run::DoLargeFile(Job job, Time began) {
  Result<std::shared_ptr<Upload>> upload = files_.Begin(job.file, interrupts_.stop);
  if (!upload) return Failed(std::move(job), std::move(upload).error(), began);
  patience_.Succeeded();
  if (Status noted = book_.UploadStarted(job.file.target, (*upload)->id); !noted) {
    // What nobody knows of nobody would abort later.
    static_cast<void>(files_.Abort(**upload, interrupts_.stop));
    return board_.End(std::move(noted).error());
  }
  (*upload)->restarts = job.restarts;
  board_.Open(*upload);
}

void Run::DoPart(Job job, Time began) {
  Result<std::string> etag = files_.Part(*job.upload, job.part, interrupts_.stop);
  if (!etag) return Failed(std::move(job), std::move(etag).error(), began);
  patience_.Succeeded();
  progress_.AddBytes(job.upload->bytes_of(job.part));
  const CopyBoard::Next next = board_.PartDone(job, *std::move(etag));
  if (next == CopyBoard::Next::kGiveUp) return GiveUp(job.upload);
  if (next == CopyBoard::Next::kNothing) return;
  job.kind = Job::Kind::kComplete;
  job.setbacks = 0;
  DoComplete(std::move(job));
}

void Run::DoComplete(Job job) {
  const Time began = patience_.Now();
  const std::shared_ptr<Upload> upload = job.upload;
  Status done = files_.Complete(*upload, interrupts_.stop);
  if (!done) return Failed(std::move(job), std::move(done).error(), began);
  patience_.Succeeded();
  CopiedFile entry;
  entry.bytes = upload->file.size;
  entry.rows = upload->file.rows;
  // Only after the copy is booked: an upload that is over, of a file that is not copied, would be
  // copied once more.
  Booked(upload->file, entry);
  if (Status noted = book_.UploadEnded(upload->file.target, upload->id); !noted) {
    board_.End(std::move(noted).error());
  }
}

void Run::Failed(Job job, Error error, Time began) {
  if (error.kind == ErrorKind::kCancelled) return board_.Abandon();
  if (IsFatal(error)) return board_.End(std::move(error));
  if (IsPassing(error)) {
    if (const auto wait = patience_.Setback(error, began, ++job.setbacks)) {
      const std::shared_ptr<Upload> upload = job.upload;
      const bool part = job.kind == Job::Kind::kPart;
      Job lost = job;
      if (board_.Again(std::move(job), *wait)) return;
      // Another part has failed for good meanwhile.
      if (part && board_.PartFailed(lost, std::move(error)) == CopyBoard::Next::kGiveUp) {
        GiveUp(upload);
      }
      return;
    }
    error.message += "; given up, for nothing could be copied for " +
                     FormatDuration(options_.give_up_after) + ": resume the run later";
  }
  if (job.kind == Job::Kind::kFile) {
    if (LostUpload(error) && job.restarts++ < kMostRestarts) {
      const auto wait = patience_.Setback(error, began, job.restarts);
      if (wait && board_.Again(job, *wait)) return;
    }
    return FailFile(job.file, std::move(error));
  }
  const std::shared_ptr<Upload> upload = job.upload;
  if (board_.PartFailed(job, std::move(error)) == CopyBoard::Next::kGiveUp) GiveUp(upload);
}

// No job of the upload is under way any more.
void Run::GiveUp(const std::shared_ptr<Upload>& upload) {
  for (std::size_t part = 0; part < upload->parts; ++part) {
    if (!upload->etags[part].empty()) progress_.TakeBytesBack(upload->bytes_of(part));
  }
  Status aborted = files_.Abort(*upload, interrupts_.stop);
  if (aborted) {
    if (Status noted = book_.UploadEnded(upload->file.target, upload->id); !noted) {
      return board_.End(std::move(noted).error());
    }
  } else {
    services_.sink.Warn("the multipart upload " + upload->id + " of " + upload->file.target.str() +
                        " could not be aborted, its parts stay and are charged until a resume of "
                        "the run aborts it: " +
                        aborted.error().Text());
  }
  if (LostUpload(*upload->failed) && upload->restarts < kMostRestarts) {
    Job anew;
    anew.file = upload->file;
    anew.restarts = upload->restarts + 1;
    const auto wait = patience_.Setback(*upload->failed, patience_.Now(), anew.restarts);
    if (wait && board_.Again(std::move(anew), *wait)) return;
  }
  FailFile(upload->file, std::move(*upload->failed));
}

void Run::FailFile(const run::SpooledFile& file, Error error) {
  progress_.AddFailure();
  CopyFailure failure{.file = file, .error = std::move(error)};
  const std::lock_guard lock(mutex_);
  if (failed_) failed_(failure);
  if (failures_.size() < kMostFailuresKept) failures_.push_back(std::move(failure));
}

void Run::Booked(const run::SpooledFile& file, const CopiedFile& copied) {
  if (Status noted = book_.Copied(file, copied); !noted) {
    return board_.End(std::move(noted).error());
  }
  progress_.AddFile(/*was_there=*/false);
}

}  // namespace

std::uint64_t StreamedMemory(const CopyOptions& options) {
  // Of files so large that their parts must be larger, a part of theirs.
  constexpr std::uint64_t kProgram = 24'000'000;
  const std::uint64_t part = std::max(options.stream_part_bytes, s3::kMinPartBytes);
  const std::uint64_t worker = part + (options.inflate ? kInflateReadBytes : 0);
  return kProgram + options.stream_workers * worker;
}

CopySummary RunCopy(const CopyOptions& options, FileFeed& feed, const std::vector<bool>& there,
                    CopyBook& book, const CopyServices& services, const CopyTotals& totals,
                    const std::function<void(const CopyFailure&)>& failed,
                    const CopyInterrupts& interrupts) {
  Run run(options, feed, there, book, services, totals, failed, interrupts);
  return run.Execute();
}

}  // namespace tsm::copy
