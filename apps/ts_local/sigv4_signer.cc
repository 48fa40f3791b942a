#include "ts_local/sigv4_signer.h"

#include "ts_local/sigv4_authorization.h"
#include "ts_local/sigv4_canonical.h"

namespace ts_local {

void SignS3(const AccessKey& key, const std::string& region, std::int64_t unix_ms,
            std::string_view payload_hash, Request* request) {
  const SigningScope scope{AmzDate(unix_ms), region, "s3"};
  request->headers.emplace("x-amz-date", scope.date);
  request->headers.emplace("x-amz-content-sha256", payload_hash);
  std::string signed_headers;  // the map's order is the one that SigV4 wants
  for (auto it = request->headers.begin(); it != request->headers.end();
       it = request->headers.upper_bound(it->first)) {
    if (!signed_headers.empty()) signed_headers += ';';
    signed_headers += it->first;
  }
  const std::string signature =
      Signature(*request, scope, key.secret, signed_headers, payload_hash);
  request->headers.emplace("authorization", "AWS4-HMAC-SHA256 Credential=" + key.id + "/" +
                                                scope.Text() + ", SignedHeaders=" + signed_headers +
                                                ", Signature=" + signature);
}

}  // namespace ts_local
