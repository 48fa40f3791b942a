#include "tsm/aws/credentials/chain.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "tsm/aws/client.h"
#include "tsm/aws/credentials/refreshing_credentials.h"
#include "tsm/aws/credentials/sources.h"
#include "tsm/core/text.h"
#include "tsm/core/time_text.h"

namespace tsm::aws {

namespace {

// The instance after every other place gave nothing: says what each of them said. Where it stands
// alone, or once it has given credentials, its own words are the better ones.
class LastResort final : public CredentialSource {
 public:
  LastResort(std::unique_ptr<CredentialSource> instance, std::vector<std::string> looked_at)
      : instance_(std::move(instance)), looked_at_(std::move(looked_at)) {}

  Result<Credentials> Fetch(std::stop_token stop) override {
    Result<Credentials> credentials = instance_->Fetch(stop);
    if (credentials) {
      gave_ = true;
      return credentials;
    }
    const ErrorKind kind = credentials.error().kind;
    // A setting that can't work is to be put right first, wherever else credentials might be.
    const bool plain = kind == ErrorKind::kCancelled || kind == ErrorKind::kConfiguration;
    if (gave_ || plain) return credentials;
    std::vector<std::string> places = looked_at_;
    places.push_back(credentials.error().Text());
    return MakeError(ErrorKind::kCredentials, "no credentials found (" + Join(places, "; ") + ")");
  }

  bool outlives_expiration() const override { return instance_->outlives_expiration(); }

 private:
  std::unique_ptr<CredentialSource> instance_;
  const std::vector<std::string> looked_at_;
  bool gave_ = false;
};

// The environment's keys with AWS_CREDENTIAL_EXPIRATION: there is nothing to renew them from, but
// that they have ended can be said without asking the service.
class EndingKeys final : public CredentialsProvider {
 public:
  EndingKeys(Credentials keys, const Clock& clock, const ClockSkew& skew)
      : keys_(std::move(keys)), clock_(clock), skew_(skew) {}

  Result<Credentials> Get(std::stop_token) override {
    if (skew_.Now(clock_) < *keys_.expiration) return keys_;
    return MakeError(ErrorKind::kExpiredCredentials,
                     keys_.source + ": by AWS_CREDENTIAL_EXPIRATION these credentials ended at " +
                         FormatIso8601(*keys_.expiration));
  }

 private:
  const Credentials keys_;
  const Clock& clock_;
  const ClockSkew& skew_;
};

// Who assumes a role: its errors begin with whose they are, so that they are not taken for the
// answer of STS.
class BaseCredentials final : public CredentialsProvider {
 public:
  BaseCredentials(std::shared_ptr<CredentialsProvider> base, std::string name)
      : base_(std::move(base)), name_(std::move(name)) {}

  Result<Credentials> Get(std::stop_token stop) override {
    Result<Credentials> credentials = base_->Get(stop);
    if (!credentials) return std::move(credentials).error().With("credentials of " + name_);
    return credentials;
  }
  bool Renew(const Credentials& refused) override { return base_->Renew(refused); }

 private:
  std::shared_ptr<CredentialsProvider> base_;
  const std::string name_;
};

bool FitsSessionName(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("_+=,.@-").find(c) != std::string_view::npos;
}

// "ts-unload-1708968278". https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
std::string MadeUpSessionName(const CredentialsContext& context) {
  constexpr std::size_t kLongest = 64;
  const auto now = std::chrono::floor<std::chrono::seconds>(context.clock->Now());
  const std::string end = "-" + std::to_string(now.time_since_epoch().count());
  std::string name = context.tool.substr(0, kLongest - end.size());
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !FitsSessionName(c); }, '-');
  return name + end;
}

// Makes the source of each kind of plan, and the client that it calls by.
class Maker {
 public:
  explicit Maker(const CredentialsContext& context) : context_(context) {}

  std::unique_ptr<CredentialSource> operator()(const AssumeRole& plan) const {
    std::shared_ptr<CredentialsProvider> base;
    if (plan.base) {
      base = std::make_shared<BaseCredentials>(MakeCredentialsProvider(*plan.base, context_),
                                               Describe(*plan.base));
    }
    return std::make_unique<AssumeRoleSource>(plan, SessionName(plan.session_name),
                                              MakeClient(std::move(base)), Sts(), context_.region,
                                              context_.ask_mfa);
  }

  std::unique_ptr<CredentialSource> operator()(const WebIdentity& plan) const {
    return std::make_unique<WebIdentitySource>(plan, SessionName(plan.session_name),
                                               MakeClient(nullptr), Sts(), context_.region);
  }

  std::unique_ptr<CredentialSource> operator()(const Sso& plan) const {
    return std::make_unique<SsoSource>(plan, MakeClient(nullptr),
                                       context_.endpoints.Resolve(Service::kSso, plan.region),
                                       context_.endpoints.Resolve(Service::kSsoOidc, plan.region),
                                       *context_.clock, *context_.skew);
  }

  std::unique_ptr<CredentialSource> operator()(const LoginSession& plan) const {
    return std::make_unique<LoginSource>(plan, *context_.clock, *context_.skew);
  }

  std::unique_ptr<CredentialSource> operator()(const Process& plan) const {
    return std::make_unique<ProcessSource>(plan, *context_.clock);
  }

  std::unique_ptr<CredentialSource> operator()(const Container& plan) const {
    return std::make_unique<ContainerSource>(plan, *context_.transport, *context_.clock);
  }

  std::unique_ptr<CredentialSource> operator()(const Instance& plan) const {
    return std::make_unique<InstanceSource>(plan, *context_.transport, *context_.clock);
  }

  // Keys that are given whole need no source.
  std::unique_ptr<CredentialSource> operator()(const StaticKeys&) const { return nullptr; }

 private:
  std::string SessionName(const std::string& given) const {
    return given.empty() ? MadeUpSessionName(context_) : given;
  }

  Endpoint Sts() const { return context_.endpoints.Resolve(Service::kSts, context_.region); }

  std::unique_ptr<Client> MakeClient(std::shared_ptr<CredentialsProvider> credentials) const {
    return std::make_unique<Client>(ClientParts{.transport = context_.transport,
                                                .clock = context_.clock,
                                                .random = context_.random,
                                                .credentials = std::move(credentials),
                                                .retry = context_.retry,
                                                .user_agent = context_.user_agent,
                                                .skew = context_.skew});
  }

  const CredentialsContext& context_;
};

}  // namespace

std::shared_ptr<CredentialsProvider> MakeCredentialsProvider(const CredentialsPlan& plan,
                                                             const CredentialsContext& context) {
  if (const auto* keys = std::get_if<StaticKeys>(&plan.source)) {
    if (!keys->credentials.expiration) {
      return std::make_shared<StaticCredentials>(keys->credentials);
    }
    return std::make_shared<EndingKeys>(keys->credentials, *context.clock, *context.skew);
  }
  std::unique_ptr<CredentialSource> source = std::visit(Maker(context), plan.source);
  if (std::holds_alternative<Instance>(plan.source) && !plan.looked_at.empty()) {
    source = std::make_unique<LastResort>(std::move(source), plan.looked_at);
  }
  return std::make_shared<RefreshingCredentials>(std::move(source), *context.clock, *context.skew,
                                                 *context.random);
}

}  // namespace tsm::aws
