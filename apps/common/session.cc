#include "common/session.h"

#include <utility>

#include "common/mfa_prompt.h"
#include "common/trace_transport.h"
#include "tsm/aws/credentials/chain.h"
#include "tsm/core/text.h"
#include "tsm/core/version.h"
#include "tsm/http/curl_transport.h"

namespace tsm::apps {

using aws::Service;

namespace {

// "ts-unload/0.1.0 lang/c++ os/linux app/nightly": AWS's form, so that CloudTrail can tell the
// tool.
std::string UserAgent(const std::string& program, const std::string& app_id) {
  std::string agent = program + "/" + std::string(Version()) + " lang/c++ os/linux";
  if (!app_id.empty()) agent += " app/" + app_id;
  return agent;
}

Status CheckRegionFlag(const std::string& region, const char* flag) {
  if (region.empty() || aws::IsRegionName(region)) return Ok();
  return MakeError(ErrorKind::kInvalidInput, std::string(flag) + ": '" + OneLine(region, 60) +
                                                 "' is not a region; expected a name like "
                                                 "us-east-1");
}

}  // namespace

Result<std::unique_ptr<Session>> Session::Open(const SessionOptions& options,
                                               const std::string& program, ProgressSink& sink) {
  if (Status status = CheckRegionFlag(options.source_region, "--source_region"); !status) {
    return status.error();
  }
  Result<aws::ClientSettings> settings =
      aws::ResolveSettings(options.client, aws::Environment::OfProcess());
  if (!settings) return settings.error();

  std::unique_ptr<Session> session(new Session());
  session->settings_ = *std::move(settings);
  session->program_ = program;
  session->user_agent_ = UserAgent(program, session->settings_.app_id);
  session->curl_ = std::make_unique<http::CurlTransport>(session->settings_.http);
  if (options.tells_requests()) {
    const auto detail = options.debug ? TraceDetail::kHeaders : TraceDetail::kLine;
    session->traced_ =
        std::make_unique<TraceTransport>(*session->curl_, sink, session->clock_, detail);
    sink.Info("region " + session->region() +
              ", credentials: " + aws::Describe(session->settings_.credentials));
  }
  if (!session->settings_.http.verify_tls) {
    sink.Warn(
        "--no_verify_ssl: certificates are not checked, whoever sits on the line can read and "
        "change what is sent");
  }

  const auto credentials = session->MakeCredentials();
  session->target_ = session->MakeSide(credentials, session->region());
  if (!options.source_region.empty() && options.source_region != session->region()) {
    session->source_ = session->MakeSide(credentials, options.source_region);
  }
  aws::Client& client = *session->target_.client;
  const aws::EndpointResolver& endpoints = session->settings_.endpoints;
  session->sts_ = std::make_unique<sts::StsClient>(
      client, endpoints.Resolve(Service::kSts, session->region()), session->region());
  session->sns_ = std::make_unique<sns::SnsClient>(client, endpoints, session->region());
  return session;
}

http::Transport& Session::transport() { return traced_ ? *traced_ : *curl_; }

std::shared_ptr<aws::CredentialsProvider> Session::MakeCredentials() {
  aws::CredentialsContext context;
  context.transport = &transport();
  context.clock = &clock_;
  context.skew = &skew_;
  context.random = &random_;
  context.endpoints = settings_.endpoints;
  context.region = settings_.region;
  context.retry = settings_.retry;
  context.user_agent = user_agent_;
  context.tool = program_;
  context.ask_mfa = AskMfaCode;
  return aws::MakeCredentialsProvider(settings_.credentials, context);
}

Session::Side Session::MakeSide(std::shared_ptr<aws::CredentialsProvider> credentials,
                                const std::string& region) {
  aws::ClientParts parts;
  parts.transport = &transport();
  parts.clock = &clock_;
  parts.random = &random_;
  parts.credentials = std::move(credentials);
  parts.retry = settings_.retry;
  parts.user_agent = user_agent_;
  parts.skew = &skew_;
  parts.limiter = settings_.adaptive ? &limiter_ : nullptr;
  Side side;
  side.client = std::make_unique<aws::Client>(std::move(parts));
  side.s3 = std::make_unique<s3::S3Client>(*side.client, settings_.endpoints, region, settings_.s3);
  return side;
}

Result<aws::Endpoint> Session::TimestreamEndpoint(Service service, const char* flag) const {
  const aws::Endpoint endpoint = settings_.endpoints.Resolve(service, settings_.region);
  if (endpoint.custom || !settings_.discovery_disabled) return endpoint;
  return MakeError(
      ErrorKind::kConfiguration,
      "endpoint discovery is switched off (AWS_ENABLE_ENDPOINT_DISCOVERY, "
      "AWS_ENDPOINT_DISCOVERY_ENABLED or the profile's endpoint_discovery_enabled), "
      "but Timestream needs it where no endpoint is configured: switch it on or give " +
          std::string(flag));
}

Result<timestream::QueryClient*> Session::query() {
  if (!query_) {
    Result<aws::Endpoint> endpoint =
        TimestreamEndpoint(Service::kTimestreamQuery, "--query_endpoint");
    if (!endpoint) return endpoint.error();
    query_ = std::make_unique<timestream::QueryClient>(*target_.client, *endpoint, region());
  }
  return query_.get();
}

Result<timestream::WriteClient*> Session::write() {
  if (!write_) {
    Result<aws::Endpoint> endpoint =
        TimestreamEndpoint(Service::kTimestreamWrite, "--ingest_endpoint");
    if (!endpoint) return endpoint.error();
    write_ = std::make_unique<timestream::WriteClient>(*target_.client, *endpoint, region());
  }
  return write_.get();
}

}  // namespace tsm::apps
