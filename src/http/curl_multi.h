// libcurl's multi interface behind Multi: sockets are watched by epoll, so that a turn costs what
// has happened and not what is under way.
#pragma once

#include <curl/curl.h>
#include <sys/epoll.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "curl_exchange.h"
#include "tsm/http/multi.h"

namespace tsm::http {

class CurlMulti final : public Multi {
 public:
  // Null where the system gives no more of what it needs (memory, file descriptors). `options`
  // and `trust` outlive it.
  static std::unique_ptr<CurlMulti> Open(const CurlOptions& options, TrustStore& trust,
                                         std::size_t most);
  ~CurlMulti() override;

  void Start(std::uint64_t id, Request request) override;
  std::vector<Answered> Wait(std::chrono::milliseconds longest, std::stop_token stop) override;
  std::size_t under_way() const override { return calls_.size() + failed_.size(); }

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Call;

  CurlMulti(const CurlOptions& options, TrustStore& trust);

  static int OnSocket(CURL* easy, curl_socket_t socket, int what, void* user, void* known);
  static int OnTimer(CURLM* multi, long milliseconds, void* user);
  CURL* TakeHandle();
  // Has epoll tell of these events of the socket and no others; false where the system refuses.
  bool Watch(curl_socket_t socket, std::uint32_t events);
  void ForgetUnwanted();
  // Lets libcurl act on the next thing that has happened; waits for one until `until`.
  void Turn(Time until);
  void Poll(Time until);
  void ActOnTimer();
  void Act(curl_socket_t socket, int events);
  void TakeFinished(std::vector<Answered>* answered);
  void Excuse();
  void LookAtAll(std::vector<Answered>* answered);  // ends those that were silent for too long
  void TakeAll(std::vector<Answered>* answered);
  void End(CURL* easy, Result<Response> outcome, std::vector<Answered>* answered);

  const CurlOptions& options_;
  TrustStore& trust_;
  CURLM* const multi_;
  const int epoll_;
  const int wake_;                                            // an eventfd, for a stop
  std::unordered_map<curl_socket_t, std::uint32_t> watched_;  // in epoll's set, for these events
  std::set<curl_socket_t> unwanted_;  // of them, those that no call waits for
  // What epoll has told and libcurl has not acted on yet, the next one last.
  std::vector<epoll_event> events_;
  std::optional<Time> timer_;
  Time next_look_;                                // at all calls
  Time left_ = std::chrono::steady_clock::now();  // when the last wait was over
  std::optional<CURLMcode> broken_;               // what libcurl said of the whole multi
  std::vector<CURL*> idle_;                       // handles that no call uses
  std::unordered_map<CURL*, std::unique_ptr<Call>> calls_;
  std::vector<Answered> failed_;  // before they were sent
};

}  // namespace tsm::http
