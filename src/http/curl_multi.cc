#include "curl_multi.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace tsm::http {

namespace {

// Between two looks at all calls, whatever has come.
constexpr std::chrono::milliseconds kLookEvery{250};
// That epoll tells at a time.
constexpr std::size_t kMostEvents = 64;

}  // namespace

struct CurlMulti::Call {
  std::uint64_t id = 0;
  Request request;
  std::optional<CurlExchange> exchange;  // of the request above
};

std::unique_ptr<CurlMulti> CurlMulti::Open(const CurlOptions& options, TrustStore& trust,
                                           std::size_t most) {
  if (!CurlIsReady()) return nullptr;
  std::unique_ptr<CurlMulti> multi(new CurlMulti(options, trust));
  if (multi->multi_ == nullptr || multi->epoll_ < 0 || multi->wake_ < 0) return nullptr;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = multi->wake_;
  if (::epoll_ctl(multi->epoll_, EPOLL_CTL_ADD, multi->wake_, &event) != 0) return nullptr;
  curl_multi_setopt(multi->multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(most));
  return multi;
}

CurlMulti::CurlMulti(const CurlOptions& options, TrustStore& trust)
    : options_(options),
      trust_(trust),
      multi_(curl_multi_init()),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      next_look_(std::chrono::steady_clock::now() + kLookEvery) {
  if (multi_ == nullptr) return;
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &OnSocket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &OnTimer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
}

CurlMulti::~CurlMulti() {
  for (auto& [easy, call] : calls_) {
    curl_multi_remove_handle(multi_, easy);
    call.reset();
    curl_easy_cleanup(easy);
  }
  for (CURL* easy : idle_) curl_easy_cleanup(easy);
  if (multi_ != nullptr) curl_multi_cleanup(multi_);
  if (wake_ >= 0) ::close(wake_);
  if (epoll_ >= 0) ::close(epoll_);
}

int CurlMulti::OnSocket(CURL* /*easy*/, curl_socket_t socket, int what, void* user,
                        void* /*known*/) {
  auto& self = *static_cast<CurlMulti*>(user);
  if (what == CURL_POLL_REMOVE) {
    // Most are wanted again at once, by the next request on their connection.
    self.unwanted_.insert(socket);
    return 0;
  }
  std::uint32_t events = 0;
  if ((what & CURL_POLL_IN) != 0) events |= EPOLLIN;
  if ((what & CURL_POLL_OUT) != 0) events |= EPOLLOUT;
  self.unwanted_.erase(socket);
  return self.Watch(socket, events) ? 0 : -1;  // libcurl ends the transfer
}

bool CurlMulti::Watch(curl_socket_t socket, std::uint32_t events) {
  std::uint32_t& watched = watched_[socket];
  if (watched == events) return true;
  epoll_event event{};
  event.events = events;
  event.data.fd = socket;
  // What a socket that was closed was watched for the kernel has forgotten, and a new one may have
  // its number. (One that has it and the same events too, before the next poll, LookAtAll finds.)
  bool set = watched != 0 && ::epoll_ctl(epoll_, EPOLL_CTL_MOD, socket, &event) == 0;
  if (!set) set = ::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) == 0;
  watched = set ? events : 0;
  return set;
}

void CurlMulti::ForgetUnwanted() {
  for (const curl_socket_t socket : unwanted_) {
    // libcurl may have closed it already, and its number may be another thread's by now, which this
    // can't harm, since that one is not in this set. The thread sanitizer, which sees what
    // epoll_ctl() is called with, would take it for a race.
    ::syscall(SYS_epoll_ctl, epoll_, EPOLL_CTL_DEL, socket, nullptr);
    watched_.erase(socket);
  }
  unwanted_.clear();
}

int CurlMulti::OnTimer(CURLM* /*multi*/, long milliseconds, void* user) {
  auto& timer = static_cast<CurlMulti*>(user)->timer_;
  timer.reset();
  if (milliseconds >= 0) {
    timer = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
  }
  return 0;
}

CURL* CurlMulti::TakeHandle() {
  if (idle_.empty()) {
    CURL* easy = curl_easy_init();
    if (easy == nullptr) return nullptr;
    PrepareHandle(easy, options_, trust_);
    // There may be hundreds, and answers to many requests at once are small.
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 2048L);
    return easy;
  }
  CURL* easy = idle_.back();
  idle_.pop_back();
  return easy;
}

void CurlMulti::Start(std::uint64_t id, Request request) {
  Result<std::optional<Proxy>> proxy = FindProxy(request, options_);
  if (!proxy) {
    failed_.push_back({id, std::move(request), std::move(proxy).error()});
    return;
  }
  CURL* easy = TakeHandle();
  if (easy == nullptr) {
    failed_.push_back({id, std::move(request),
                       MakeError(ErrorKind::kLocalIo, "libcurl has no handle (out of memory?)")});
    return;
  }
  auto call = std::make_unique<Call>();
  call->id = id;
  call->request = std::move(request);
  call->exchange.emplace(easy, call->request, options_, *std::move(proxy));
  calls_.emplace(easy, std::move(call));
  const CURLMcode code = curl_multi_add_handle(multi_, easy);
  if (code != CURLM_OK) return End(easy, calls_.at(easy)->exchange->Undrivable(code), &failed_);
  ActOnTimer();  // which libcurl has set to now
}

std::vector<Multi::Answered> CurlMulti::Wait(std::chrono::milliseconds longest,
                                             std::stop_token stop) {
  std::vector<Answered> answered = std::exchange(failed_, {});
  Excuse();
  const std::stop_callback wake(stop, [this] { ::eventfd_write(wake_, 1); });
  const Time until = std::chrono::steady_clock::now() + longest;
  while (!calls_.empty()) {
    if (stop.stop_requested()) {
      TakeAll(&answered);
      break;
    }
    TakeFinished(&answered);
    if (!answered.empty()) break;
    const Time now = std::chrono::steady_clock::now();
    Turn(until);
    TakeFinished(&answered);
    // Not before all that has come was read: the caller may have kept the line waiting.
    if (now >= next_look_ && events_.empty()) LookAtAll(&answered);
    if (!answered.empty() || now >= until) break;
  }
  left_ = std::chrono::steady_clock::now();
  return answered;
}

void CurlMulti::Turn(Time until) {
  if (events_.empty()) Poll(until);
  if (!events_.empty()) {
    const epoll_event event = events_.back();
    events_.pop_back();
    if (event.data.fd == wake_) {
      eventfd_t times = 0;
      ::eventfd_read(wake_, &times);
    } else {
      int what = 0;
      if ((event.events & (EPOLLIN | EPOLLHUP)) != 0) what |= CURL_CSELECT_IN;
      if ((event.events & EPOLLOUT) != 0) what |= CURL_CSELECT_OUT;
      if ((event.events & EPOLLERR) != 0) what |= CURL_CSELECT_ERR;
      Act(event.data.fd, what);
    }
  }
  ActOnTimer();
}

void CurlMulti::Poll(Time until) {
  ForgetUnwanted();
  Time next = std::min(until, next_look_);
  if (timer_) next = std::min(next, *timer_);
  const auto wait =
      std::chrono::ceil<std::chrono::milliseconds>(next - std::chrono::steady_clock::now());
  events_.resize(kMostEvents);
  const int count = ::epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()),
                                 static_cast<int>(std::max<std::int64_t>(wait.count(), 0)));
  events_.resize(static_cast<std::size_t>(std::max(count, 0)));
  std::reverse(events_.begin(), events_.end());
}

void CurlMulti::ActOnTimer() {
  if (!timer_ || *timer_ > std::chrono::steady_clock::now()) return;
  timer_.reset();
  Act(CURL_SOCKET_TIMEOUT, 0);
}

void CurlMulti::Act(curl_socket_t socket, int events) {
  int running = 0;
  const CURLMcode code = curl_multi_socket_action(multi_, socket, events, &running);
  // A socket that libcurl has let go of meanwhile is no failure.
  if (code != CURLM_OK && code != CURLM_BAD_SOCKET) broken_ = code;
}

void CurlMulti::End(CURL* easy, Result<Response> outcome, std::vector<Answered>* answered) {
  curl_multi_remove_handle(multi_, easy);  // closes the connection of an unfinished call
  const auto found = calls_.find(easy);
  std::unique_ptr<Call> call = std::move(found->second);
  calls_.erase(found);
  call->exchange.reset();
  idle_.push_back(easy);
  answered->push_back({call->id, std::move(call->request), std::move(outcome)});
}

void CurlMulti::TakeFinished(std::vector<Answered>* answered) {
  int queued = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &queued)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* easy = message->easy_handle;
    const CURLcode code = message->data.result;  // the message goes with the handle
    End(easy, calls_.at(easy)->exchange->Outcome(code), answered);
  }
  if (!broken_) return;
  while (!calls_.empty()) {
    CURL* easy = calls_.begin()->first;
    End(easy, calls_.at(easy)->exchange->Undrivable(*broken_), answered);
  }
  broken_.reset();
}

// While nobody waits nothing is read: the time that the caller was away is no silence of the line.
void CurlMulti::Excuse() {
  const auto away = std::chrono::steady_clock::now() - left_;
  if (away < kLookEvery) return;
  for (const auto& [easy, call] : calls_) call->exchange->Excuse(away);
}

void CurlMulti::LookAtAll(std::vector<Answered>* answered) {
  int running = 0;
  // Some steps libcurl takes only when it is asked to look at everything: 7.88 begins with the next
  // of a host's addresses long after one has refused where only sockets are told to it. Deprecated,
  // because programs did this instead of telling sockets; there is nothing else that does it.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  const CURLMcode code = curl_multi_socket_all(multi_, &running);
#pragma GCC diagnostic pop
  if (code != CURLM_OK) broken_ = code;
  TakeFinished(answered);
  std::vector<CURL*> silent;
  for (const auto& [easy, call] : calls_) {
    if (call->exchange->Patience().count() <= 0) silent.push_back(easy);
  }
  for (CURL* easy : silent) End(easy, calls_.at(easy)->exchange->WasSilent(), answered);
  next_look_ = std::chrono::steady_clock::now() + kLookEvery;
}

void CurlMulti::TakeAll(std::vector<Answered>* answered) {
  while (!calls_.empty()) {
    CURL* easy = calls_.begin()->first;
    Error stopped = Cancelled(calls_.at(easy)->request);
    End(easy, std::move(stopped), answered);
  }
}

}  // namespace tsm::http
