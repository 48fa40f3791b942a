#include "curl_exchange.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <system_error>
#include <utility>

#include "tsm/core/text.h"
#include "tsm/core/time_text.h"

namespace tsm::http {

namespace {

template <typename Value>
void Set(CURL* easy, CURLoption option, Value value) {
  curl_easy_setopt(easy, option, value);
}

void SetTls(CURL* easy, const CurlOptions& options, TrustStore& trust) {
  for (const CURLoption verify : {CURLOPT_SSL_VERIFYPEER, CURLOPT_PROXY_SSL_VERIFYPEER}) {
    Set(easy, verify, options.verify_tls ? 1L : 0L);
  }
  for (const CURLoption verify : {CURLOPT_SSL_VERIFYHOST, CURLOPT_PROXY_SSL_VERIFYHOST}) {
    Set(easy, verify, options.verify_tls ? 2L : 0L);
  }
  const char* const nothing = nullptr;
  if (!options.ca_bundle.empty()) {
    // The bundle takes the place of the system's file and directory.
    Set(easy, CURLOPT_CAINFO, options.ca_bundle.c_str());
    Set(easy, CURLOPT_PROXY_CAINFO, options.ca_bundle.c_str());
    Set(easy, CURLOPT_CAPATH, nothing);
    Set(easy, CURLOPT_PROXY_CAPATH, nothing);
  }
  if (!options.verify_tls || trust.Attach(easy)) {
    // libcurl itself has nothing to read. (For a proxy in TLS, which is rare, it does.)
    Set(easy, CURLOPT_CAINFO, nothing);
    Set(easy, CURLOPT_CAPATH, nothing);
  }
}

constexpr std::string_view kProxyVariables =
    " (HTTPS_PROXY, HTTP_PROXY and NO_PROXY decide the proxy)";

bool RefusedBySocks(long proxy_error) {
  return proxy_error == CURLPX_NO_AUTH || proxy_error == CURLPX_USER_REJECTED ||
         proxy_error == CURLPX_REPLY_NOT_ALLOWED || proxy_error == CURLPX_BAD_VERSION;
}

long Info(CURL* easy, CURLINFO what) {
  long value = 0;
  curl_easy_getinfo(easy, what, &value);
  return value;
}

}  // namespace

bool CurlIsReady() {
  static const CURLcode initialized = curl_global_init(CURL_GLOBAL_DEFAULT);
  return initialized == CURLE_OK;
}

Error Cancelled(const Request& request) {
  return MakeError(ErrorKind::kCancelled, "stopped while calling " + request.host);
}

void PrepareHandle(CURL* easy, const CurlOptions& options, TrustStore& trust) {
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
  // The headers are the service's: a proxy that is asked to CONNECT must not read the signature.
  Set(easy, CURLOPT_HEADEROPT, static_cast<long>(CURLHEADER_SEPARATE));
  Set(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  Set(easy, CURLOPT_NOPROXY, "");  // decided already
  SetTls(easy, options, trust);
}

Result<std::optional<Proxy>> FindProxy(const Request& request, const CurlOptions& options) {
  const std::string_view url = ProxyFor(request, options.proxies);
  if (url.empty()) return std::optional<Proxy>();
  Result<Proxy> parsed = ParseProxy(url);
  if (parsed) return std::optional<Proxy>(*std::move(parsed));
  parsed.error().message += kProxyVariables;
  return parsed.error();
}

CurlExchange::CurlExchange(CURL* easy, const Request& request, const CurlOptions& options,
                           std::optional<Proxy> proxy)
    : easy_(easy),
      request_(request),
      options_(options),
      proxy_(std::move(proxy)),
      last_byte_(std::chrono::steady_clock::now()) {
  const std::string url = request.scheme + "://" + request.host + request.Target();
  AddHeaders();
  Set(easy, CURLOPT_URL, url.c_str());
  Set(easy, CURLOPT_FRESH_CONNECT, request.fresh_connection ? 1L : 0L);
  // The connect timeout covers names, TLS and the proxy's CONNECT.
  Set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.timeouts.connect.count()));
  Set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeouts.total.count()));
  Set(easy, CURLOPT_HTTPHEADER, headers_);
  Set(easy, CURLOPT_WRITEFUNCTION, &OnBody);
  Set(easy, CURLOPT_WRITEDATA, this);
  Set(easy, CURLOPT_HEADERFUNCTION, &OnHeader);
  Set(easy, CURLOPT_HEADERDATA, this);
  Set(easy, CURLOPT_ERRORBUFFER, &detail_[0]);
  SetProxy();
  SetBody();
}

// The handle outlives what it was shown.
CurlExchange::~CurlExchange() {
  Set(easy_, CURLOPT_ERRORBUFFER, static_cast<char*>(nullptr));
  Set(easy_, CURLOPT_HTTPHEADER, static_cast<curl_slist*>(nullptr));
  Set(easy_, CURLOPT_POSTFIELDS, static_cast<const char*>(nullptr));
  curl_slist_free_all(headers_);
}

std::size_t CurlExchange::OnBody(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto& exchange = *static_cast<CurlExchange*>(user);
  std::string& body = exchange.response_.body;
  if (body.empty()) {
    // A large body that grows by doubling would take up to three times its size meanwhile.
    constexpr std::int64_t kMostReserved = 64LL << 20U;
    const auto promised = ParseInt64(FindHeader(exchange.response_.headers, "content-length"));
    if (promised && *promised > 0) {
      body.reserve(static_cast<std::size_t>(std::min(*promised, kMostReserved)));
    }
  }
  body.append(bytes, size * count);
  exchange.last_byte_ = std::chrono::steady_clock::now();
  return size * count;
}

std::size_t CurlExchange::OnHeader(char* bytes, std::size_t size, std::size_t count, void* user) {
  auto& exchange = *static_cast<CurlExchange*>(user);
  exchange.last_byte_ = std::chrono::steady_clock::now();
  const std::string_view line(bytes, size * count);
  Headers& headers = exchange.response_.headers;
  if (line.starts_with("HTTP/")) {
    headers.clear();  // a 100 Continue or a proxy's answer came before: only the last block counts
  } else if (const std::size_t colon = line.find(':'); colon != std::string_view::npos) {
    headers.emplace_back(std::string(TrimAscii(line.substr(0, colon))),
                         std::string(TrimAscii(line.substr(colon + 1))));
  }
  return size * count;
}

void CurlExchange::AddHeaders() {
  const auto add = [this](const std::string& line) {
    headers_ = curl_slist_append(headers_, line.c_str());
  };
  std::string line;
  for (const auto& [name, value] : request_.headers) {
    line = name;
    // libcurl's way to send a header without a value is a semicolon.
    line += value.empty() ? ";" : ": ";
    line += value;
    add(line);
  }
  // What libcurl would add by itself: an Expect costs a round trip, a wrong Content-Type a
  // signature.
  add("Expect:");
  for (const std::string_view name : {"Content-Type", "Accept"}) {
    if (FindHeader(request_.headers, name).empty()) add(std::string(name) + ":");
  }
}

// Sets every option that libcurl would otherwise take from the environment.
void CurlExchange::SetProxy() {
  const bool login = proxy_ && proxy_->has_login();
  Set(easy_, CURLOPT_PROXY, proxy_ ? proxy_->address.c_str() : "");
  Set(easy_, CURLOPT_PROXYUSERNAME, login ? proxy_->user.c_str() : nullptr);
  Set(easy_, CURLOPT_PROXYPASSWORD, login ? proxy_->password.c_str() : nullptr);
}

void CurlExchange::SetBody() {
  Set(easy_, CURLOPT_HTTPGET, 1L);  // forgets the method and body of the request before
  if (request_.method == "HEAD") {
    Set(easy_, CURLOPT_CUSTOMREQUEST, static_cast<const char*>(nullptr));
    Set(easy_, CURLOPT_NOBODY, 1L);
    return;
  }
  const std::string& body = request_.Body();
  if (!body.empty() || request_.method == "POST" || request_.method == "PUT") {
    Set(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    Set(easy_, CURLOPT_POSTFIELDS, body.data());  // not copied: the request outlives the call
  }
  Set(easy_, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
}

std::chrono::milliseconds CurlExchange::Patience() {
  curl_off_t sent = 0;
  curl_easy_getinfo(easy_, CURLINFO_SIZE_UPLOAD_T, &sent);
  if (sent != sent_) {
    sent_ = sent;
    last_byte_ = std::chrono::steady_clock::now();
  }
  return std::chrono::ceil<std::chrono::milliseconds>(last_byte_ + request_.timeouts.idle -
                                                      std::chrono::steady_clock::now());
}

void CurlExchange::Excuse(std::chrono::steady_clock::duration away) {
  last_byte_ = std::min(std::chrono::steady_clock::now(), last_byte_ + away);
}

Error CurlExchange::WasSilent() const {
  return MakeError(ErrorKind::kTransient,
                   Where() + "no byte for " + FormatDuration(request_.timeouts.idle));
}

Error CurlExchange::Undrivable(CURLMcode code) const {
  return MakeError(ErrorKind::kTransient, Where() + curl_multi_strerror(code));
}

Result<Response> CurlExchange::Outcome(CURLcode code) {
  if (code != CURLE_OK) return Failed(code);
  const long status = Info(easy_, CURLINFO_RESPONSE_CODE);
  if (proxy_ && status == 407) return RefusedByProxy(status);
  response_.status = static_cast<int>(status);
  return std::move(response_);
}

std::string CurlExchange::Where() const {
  return request_.scheme + "://" + request_.host +
         (proxy_ ? " (through the proxy " + proxy_->address + ")" : "") + ": ";
}

std::string CurlExchange::Store() const {
  return options_.ca_bundle.empty() ? "the system's certificate store" : options_.ca_bundle;
}

// " (Connection refused)": libcurl's own text does not say why a connection failed.
std::string CurlExchange::OsError() const {
  const long number = Info(easy_, CURLINFO_OS_ERRNO);
  if (number == 0) return {};
  return " (" + std::generic_category().message(static_cast<int>(number)) + ")";
}

// An HTTP proxy that answers for itself: to a CONNECT, or with 407 to a request.
Error CurlExchange::RefusedByProxy(long status) const {
  const std::string where = Where();
  const std::string answer = " (HTTP " + std::to_string(status) + ")";
  if (status == 407) {
    return MakeError(ErrorKind::kConfiguration,
                     where +
                         (proxy_->has_login() ? "the proxy does not accept its user and password"
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

Error CurlExchange::Failed(CURLcode code) const {
  const long connect_status = Info(easy_, CURLINFO_HTTP_CONNECTCODE);
  if (proxy_ && connect_status >= 300) return RefusedByProxy(connect_status);
  const std::string detail = OneLine(detail_[0] != '\0' ? detail_ : curl_easy_strerror(code));
  const std::string where = Where();
  const std::string_view proxy_hint = proxy_ ? kProxyVariables : std::string_view();
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
      return MakeError(ErrorKind::kConfiguration,
                       where + "its certificate is not trusted: " + detail + " (checked against " +
                           Store() + "; AWS_CA_BUNDLE names another PEM file)");
    case CURLE_SSL_CACERT_BADFILE:
      return MakeError(ErrorKind::kConfiguration,
                       where + "its certificate can't be checked: " + Store() +
                           " can't be read as certificates in PEM (AWS_CA_BUNDLE names another "
                           "file)");
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
      return MakeError(ErrorKind::kTransient, where + detail + OsError());
    case CURLE_COULDNT_RESOLVE_PROXY:
      return MakeError(ErrorKind::kConfiguration, where + detail + std::string(proxy_hint));
    case CURLE_PROXY:
      return MakeError(RefusedBySocks(Info(easy_, CURLINFO_PROXY_ERROR)) ? ErrorKind::kConfiguration
                                                                         : ErrorKind::kTransient,
                       where + detail + std::string(proxy_hint));
    case CURLE_COULDNT_CONNECT:
      return MakeError(ErrorKind::kTransient, where + detail + OsError() + std::string(proxy_hint));
    default:
      return MakeError(ErrorKind::kTransient, where + detail + OsError());
  }
}

}  // namespace tsm::http
