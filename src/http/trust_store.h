// The authorities that certificates are checked against, read once and shared by every connection
// of a transport. libcurl as Debian builds it reads the system's 140 authorities anew for each
// connection: 20 ms of CPU and 0.8 MB each, which is more than the requests of a copy take.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <mutex>

#include "tsm/http/curl_transport.h"

struct x509_store_st;  // OpenSSL's X509_STORE

namespace tsm::http {

// Thread-safe.
class TrustStore {
 public:
  // Of `ca_bundle`, else of the file and directory that libcurl was built to read; nothing is read
  // before the first connection that needs it. `options` outlive it.
  explicit TrustStore(const CurlOptions& options);
  ~TrustStore();
  TrustStore(const TrustStore&) = delete;
  TrustStore& operator=(const TrustStore&) = delete;

  // Has the handle's connections trust what is in here, and outlives the handle. A store that can't
  // be read ends a connection with CURLE_SSL_CACERT_BADFILE. False where libcurl has to read the
  // files itself, for it was built on another TLS library, or another release, than this program.
  bool Attach(CURL* easy);

 private:
  struct Free {
    void operator()(x509_store_st* store) const;
  };

  static CURLcode OnContext(CURL* easy, void* context, void* user);
  // The store; null where a file of it can't be read.
  x509_store_st* Get();

  const CurlOptions& options_;
  std::once_flag once_;
  std::unique_ptr<x509_store_st, Free> store_;
};

}  // namespace tsm::http
