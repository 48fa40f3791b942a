#include "common/session.h"

#include <utility>

#include "common/trace_transport.h"
#include "tsm/aws/profile.h"
#include "tsm/core/version.h"
#include "tsm/http/curl_transport.h"

namespace tsm::apps {

using aws::Service;

Result<std::unique_ptr<Session>> Session::Open(const SessionOptions& options,
                                               const std::string& program, ProgressSink* trace) {
  std::unique_ptr<Session> session(new Session());
  session->environment_ = aws::Environment::OfProcess();
  session->endpoint_flag_ = options.endpoint_url;
  const aws::Environment& environment = session->environment_;

  Result<aws::Profile> profile = aws::LoadProfile(environment, options.profile);
  if (!profile) return profile.error();
  Result<std::string> region = aws::ResolveRegion(options.region, environment, *profile);
  if (!region) return region.error();
  session->region_ = *region;
  auto credentials = aws::ResolveCredentials(environment, *profile, !options.profile.empty());
  if (!credentials) return credentials.error();

  http::CurlOptions curl;
  // AWS's tools honour this one; libcurl by itself does not know it.
  curl.ca_bundle = environment.Get("AWS_CA_BUNDLE").value_or("");
  session->curl_ = std::make_unique<http::CurlTransport>(curl);
  if (options.verbosity > 0 && trace != nullptr) {
    session->traced_ = std::make_unique<TraceTransport>(*session->curl_, *trace, session->clock_);
  }

  aws::ClientParts parts;
  parts.transport = session->traced_ ? session->traced_.get() : session->curl_.get();
  parts.clock = &session->clock_;
  parts.random = &session->random_;
  parts.credentials = *credentials;
  parts.user_agent = program + "/" + std::string(Version());
  session->client_ = std::make_unique<aws::Client>(std::move(parts));

  auto endpoint = [&](Service service) {
    return aws::ResolveEndpoint(service, *region, options.endpoint_url, environment);
  };
  Result<aws::Endpoint> s3 = endpoint(Service::kS3);
  if (!s3) return s3.error();
  Result<aws::Endpoint> sts = endpoint(Service::kSts);
  if (!sts) return sts.error();
  Result<aws::Endpoint> sns = endpoint(Service::kSns);
  if (!sns) return sns.error();
  session->s3_ = std::make_unique<s3::S3Client>(*session->client_, *s3, *region);
  session->sts_ = std::make_unique<sts::StsClient>(*session->client_, *sts, *region);
  session->sns_ = std::make_unique<sns::SnsClient>(*session->client_, *sns, *region);
  return session;
}

Result<timestream::QueryClient*> Session::query() {
  if (!query_) {
    Result<aws::Endpoint> endpoint =
        aws::ResolveEndpoint(Service::kTimestreamQuery, region_, endpoint_flag_, environment_);
    if (!endpoint) return endpoint.error();
    query_ = std::make_unique<timestream::QueryClient>(*client_, *endpoint, region_);
  }
  return query_.get();
}

Result<timestream::WriteClient*> Session::write() {
  if (!write_) {
    Result<aws::Endpoint> endpoint =
        aws::ResolveEndpoint(Service::kTimestreamWrite, region_, endpoint_flag_, environment_);
    if (!endpoint) return endpoint.error();
    write_ = std::make_unique<timestream::WriteClient>(*client_, *endpoint, region_);
  }
  return write_.get();
}

}  // namespace tsm::apps
