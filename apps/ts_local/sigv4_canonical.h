// The stages of AWS Signature Version 4 between a request and its signature, shared by the verifier
// of what ts-local receives and the signer of what it sends to a foreign S3. Written from the
// specification, independent of the library in src/. Pure functions, thread-safe.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
#pragma once

#include <string>
#include <string_view>

#include "ts_local/message.h"

namespace ts_local {

struct SigningScope {
  std::string date;  // "YYYYMMDDTHHMMSSZ", the request's x-amz-date
  std::string region;
  std::string service;  // "s3" has rules of its own for the path
  // "YYYYMMDD/region/service/aws4_request"
  std::string Text() const {
    return date.substr(0, 8) + "/" + region + "/" + service + "/aws4_request";
  }
};

// Gives each name of a ';' list to `visit(std::string_view)`.
template <typename Visit>
void ForEachName(std::string_view list, Visit visit) {
  while (!list.empty()) {
    const std::size_t end = list.find(';');
    visit(list.substr(0, end));
    list = end == std::string_view::npos ? std::string_view() : list.substr(end + 1);
  }
}

// `signed_headers` is the ';' list of the Authorization header.
std::string CanonicalRequest(const Request& request, std::string_view signed_headers,
                             std::string_view payload_hash, bool s3);
// `date` is "YYYYMMDD".
std::string SigningKey(std::string_view secret, std::string_view date, std::string_view region,
                       std::string_view service);

// The signature in hex.
std::string Signature(const Request& request, const SigningScope& scope, std::string_view secret,
                      std::string_view signed_headers, std::string_view payload_hash);

}  // namespace ts_local
