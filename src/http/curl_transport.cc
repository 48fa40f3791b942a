#include "tsm/http/curl_transport.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "curl_exchange.h"
#include "curl_multi.h"

namespace tsm::http {

namespace {

// A handle and a multi of its own: the multi holds the open connections and lets another thread end
// the wait. Belongs to one call at a time.
struct Slot {
  CURL* easy = curl_easy_init();
  CURLM* multi = curl_multi_init();

  Slot(const CurlOptions& options, TrustStore& trust) {
    // A slot that serves several hosts in turn keeps the connections to the last two: 256 slots
    // must not run out of the thousand files that a process may open.
    if (multi != nullptr) curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 2L);
    if (easy != nullptr) PrepareHandle(easy, options, trust);
  }
  ~Slot() {
    if (easy != nullptr) curl_easy_cleanup(easy);
    if (multi != nullptr) curl_multi_cleanup(multi);
  }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  bool usable() const { return easy != nullptr && multi != nullptr; }
};

// Runs the call that was added to the slot's multi until it is over, silent for too long or
// stopped.
Result<Response> Drive(const Slot& slot, const Request& request, CurlExchange& exchange,
                       std::stop_token stop) {
  const std::stop_callback wake(stop, [&slot] { curl_multi_wakeup(slot.multi); });
  for (;;) {
    if (stop.stop_requested()) return Cancelled(request);
    int running = 0;
    const CURLMcode code = curl_multi_perform(slot.multi, &running);
    if (code != CURLM_OK) return exchange.Undrivable(code);
    int queued = 0;
    while (const CURLMsg* message = curl_multi_info_read(slot.multi, &queued)) {
      if (message->msg == CURLMSG_DONE) return exchange.Outcome(message->data.result);
    }
    const std::chrono::milliseconds left = exchange.Patience();
    if (left.count() <= 0) return exchange.WasSilent();
    const auto wait = std::min<std::chrono::milliseconds>(left, std::chrono::seconds(1));
    curl_multi_poll(slot.multi, nullptr, 0, static_cast<int>(wait.count()), nullptr);
  }
}

}  // namespace

// The slots: those that no call uses, the one used last on top (its connection is the most likely
// to be open), and how many are out.
struct CurlTransport::Pool {
  const CurlOptions options;
  TrustStore trust{options};
  std::mutex mutex;
  std::condition_variable_any returned;
  std::vector<std::unique_ptr<Slot>> idle;
  int in_use = 0;

  explicit Pool(CurlOptions the_options) : options(std::move(the_options)) {}

  // Null where it was stopped before its turn came.
  std::unique_ptr<Slot> Take(std::stop_token stop) {
    std::unique_lock lock(mutex);
    const int limit = std::max(options.max_connections, 1);
    if (!returned.wait(lock, std::move(stop), [&] { return in_use < limit; })) return nullptr;
    ++in_use;
    if (idle.empty()) return std::make_unique<Slot>(options, trust);
    std::unique_ptr<Slot> slot = std::move(idle.back());
    idle.pop_back();
    return slot;
  }

  void Give(std::unique_ptr<Slot> slot) {
    {
      const std::lock_guard lock(mutex);
      --in_use;
      if (slot->usable()) idle.push_back(std::move(slot));
    }
    returned.notify_one();
  }
};

CurlTransport::CurlTransport(CurlOptions options)
    : pool_(std::make_unique<Pool>(std::move(options))) {}

CurlTransport::~CurlTransport() = default;

Result<Response> CurlTransport::Send(const Request& request, std::stop_token stop) {
  if (stop.stop_requested()) return Cancelled(request);
  Result<std::optional<Proxy>> proxy = FindProxy(request, pool_->options);
  if (!proxy) return std::move(proxy).error();
  const bool ready = CurlIsReady();
  std::unique_ptr<Slot> slot = pool_->Take(stop);
  if (slot == nullptr) return Cancelled(request);
  Result<Response> outcome =
      MakeError(ErrorKind::kLocalIo, "libcurl could not be started (out of memory?)");
  if (ready && slot->usable()) {
    CurlExchange exchange(slot->easy, request, pool_->options, *std::move(proxy));
    curl_multi_add_handle(slot->multi, slot->easy);
    outcome = Drive(*slot, request, exchange, std::move(stop));
    // Closes the connection of an unfinished call.
    curl_multi_remove_handle(slot->multi, slot->easy);
  }
  pool_->Give(std::move(slot));
  return outcome;
}

std::unique_ptr<Multi> CurlTransport::OpenMulti(std::size_t most) {
  return CurlMulti::Open(pool_->options, pool_->trust, most);
}

}  // namespace tsm::http
