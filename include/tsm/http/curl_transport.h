// The transport over libcurl: HTTP/1.1, connections kept alive and reused, TLS verified against the
// system's store (or `ca_bundle`). Each call borrows a handle from a pool, so any number of threads
// may send at once; a requested stop ends a call at once, not at its timeout. The environment is
// not read: proxies and certificates are those of the options.
#pragma once

#include <memory>
#include <string>

#include "tsm/http/proxy.h"
#include "tsm/http/transport.h"

namespace tsm::http {

struct CurlOptions {
  std::string ca_bundle;   // PEM file, "" for the system's
  bool verify_tls = true;  // false: any certificate is taken, the proxy's too (--no-verify-ssl)
  Proxies proxies;
  int max_connections = 256;  // requests in flight; more wait for their turn
};

class CurlTransport final : public Transport {
 public:
  explicit CurlTransport(CurlOptions options = {});
  ~CurlTransport() override;
  CurlTransport(const CurlTransport&) = delete;
  CurlTransport& operator=(const CurlTransport&) = delete;

  Result<Response> Send(const Request& request, std::stop_token stop) override;
  // Its requests are counted apart from `max_connections`.
  std::unique_ptr<Multi> OpenMulti(std::size_t most) override;

 private:
  struct Pool;
  std::unique_ptr<Pool> pool_;
};

}  // namespace tsm::http
