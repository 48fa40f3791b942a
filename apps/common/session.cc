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

// Who reads: the profile's credentials, or those of the target's side, and on top of them the role.
Result<aws::CredentialsPlan> SourceCredentials(const SessionOptions& options,
                                               const aws::CredentialsPlan& target) {
  aws::CredentialsPlan plan = target;
  if (!options.source_profile.empty()) {
    aws::ClientFlags flags = options.client;
    flags.profile = options.source_profile;
    Result<aws::ClientSettings> settings =
        aws::ResolveSettings(flags, aws::Environment::OfProcess());
    if (!settings) return settings.error().With("--source_profile");
    plan = std::move(settings->credentials);
  }
  if (options.source_role_arn.empty()) return plan;
  if (!options.source_role_arn.starts_with("arn:") ||
      options.source_role_arn.find(":role/") == std::string::npos) {
    return MakeError(ErrorKind::kInvalidInput,
                     "--source_role_arn: '" + OneLine(options.source_role_arn, 120) +
                         "' is no role's ARN; expected arn:aws:iam::123456789012:role/NAME");
  }
  aws::AssumeRole role;
  role.profile = "--source_role_arn";
  role.role_arn = options.source_role_arn;
  role.base = std::make_shared<const aws::CredentialsPlan>(std::move(plan));
  aws::CredentialsPlan assumed;
  assumed.source = std::move(role);
  return assumed;
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

  const auto credentials = session->MakeCredentials(session->settings_.credentials);
  session->target_ = session->MakeSide(credentials, session->region());
  if (Status opened = session->OpenSource(options, credentials); !opened) return opened.error();
  aws::Client& client = *session->target_.client;
  const aws::EndpointResolver& endpoints = session->settings_.endpoints;
  session->sts_ = std::make_unique<sts::StsClient>(
      client, endpoints.Resolve(Service::kSts, session->region()), session->region());
  session->sns_ = std::make_unique<sns::SnsClient>(client, endpoints, session->region());
  return session;
}

http::Transport& Session::transport() { return traced_ ? *traced_ : *curl_; }

Status Session::OpenSource(const SessionOptions& options,
                           std::shared_ptr<aws::CredentialsProvider> credentials) {
  two_principals_ = !options.source_profile.empty() || !options.source_role_arn.empty();
  const std::string source_region =
      options.source_region.empty() ? region() : options.source_region;
  if (two_principals_) {
    Result<aws::CredentialsPlan> plan = SourceCredentials(options, settings_.credentials);
    if (!plan) return plan.error();
    credentials = MakeCredentials(*plan);
  }
  if (two_principals_ || source_region != region()) {
    source_ = MakeSide(std::move(credentials), source_region);
  }
  return Ok();
}

std::shared_ptr<aws::CredentialsProvider> Session::MakeCredentials(
    const aws::CredentialsPlan& plan) {
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
  return aws::MakeCredentialsProvider(plan, context);
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
