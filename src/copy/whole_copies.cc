#include "whole_copies.h"

#include <algorithm>
#include <utility>

namespace tsm::copy {

std::unique_ptr<WholeCopies> WholeCopies::Open(const CopyOptions& options, s3::S3Client& target,
                                               FileCopy& files) {
  if (options.streamed || options.inflate) return nullptr;
  auto copies = s3::ObjectCopies::Open(target, options.source_bucket, options.target_bucket,
                                       std::max(options.concurrency, options.most_concurrency));
  if (copies == nullptr) return nullptr;
  return std::unique_ptr<WholeCopies>(new WholeCopies(files, std::move(copies)));
}

void WholeCopies::Start(Job job, CopyPatience::Time began, std::stop_token stop) {
  const std::uint64_t id = next_id_++;
  copies_->Start(id, job.file.source, job.file.target, files_.HowToCopy(job.file), std::move(stop));
  begun_.emplace(id, Begun{std::move(job), began});
}

std::vector<WholeCopies::Ended> WholeCopies::Wait(std::chrono::milliseconds longest,
                                                  std::stop_token stop) {
  std::vector<Ended> ended;
  for (s3::ObjectCopies::Ended& copy : copies_->Wait(longest, stop)) {
    const auto found = begun_.find(copy.id);
    Begun begun = std::move(found->second);
    begun_.erase(found);
    Status outcome = files_.Judge(begun.job.file, std::move(copy.outcome), stop);
    ended.push_back({std::move(begun.job), begun.began, std::move(outcome), copy.is_last});
  }
  return ended;
}

}  // namespace tsm::copy
