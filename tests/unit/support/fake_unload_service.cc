#include "support/fake_unload_service.h"

#include <algorithm>

namespace tsm::test {

FakeUnloadService::FakeUnloadService() { world_.buckets["bkt"]; }

FakeAnswer FakeUnloadService::Take(const http::Request& request, UnixNanos now) {
  const std::lock_guard lock(mutex_);
  world_.unloads.Settle(now);
  if (!http::FindHeader(request.headers, "x-amz-target").empty()) {
    return AnswerTimestream(request, now);
  }
  if (request.path != "/") return {AnswerS3(request, now), "", {}};
  http::Response response;
  response.status = 200;
  response.body =
      "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::" + world_.account +
      ":user/op</Arn><UserId>U</UserId><Account>" + world_.account +
      "</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
  return {response, "", {}};
}

void FakeUnloadService::With(const std::function<void(World&)>& use) {
  const std::lock_guard lock(mutex_);
  use(world_);
}

FakeTable& FakeUnloadService::AddTable(FakeTable table) {
  const std::lock_guard lock(mutex_);
  const timestream::TableRef ref = table.ref;
  return world_.tables.insert_or_assign(ref, std::move(table)).first->second;
}

std::size_t FakeUnloadService::starts() {
  const std::lock_guard lock(mutex_);
  return world_.unloads.all().size();
}

std::vector<FakeExecution> FakeUnloadService::executions() {
  const std::lock_guard lock(mutex_);
  return {world_.unloads.all().begin(), world_.unloads.all().end()};
}

std::size_t FakeUnloadService::most_at_once() {
  const std::vector<FakeExecution> all = executions();
  std::vector<std::pair<UnixNanos, int>> changes;  // an end before a start of the same moment
  for (const FakeExecution& execution : all) {
    changes.emplace_back(execution.started, 1);
    changes.emplace_back(execution.ends, -1);
  }
  std::sort(changes.begin(), changes.end());
  int running = 0;
  int most = 0;
  for (const auto& [time, change] : changes) {
    running += change;
    most = std::max(most, running);
  }
  return static_cast<std::size_t>(most);
}

std::chrono::nanoseconds FakeUnloadService::makespan() {
  const std::vector<FakeExecution> all = executions();
  if (all.empty()) return {};
  UnixNanos end = 0;
  for (const FakeExecution& execution : all) end = std::max(end, execution.ends);
  return std::chrono::nanoseconds(end - all.front().started);
}

std::chrono::nanoseconds FakeUnloadService::sequential_time() {
  std::chrono::nanoseconds sum{0};
  for (const FakeExecution& execution : executions()) {
    sum += std::chrono::nanoseconds(execution.ends - execution.started);
  }
  return sum;
}

std::chrono::nanoseconds FakeUnloadService::best_makespan(std::size_t parallel) {
  std::vector<std::chrono::nanoseconds> taken;  // the longest first
  for (const FakeExecution& execution : executions()) {
    taken.emplace_back(execution.ends - execution.started);
  }
  if (taken.empty()) return {};
  std::sort(taken.rbegin(), taken.rend());
  std::chrono::nanoseconds best =
      world_.unloads.rules.start_interval * static_cast<std::int64_t>(taken.size() - 1) +
      taken.back();
  best = std::max(best, sequential_time() / static_cast<std::int64_t>(parallel));
  // Of the k * parallel + 1 longest, k + 1 fall to one worker.
  for (std::size_t k = 0; k * parallel < taken.size(); ++k) {
    std::chrono::nanoseconds one_worker{0};
    for (std::size_t i = 0; i <= k; ++i) one_worker += taken[k * parallel - i];
    best = std::max(best, one_worker);
  }
  return best;
}

std::vector<std::string> FakeUnloadService::Keys(const std::string& bucket,
                                                 const std::string& prefix) {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> keys;
  std::string after;
  do {
    Listing listing = world_.buckets[bucket].List(prefix, "", after, 1000);
    for (ListedObject& object : listing.objects) keys.push_back(std::move(object.key));
    after = listing.next;
  } while (!after.empty());
  return keys;
}

std::size_t FakeUnloadService::CountUploads(const std::string& bucket) {
  const std::lock_guard lock(mutex_);
  return world_.buckets[bucket].uploads.size();
}

std::optional<std::string> FakeUnloadService::Body(const std::string& bucket,
                                                   const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto& objects = world_.buckets[bucket].objects;
  const auto object = objects.find(key);
  if (object == objects.end()) return std::nullopt;
  return object->second.Body();
}

void FakeUnloadService::Put(const std::string& bucket, const std::string& key,
                            const std::string& body) {
  const std::lock_guard lock(mutex_);
  world_.buckets[bucket].objects[key] = {body, nullptr, 0};
}

}  // namespace tsm::test
