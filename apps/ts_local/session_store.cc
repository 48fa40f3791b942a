#include "ts_local/session_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>

#include "ts_local/digest.h"

namespace ts_local {
namespace {

using nlohmann::json;

constexpr std::int64_t kRememberedMs = 24LL * 3600 * 1000;

std::string Line(const Session& session) {
  const json line = {{"access_key_id", session.access_key_id},
                     {"secret", session.secret},
                     {"token", session.token},
                     {"arn", session.arn},
                     {"user_id", session.user_id},
                     {"told_end_ms", session.told_end_ms},
                     {"end_ms", session.end_ms}};
  return line.dump() + "\n";
}

// Nothing where the line was cut off by a kill: its session was never given to anyone.
std::optional<Session> ReadLine(const std::string& text) {
  const json line = json::parse(text, nullptr, false);
  if (line.is_discarded()) return std::nullopt;
  return Session{line.at("access_key_id"), line.at("secret"),      line.at("token"), line.at("arn"),
                 line.at("user_id"),       line.at("told_end_ms"), line.at("end_ms")};
}

[[noreturn]] void Fail(const std::string& file) {
  throw std::runtime_error("cannot write " + file + ": " + std::strerror(errno));
}

void Write(const std::string& file, int flags, std::string_view text) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
  if (descriptor < 0) Fail(file);
  const ssize_t count = ::write(descriptor, text.data(), text.size());
  const int problem = errno;
  ::close(descriptor);
  errno = count < 0 ? problem : ENOSPC;
  if (count != static_cast<ssize_t>(text.size())) Fail(file);
}

}  // namespace

SessionStore::SessionStore(const std::string& dir, std::optional<int> real_seconds, NowMs now)
    : file_(dir + "/sessions.jsonl"), real_seconds_(real_seconds), now_(std::move(now)) {
  Load();
  DropForgotten();
  Rewrite();
}

void SessionStore::Load() {
  std::ifstream in(file_);
  for (std::string text; std::getline(in, text);) {
    try {
      if (auto session = ReadLine(text)) {
        const std::string id = session->access_key_id;
        sessions_.insert_or_assign(id, *std::move(session));
      }
    } catch (const json::exception&) {  // not the message: it may quote the line, which is secret
      throw std::runtime_error(file_ + " holds a line that is no session; remove the file");
    }
  }
}

// Replaced whole, so that a cut line at the end cannot swallow the next session.
void SessionStore::Rewrite() const {
  std::string text;
  for (const auto& [id, session] : sessions_) text += Line(session);
  const std::string fresh = file_ + ".new";
  ::unlink(fresh.c_str());  // its mode would stay
  Write(fresh, O_EXCL, text);
  if (std::rename(fresh.c_str(), file_.c_str()) != 0) Fail(file_);
}

void SessionStore::DropForgotten() {
  const std::int64_t now = now_();
  std::erase_if(sessions_,
                [&](const auto& entry) { return entry.second.end_ms + kRememberedMs < now; });
}

Session SessionStore::Issue(const std::string& arn, const std::string& user_id, int seconds) {
  const std::int64_t now = now_();
  Session session;
  session.access_key_id = "ASIA" + RandomHex(16);
  for (char& c : session.access_key_id) {
    if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
  }
  session.secret = Base64Encode(HexDecode(RandomHex(60)));
  session.token = "IQoJ" + Base64Encode(HexDecode(RandomHex(542)));  // long, with '/', '+' and '='
  session.arn = arn;
  session.user_id = user_id;
  session.told_end_ms = (now / 1000 + seconds) * 1000;  // STS tells whole seconds
  session.end_ms = real_seconds_ ? now + *real_seconds_ * 1000LL : session.told_end_ms;

  const std::lock_guard lock(mutex_);
  DropForgotten();
  Write(file_, O_APPEND, Line(session));
  sessions_.emplace(session.access_key_id, session);
  return session;
}

std::optional<Session> SessionStore::Find(const std::string& access_key_id) const {
  const std::lock_guard lock(mutex_);
  const auto found = sessions_.find(access_key_id);
  if (found == sessions_.end()) return std::nullopt;
  return found->second;
}

}  // namespace ts_local
