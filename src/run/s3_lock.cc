#include "tsm/run/s3_lock.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>
#include <utility>

#include "tsm/core/text.h"
#include "tsm/core/time_text.h"

namespace tsm::run {
namespace {

// Each round that decides nothing means that another process has just won or let go of the lock.
constexpr int kAcquireRounds = 5;

// The owner in a lock's body, or nothing where this is none.
std::optional<LockOwner> ParseOwner(std::string_view body) {
  const nlohmann::json object = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return std::nullopt;
  const auto host = object.find("host");
  const auto pid = object.find("pid");
  const auto id = object.find("id");
  if (host == object.end() || !host->is_string() || pid == object.end() ||
      !pid->is_number_integer() || id == object.end() || !id->is_string()) {
    return std::nullopt;
  }
  LockOwner owner{.host = *host, .pid = *pid, .id = *id};
  if (owner.id.empty()) return std::nullopt;
  const auto machine = object.find("machine");
  if (machine != object.end() && machine->is_string()) owner.machine = *machine;
  return owner;
}

// Containers have the host's boot id, and perhaps its name, but pids of their own.
std::string ThisMachine() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string boot;
  std::getline(file, boot);
  std::error_code failed;
  const std::filesystem::path pids = std::filesystem::read_symlink("/proc/self/ns/pid", failed);
  if (boot.empty() || failed) return "";
  return boot + " " + pids.string();
}

bool MayPass(ErrorKind kind) {
  return kind == ErrorKind::kTransient || kind == ErrorKind::kThrottled;
}

}  // namespace

std::string LockOwner::Text() const {
  return "pid " + std::to_string(pid) + " on " + OneLine(host, 100);
}

LockOwner ThisProcess(Random& random) {
  std::array<char, 256> name{};
  // A host without a name is none to stop for; the id decides.
  if (::gethostname(name.data(), name.size() - 1) != 0) name.fill('\0');
  return {.host = name.data(), .pid = ::getpid(), .id = random.Uuid(), .machine = ThisMachine()};
}

struct S3Lock::Held {
  LockOwner owner;
  std::string etag;
  std::optional<std::chrono::seconds> age;        // since its last write, by S3's clock
  std::chrono::system_clock::time_point written;  // known where the age is
};

S3Lock::S3Lock(s3::S3Client& s3, s3::BucketName bucket, s3::ObjectKey key, LockOwner owner,
               const Clock& clock)
    : s3_(s3),
      bucket_(std::move(bucket)),
      key_(std::move(key)),
      owner_(std::move(owner)),
      clock_(clock) {}

S3Lock::Moment S3Lock::Now() const { return {.steady = clock_.Steady(), .wall = clock_.Now()}; }

// The longer of the two: too early a renewal costs a call, too late a one the lock.
std::chrono::nanoseconds S3Lock::Since(const Moment& moment) const {
  const Moment now = Now();
  return std::max<std::chrono::nanoseconds>(now.steady - moment.steady, now.wall - moment.wall);
}

// Never the same twice: were it, a taker's If-Match would still hold after a renewal.
std::string S3Lock::Body() const {
  const nlohmann::ordered_json body = {
      {"host", owner_.host},       {"pid", owner_.pid}, {"id", owner_.id},
      {"machine", owner_.machine}, {"writes", writes_}, {"time", FormatIso8601(clock_.Now())}};
  return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

Status S3Lock::Write(const s3::PutOptions& condition, std::stop_token stop) {
  const Moment sent = Now();
  ++writes_;
  Result<std::string> etag = s3_.PutObject(bucket_, key_, Body(), condition, std::move(stop));
  if (!etag) return std::move(etag).error();
  if (etag->empty()) {
    return MakeError(ErrorKind::kBadReply, "the answer to the lock's PUT carries no ETag");
  }
  etag_ = *std::move(etag);
  written_ = sent;
  failure_.reset();
  return Ok();
}

Result<S3Lock::Held> S3Lock::Read(std::stop_token stop) {
  Result<s3::ObjectContent> content = s3_.GetObjectContent(bucket_, key_, std::move(stop));
  if (!content) return std::move(content).error();
  std::optional<LockOwner> owner = ParseOwner(content->body);
  if (!owner || content->head.etag.empty()) {
    return MakeError(ErrorKind::kInTheWay,
                     s3::S3Uri{bucket_, key_}.str() +
                         " is no lock of a run: remove it, or keep the run's state elsewhere");
  }
  Held held{
      .owner = *std::move(owner), .etag = std::move(content->head.etag), .age = {}, .written = {}};
  const s3::ObjectHead& head = content->head;
  if (head.date && head.last_modified) {
    const auto age =
        std::chrono::duration_cast<std::chrono::seconds>(*head.date - *head.last_modified);
    held.age = std::max(age, std::chrono::seconds(0));
    held.written = *head.last_modified;
  }
  return held;
}

Result<std::unique_ptr<S3Lock>> S3Lock::Acquire(s3::S3Client& s3, s3::BucketName bucket,
                                                const std::string& prefix, LockOwner owner,
                                                const Clock& clock, std::stop_token stop) {
  std::unique_ptr<S3Lock> lock(
      new S3Lock(s3, std::move(bucket), s3::ObjectKey(prefix + "lock"), std::move(owner), clock));
  const std::string where = "locking the run " + s3::S3Uri{lock->bucket_, lock->key_}.str();
  for (int round = 0; round < kAcquireRounds; ++round) {
    Result<bool> held = lock->TryAcquire(stop);
    if (!held) return std::move(held).error().With(where);
    if (*held) return lock;
  }
  return MakeError(ErrorKind::kInTheWay,
                   "other processes keep taking the lock and letting go of it")
      .With(where);
}

// Only what is certain: a pid that by now is another process's counts as going on.
bool S3Lock::HasEnded(const LockOwner& owner) const {
  if (owner.machine.empty() || owner.machine != owner_.machine || owner.host != owner_.host) {
    return false;
  }
  if (owner.pid <= 0 || owner.pid > std::numeric_limits<pid_t>::max()) return false;
  return ::kill(static_cast<pid_t>(owner.pid), 0) != 0 && errno == ESRCH;
}

Result<bool> S3Lock::TryAcquire(std::stop_token stop) {
  const std::lock_guard guard(mutex_);
  Status created = Write({.only_if_absent = true}, stop);
  if (created) return true;
  if (created.error().kind != ErrorKind::kAlreadyExists) return std::move(created).error();
  Result<Held> held = Read(stop);
  if (!held) {
    if (held.error().kind == ErrorKind::kNotFound) return false;
    return std::move(held).error();
  }
  // One's own is written anew, so that its age is known.
  const bool own = held->owner.id == owner_.id;
  const bool expired = held->age && *held->age >= kLockExpiry;
  if (!own && !expired && !HasEnded(held->owner)) return InUse(*held);
  Status taken = Write({.if_match = held->etag}, stop);
  if (taken) {
    if (!own) taken_over_from_ = std::move(held->owner);
    return true;
  }
  const ErrorKind kind = taken.error().kind;
  if (kind == ErrorKind::kInTheWay || kind == ErrorKind::kNotFound) return false;
  return std::move(taken).error();
}

Error S3Lock::InUse(const Held& held) const {
  std::string text = "the run is in use by " + held.owner.Text();
  if (held.age) {
    text += ", which renewed its lock " + FormatDuration(*held.age) + " ago; not renewed until " +
            FormatIso8601(held.written + kLockExpiry) + ", it may be taken over (in " +
            FormatDuration(kLockExpiry - *held.age) +
            "); at once where that process is surely gone: remove ";
  } else {
    text += "; the answer does not tell the age of its lock: where that process is gone, remove ";
  }
  return MakeError(ErrorKind::kInTheWay, text + s3::S3Uri{bucket_, key_}.str());
}

Status S3Lock::RenewIfDue(std::stop_token stop) {
  const std::lock_guard guard(mutex_);
  if (lost_) return *lost_;
  if (Since(written_) < kLockRenewal) return Ok();
  if (!failure_ || Since(tried_) >= kLockRetry) {
    const Moment tried = Now();
    Status renewed = Renew(std::move(stop));
    if (renewed || lost_) return renewed;
    if (renewed.error().kind == ErrorKind::kCancelled) return renewed;
    tried_ = tried;
    failure_ = std::move(renewed).error();
  }
  const std::chrono::nanoseconds age = Since(written_);
  if (MayPass(failure_->kind) && age < kLockExpiry - kLockMargin) return Ok();
  return failure_->With("renewing the lock " + s3::S3Uri{bucket_, key_}.str() + ", last renewed " +
                        FormatDuration(age) + " ago");
}

Status S3Lock::Renew(std::stop_token stop) {
  Status written = Write({.if_match = etag_}, stop);
  if (written || written.error().kind == ErrorKind::kNotFound) {
    return written ? Ok() : Lose("was removed");
  }
  if (written.error().kind != ErrorKind::kInTheWay) return written;
  // Another's, or this process's own write whose answer never came.
  Result<Held> held = Read(stop);
  if (!held && held.error().kind == ErrorKind::kNotFound) return Lose("was removed");
  if (!held && held.error().kind == ErrorKind::kInTheWay) return Lose("was overwritten");
  if (!held) return std::move(held).error();
  if (held->owner.id != owner_.id) return Lose("was taken over by " + held->owner.Text());
  written = Write({.if_match = held->etag}, std::move(stop));
  if (!written && written.error().kind == ErrorKind::kInTheWay) return Lose("was taken over");
  if (!written && written.error().kind == ErrorKind::kNotFound) return Lose("was removed");
  return written;
}

Error S3Lock::Lose(const std::string& why) {
  lost_ = MakeError(ErrorKind::kInTheWay, "this run's lock " + s3::S3Uri{bucket_, key_}.str() +
                                              " " + why + ": this process starts no further calls");
  return *lost_;
}

Status S3Lock::Release(std::stop_token stop) {
  const std::lock_guard guard(mutex_);
  if (lost_) return Ok();
  lost_ = MakeError(ErrorKind::kInTheWay, "this run's lock was released");
  Status deleted = s3_.DeleteObject(bucket_, key_, {.if_match = etag_}, stop);
  if (!deleted && deleted.error().kind == ErrorKind::kInTheWay) {
    // Another's by now, or this process's own write whose answer never came.
    const Result<Held> held = Read(stop);
    if (held && held->owner.id != owner_.id) return Ok();
    if (held) deleted = s3_.DeleteObject(bucket_, key_, {.if_match = held->etag}, std::move(stop));
  }
  if (deleted || deleted.error().kind == ErrorKind::kNotFound) return Ok();
  return std::move(deleted).error().With("releasing the run's lock");
}

}  // namespace tsm::run
