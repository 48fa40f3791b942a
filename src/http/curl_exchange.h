// One request on a handle of libcurl: its options, the answer as it comes in, and what it ended
// with. Who drives the handle (alone, or among many) is not known here.
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <optional>
#include <string>

#include "trust_store.h"
#include "tsm/core/result.h"
#include "tsm/http/curl_transport.h"
#include "tsm/http/message.h"
#include "tsm/http/proxy.h"

namespace tsm::http {

// Once per process, by whoever comes first; false where libcurl can't work (out of memory).
bool CurlIsReady();

// The error of a stop.
Error Cancelled(const Request& request);

// The options that stay while a handle serves one request after another. `trust` outlives it.
void PrepareHandle(CURL* easy, const CurlOptions& options, TrustStore& trust);

// The request's proxy, or why the URL that was given for it is none.
Result<std::optional<Proxy>> FindProxy(const Request& request, const CurlOptions& options);

class CurlExchange {
 public:
  // Of a prepared handle, its own until it is gone. `request` and `options` outlive it.
  CurlExchange(CURL* easy, const Request& request, const CurlOptions& options,
               std::optional<Proxy> proxy);
  ~CurlExchange();
  CurlExchange(const CurlExchange&) = delete;
  CurlExchange& operator=(const CurlExchange&) = delete;

  // How long the wire may go on being silent; zero or less where it has been for too long.
  std::chrono::milliseconds Patience();
  // Of the time since the last byte, so much was not the wire's.
  void Excuse(std::chrono::steady_clock::duration away);
  Error WasSilent() const;
  Error Undrivable(CURLMcode code) const;  // what libcurl says of the whole multi
  // Of a transfer that libcurl says is over: the response, or why there is none.
  Result<Response> Outcome(CURLcode code);

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;

  static std::size_t OnBody(char* bytes, std::size_t size, std::size_t count, void* user);
  static std::size_t OnHeader(char* bytes, std::size_t size, std::size_t count, void* user);
  void AddHeaders();
  void SetProxy();
  void SetBody();
  std::string Where() const;
  std::string Store() const;  // what certificates are checked against
  std::string OsError() const;
  Error RefusedByProxy(long status) const;
  Error Failed(CURLcode code) const;

  CURL* const easy_;
  const Request& request_;
  const CurlOptions& options_;
  const std::optional<Proxy> proxy_;
  curl_slist* headers_ = nullptr;
  Response response_;
  SteadyTime last_byte_;
  curl_off_t sent_ = 0;
  char detail_[CURL_ERROR_SIZE] = {};
};

}  // namespace tsm::http
