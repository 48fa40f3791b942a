// The temporary credentials that ts-local's STS has given, kept in memory and in DIR/sessions.jsonl
// (mode 0600), so that a restarted ts-local still knows them. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace ts_local {

struct Session {
  std::string access_key_id;  // "ASIA" and 16 more
  std::string secret;
  std::string token;
  std::string arn;               // who requests signed by it come from
  std::string user_id;           // as GetCallerIdentity tells it
  std::int64_t told_end_ms = 0;  // Expiration, as STS answered it
  std::int64_t end_ms = 0;       // when it ends in truth: earlier with --session_seconds
};

class SessionStore {
 public:
  using NowMs = std::function<std::int64_t()>;  // Unix time
  // `real_seconds`: how long a session lasts in truth; absent: as long as was asked for. Throws
  // std::runtime_error where the file can be neither read nor written.
  SessionStore(const std::string& dir, std::optional<int> real_seconds, NowMs now);
  SessionStore(const SessionStore&) = delete;
  SessionStore& operator=(const SessionStore&) = delete;

  // A new session, on disk before it is returned. Throws std::runtime_error, for instance on a full
  // disk.
  Session Issue(const std::string& arn, const std::string& user_id, int seconds);

  // A session that has ended stays known for a day, so that its requests are told so.
  std::optional<Session> Find(const std::string& access_key_id) const;

 private:
  void Load();
  void Rewrite() const;
  void DropForgotten();

  const std::string file_;
  const std::optional<int> real_seconds_;
  const NowMs now_;
  mutable std::mutex mutex_;
  std::map<std::string, Session> sessions_;  // by access key id
};

}  // namespace ts_local
