#include "trust_store.h"

#include <openssl/crypto.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <string>
#include <utility>

namespace tsm::http {

namespace {

// Whether libcurl's TLS contexts are those of the OpenSSL that this file was linked with.
bool SharesOpenSsl() {
  const char* theirs = curl_version_info(CURLVERSION_NOW)->ssl_version;
  return theirs != nullptr &&
         theirs == std::string("OpenSSL/") + OpenSSL_version(OPENSSL_VERSION_STRING);
}

}  // namespace

void TrustStore::Free::operator()(x509_store_st* store) const { X509_STORE_free(store); }

TrustStore::TrustStore(const CurlOptions& options) : options_(options) {}

TrustStore::~TrustStore() = default;

bool TrustStore::Attach(CURL* easy) {
  static const bool shares = SharesOpenSsl();
  if (!shares || curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, &OnContext) != CURLE_OK) {
    return false;
  }
  curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, this);
  return true;
}

CURLcode TrustStore::OnContext(CURL* /*easy*/, void* context, void* user) {
  x509_store_st* store = static_cast<TrustStore*>(user)->Get();
  if (store == nullptr) return CURLE_SSL_CACERT_BADFILE;
  SSL_CTX_set1_cert_store(static_cast<SSL_CTX*>(context), store);
  return CURLE_OK;
}

x509_store_st* TrustStore::Get() {
  std::call_once(once_, [this] {
    std::unique_ptr<x509_store_st, Free> store(X509_STORE_new());
    if (store == nullptr) return;
    // As libcurl does: a certificate of the bundle is trusted though it is not its own issuer.
    X509_STORE_set_flags(store.get(), X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
    const curl_version_info_data* built = curl_version_info(CURLVERSION_NOW);
    const bool own = !options_.ca_bundle.empty();
    // Beside the file, libcurl as distributions build it looks into the system's directory of
    // authorities too: a bundle that names one authority would leave all others trusted.
    const char* file = own ? options_.ca_bundle.c_str() : built->cainfo;
    const char* directory = own ? nullptr : built->capath;
    if (file != nullptr && X509_STORE_load_file(store.get(), file) != 1) return;
    if (directory != nullptr && X509_STORE_load_path(store.get(), directory) != 1) return;
    store_ = std::move(store);
  });
  return store_.get();
}

}  // namespace tsm::http
