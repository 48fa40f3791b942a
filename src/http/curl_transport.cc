#include "tsm/http/curl_transport.h"

#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "tsm/core/text.h"
#include "tsm/core/time_text.h"

namespace tsm::http {

namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

// A handle and a multi of its own: the multi holds the open connections and lets another thread end
// the wait. Belongs to one call at a time.
struct Slot {
  CURL* easy = curl_easy_init();
  CURLM* multi = curl_multi_init();

  Slot() {
    // A slot that serves several hosts in turn keeps the connections to the last two: 256 slots
    // must not run out of the thousand files that a process may open.
    if (multi != nullptr) curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 2L);
  }
  ~Slot() {
    if (easy != nullptr) curl_easy_cleanup(easy);
    if (multi != nullptr) curl_multi_cleanup(multi);
  }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  bool usable() const { return easy != nullptr && multi != nullptr; }
};

struct HeaderList {
  curl_slist* list = nullptr;
  HeaderList() = default;
  ~HeaderList() { curl_slist_free_all(list); }
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  void Add(const std::string& line) { list = curl_slist_append(list, line.c_str()); }
};

// What libcurl's callbacks fill while one call runs.
struct Exchange {
  Response response;
  SteadyTime last_byte = std::chrono::steady_clock::now();
  curl_off_t sent = 0;
  long os_error = 0;
  long connect_status = 0;  // a proxy's answer to CONNECT
  long proxy_error = 0;     // a SOCKS proxy's
  char detail[CURL_ERROR_SIZE] = {};
};

std::size_t OnBody(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  std::string& body = exchange.response.body;
  if (body.empty()) {
    // A large body that grows by doubling would take up to three times its size meanwhile.
    constexpr std::int64_t kMostReserved = 64LL << 20U;
    const auto promised = ParseInt64(FindHeader(exchange.response.headers, "content-length"));
    if (promised && *promised > 0) {
      body.reserve(static_cast<std::size_t>(std::min(*promised, kMostReserved)));
    }
  }
  body.append(bytes, size * count);
  exchange.last_byte = std::chrono::steady_clock::now();
  return size * count;
}

std::size_t OnHeader(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto& exchange = *static_cast<Exchange*>(user);
  exchange.last_byte = std::chrono::steady_clock::now();
  const std::string_view line(bytes, size * count);
  Headers& headers = exchange.response.headers;
  if (line.starts_with("HTTP/")) {
    headers.clear();  // a 100 Continue or a proxy's answer came before: only the last block counts
  } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
    headers.emplace_back(std::string(TrimAscii(line.substr(0, colon))),
                         std::string(TrimAscii(line.substr(colon + 1))));
  }
  return size * count;
}

void AddHeaders(const Request& request, HeaderList& list) {
  for (const auto& [name, value] : request.headers) {
    // libcurl's way to send a header without a value is a semicolon.
    list.Add(value.empty() ? name + ";" : name + ": " + value);
  }
  // What libcurl would add by itself: an Expect costs a round trip, a wrong Content-Type a
  // signature.
  list.Add("Expect:");
  for (const std::string_view name : {"Content-Type", "Accept"}) {
    if (FindHeader(request.headers, name).empty()) list.Add(std::string(name) + ":");
  }
}

template <typename Value>
void Set(CURL* easy, CURLoption option, Value value) {
  curl_easy_setopt(easy, option, value);
}

// Sets every option that libcurl would otherwise take from the environment.
void SetProxy(CURL* easy, const std::optional<Proxy>& proxy) {
  Set(easy, CURLOPT_NOPROXY, "");  // decided already
  Set(easy, CURLOPT_PROXY, proxy ? proxy->address.c_str() : "");
  if (!proxy || !proxy->has_login()) return;
  Set(easy, CURLOPT_PROXYUSERNAME, proxy->user.c_str());
  Set(easy, CURLOPT_PROXYPASSWORD, proxy->password.c_str());
}

void SetTls(CURL* easy, const CurlOptions& options) {
  for (const CURLoption verify : {CURLOPT_SSL_VERIFYPEER, CURLOPT_PROXY_SSL_VERIFYPEER}) {
    Set(easy, verify, options.verify_tls ? 1L : 0L);
  }
  for (const CURLoption verify : {CURLOPT_SSL_VERIFYHOST, CURLOPT_PROXY_SSL_VERIFYHOST}) {
    Set(easy, verify, options.verify_tls ? 2L : 0L);
  }
  if (options.ca_bundle.empty()) return;
  Set(easy, CURLOPT_CAINFO, options.ca_bundle.c_str());
  Set(easy, CURLOPT_PROXY_CAINFO, options.ca_bundle.c_str());
  // Beside the file, libcurl as distributions build it looks into the system's directory of
  // authorities too: a bundle that names one authority would leave all others trusted.
  for (const CURLoption directory : {CURLOPT_CAPATH, CURLOPT_PROXY_CAPATH}) {
    Set(easy, directory, static_cast<const char*>(nullptr));
  }
}

void SetBody(CURL* easy, const Request& request) {
  if (request.method == "HEAD") {
    Set(easy, CURLOPT_NOBODY, 1L);
    return;
  }
  const std::string& body = request.Body();
  if (!body.empty() || request.method == "POST" || request.method == "PUT") {
    Set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    Set(easy, CURLOPT_POSTFIELDS, body.data());  // not copied: the request outlives the call
  }
  Set(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

void Configure(CURL* easy, const Request& request, const CurlOptions& options,
               const std::optional<Proxy>& proxy, const HeaderList& headers, Exchange& exchange) {
  const std::string url = request.scheme + "://" + request.host + request.Target();
  Set(easy, CURLOPT_URL, url.c_str());
  Set(easy, CURLOPT_PATH_AS_IS, 1L);
  Set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  Set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  Set(easy, CURLOPT_FOLLOWLOCATION, 0L);
  Set(easy, CURLOPT_NOSIGNAL, 1L);  // signals belong to the program, and threads share them
  Set(easy, CURLOPT_TCP_NODELAY, 1L);
  // A Query is silent for up to a minute: a NAT gateway must not take its connection for dead.
  Set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  Set(easy, CURLOPT_TCP_KEEPIDLE, 30L);
  Set(easy, CURLOPT_TCP_KEEPINTVL, 30L);
  Set(easy, CURLOPT_QUICK_EXIT, 1L);  // a stop does not wait for a name that does not resolve
  Set(easy, CURLOPT_FRESH_CONNECT, request.fresh_connection ? 1L : 0L);
  // The connect timeout covers names, TLS and the proxy's CONNECT.
  Set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.timeouts.connect.count()));
  Set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeouts.total.count()));
  Set(easy, CURLOPT_HTTPHEADER, headers.list);
  // The headers are the service's: a proxy that is asked to CONNECT must not read the signature.
  Set(easy, CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));
  Set(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  Set(easy, CURLOPT_WRITEFUNCTION, &OnBody);
  Set(easy, CURLOPT_WRITEDATA, &exchange);
  Set(easy, CURLOPT_HEADERFUNCTION, &OnHeader);
  Set(easy, CURLOPT_HEADERDATA, &exchange);
  Set(easy, CURLOPT_ERRORBUFFER, &exchange.detail[0]);
  SetProxy(easy, proxy);
  SetTls(easy, options);
  SetBody(easy, request);
}

constexpr std::string_view kProxyVariables =
    " (HTTPS_PROXY, HTTP_PROXY and NO_PROXY decide the proxy)";

std::string Where(const Request& request, const std::optional<Proxy>& proxy) {
  return request.scheme + "://" + request.host +
         (proxy ? " (through the proxy " + proxy->address + ")" : "") + ": ";
}

// " (Connection refused)": libcurl's own text does not say why a connection failed.
std::string OsError(const Exchange& exchange) {
  if (exchange.os_error == 0) return {};
  return " (" + std::generic_category().message(static_cast<int>(exchange.os_error)) + ")";
}

// An HTTP proxy that answers for itself: to a CONNECT, or with 407 to a request.
Error RefusedByProxy(const Request& request, const Proxy& proxy, long status) {
  const std::string where = Where(request, proxy);
  const std::string answer = " (HTTP " + std::to_string(status) + ")";
  if (status == 407) {
    return MakeError(ErrorKind::kConfiguration,
                     where +
                         (proxy.has_login() ? "the proxy does not accept its user and password"
                                            : "the proxy asks for a user and password") +
                         answer + std::string(kProxyVariables));
  }
  // Squid and its like answer 403 to a host or port that their rules exclude, and 5xx where they
  // can't reach the host.
  const bool by_rule = status >= 300 && status < 500 && status != 408 && status != 429;
  return MakeError(by_rule ? ErrorKind::kConfiguration : ErrorKind::kTransient,
                   where +
                       (by_rule ? "the proxy refuses the connection"
                                : "the proxy could not make the connection") +
                       answer + std::string(kProxyVariables));
}

bool RefusedBySocks(long proxy_error) {
  return proxy_error == CURLPX_NO_AUTH || proxy_error == CURLPX_USER_REJECTED ||
         proxy_error == CURLPX_REPLY_NOT_ALLOWED || proxy_error == CURLPX_BAD_VERSION;
}

Error Failed(const Request& request, CURLcode code, const Exchange& exchange,
             const CurlOptions& options, const std::optional<Proxy>& proxy) {
  if (proxy && exchange.connect_status >= 300) {
    return RefusedByProxy(request, *proxy, exchange.connect_status);
  }
  const std::string detail =
      OneLine(exchange.detail[0] != '\0' ? exchange.detail : curl_easy_strerror(code));
  const std::string where = Where(request, proxy);
  const std::string_view proxy_hint = proxy ? kProxyVariables : std::string_view();
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR: {
      const std::string store =
          options.ca_bundle.empty() ? "the system's certificate store" : options.ca_bundle;
      return MakeError(ErrorKind::kConfiguration,
                       where + "its certificate is not trusted: " + detail + " (checked against " +
                           store + "; AWS_CA_BUNDLE names another PEM file)");
    }
    case CURLE_URL_MALFORMAT:
      return MakeError(ErrorKind::kConfiguration, where + "not a usable URL: " + detail);
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
      return MakeError(ErrorKind::kConfiguration,
                       where + "does not answer in HTTP: " + detail + " (is the endpoint right?)");
    case CURLE_SSL_CONNECT_ERROR:
      // OpenSSL's words for an answer that is no TLS at all.
      if (detail.find("wrong version number") != std::string::npos) {
        return MakeError(ErrorKind::kConfiguration, where + "does not answer in TLS: " + detail +
                                                        " (is the endpoint http:// instead?)");
      }
      return MakeError(ErrorKind::kTransient, where + detail + OsError(exchange));
    case CURLE_COULDNT_RESOLVE_PROXY:
      return MakeError(ErrorKind::kConfiguration, where + detail + std::string(proxy_hint));
    case CURLE_PROXY:
      return MakeError(
          RefusedBySocks(exchange.proxy_error) ? ErrorKind::kConfiguration : ErrorKind::kTransient,
          where + detail + std::string(proxy_hint));
    case CURLE_COULDNT_CONNECT:
      return MakeError(ErrorKind::kTransient,
                       where + detail + OsError(exchange) + std::string(proxy_hint));
    default:
      return MakeError(ErrorKind::kTransient, where + detail + OsError(exchange));
  }
}

Error Cancelled(const Request& request) {
  return MakeError(ErrorKind::kCancelled, "stopped while calling " + request.host);
}

void NoteUpload(CURL* easy, Exchange& exchange) {
  curl_off_t sent = 0;
  curl_easy_getinfo(easy, CURLINFO_SIZE_UPLOAD_T, &sent);
  if (sent != exchange.sent) {
    exchange.sent = sent;
    exchange.last_byte = std::chrono::steady_clock::now();
  }
}

// Runs the call that was added to the slot's multi until it is over, silent for too long or
// stopped.
Result<CURLcode> Drive(const Slot& slot, const Request& request, Exchange& exchange,
                       const std::optional<Proxy>& proxy, std::stop_token stop) {
  const std::stop_callback wake(stop, [&slot] { curl_multi_wakeup(slot.multi); });
  for (;;) {
    if (stop.stop_requested()) return Cancelled(request);
    int running = 0;
    const CURLMcode code = curl_multi_perform(slot.multi, &running);
    if (code != CURLM_OK) {
      return MakeError(ErrorKind::kTransient, Where(request, proxy) + curl_multi_strerror(code));
    }
    int queued = 0;
    while (const CURLMsg* message = curl_multi_info_read(slot.multi, &queued)) {
      if (message->msg == CURLMSG_DONE) return message->data.result;
    }
    NoteUpload(slot.easy, exchange);
    const auto silent_until = exchange.last_byte + request.timeouts.idle;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
        silent_until - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      return MakeError(ErrorKind::kTransient, Where(request, proxy) + "no byte for " +
                                                  FormatDuration(request.timeouts.idle));
    }
    const auto wait = std::min<std::chrono::milliseconds>(left, std::chrono::seconds(1));
    curl_multi_poll(slot.multi, nullptr, 0, static_cast<int>(wait.count()), nullptr);
  }
}

}  // namespace

// The slots: those that no call uses, the one used last on top (its connection is the most likely
// to be open), and how many are out.
struct CurlTransport::Pool {
  CurlOptions options;
  bool ready = false;
  std::mutex mutex;
  std::condition_variable_any returned;
  std::vector<std::unique_ptr<Slot>> idle;
  int in_use = 0;

  // Null where it was stopped before its turn came.
  std::unique_ptr<Slot> Take(std::stop_token stop) {
    std::unique_lock lock(mutex);
    const int limit = std::max(options.max_connections, 1);
    if (!returned.wait(lock, std::move(stop), [&] { return in_use < limit; })) return nullptr;
    ++in_use;
    if (idle.empty()) return std::make_unique<Slot>();
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

CurlTransport::CurlTransport(CurlOptions options) : pool_(std::make_unique<Pool>()) {
  static const CURLcode initialized = curl_global_init(CURL_GLOBAL_DEFAULT);
  pool_->ready = initialized == CURLE_OK;
  pool_->options = std::move(options);
}

CurlTransport::~CurlTransport() = default;

Result<Response> CurlTransport::Send(const Request& request, std::stop_token stop) {
  if (stop.stop_requested()) return Cancelled(request);
  std::optional<Proxy> proxy;
  if (const auto url = ProxyFor(request, pool_->options.proxies); !url.empty()) {
    Result<Proxy> parsed = ParseProxy(url);
    if (!parsed) {
      parsed.error().message += kProxyVariables;
      return parsed.error();
    }
    proxy = *std::move(parsed);
  }
  std::unique_ptr<Slot> slot = pool_->Take(stop);
  if (slot == nullptr) return Cancelled(request);
  if (!pool_->ready || !slot->usable()) {
    pool_->Give(std::move(slot));
    return MakeError(ErrorKind::kLocalIo, "libcurl could not be started (out of memory?)");
  }
  Exchange exchange;
  HeaderList headers;
  AddHeaders(request, headers);
  Configure(slot->easy, request, pool_->options, proxy, headers, exchange);
  curl_multi_add_handle(slot->multi, slot->easy);
  const Result<CURLcode> outcome = Drive(*slot, request, exchange, proxy, stop);
  long status = 0;
  curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(slot->easy, CURLINFO_OS_ERRNO, &exchange.os_error);
  curl_easy_getinfo(slot->easy, CURLINFO_HTTP_CONNECTCODE, &exchange.connect_status);
  curl_easy_getinfo(slot->easy, CURLINFO_PROXY_ERROR, &exchange.proxy_error);
  curl_multi_remove_handle(slot->multi, slot->easy);  // closes the connection of an unfinished call
  curl_easy_reset(slot->easy);  // forgets this call's options and buffers, keeps the connections
  pool_->Give(std::move(slot));

  if (!outcome) return outcome.error();
  if (*outcome != CURLE_OK) return Failed(request, *outcome, exchange, pool_->options, proxy);
  if (proxy && status == 407) return RefusedByProxy(request, *proxy, status);
  exchange.response.status = static_cast<int>(status);
  return std::move(exchange.response);
}

}  // namespace tsm::http
