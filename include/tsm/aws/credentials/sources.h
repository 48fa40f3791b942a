// The sources of credentials, one class each, behind CredentialSource. Each is made from its part
// of the plan and what it needs to ask; what is pointed to outlives it.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>

#include "tsm/aws/clock_skew.h"
#include "tsm/aws/credentials/plan.h"
#include "tsm/aws/credentials/source.h"
#include "tsm/aws/endpoints.h"
#include "tsm/aws/environment.h"
#include "tsm/core/clock.h"
#include "tsm/core/random.h"
#include "tsm/http/transport.h"

namespace tsm::aws {

class Client;
struct SsoToken;

// ECS, EKS Pod Identity, CloudShell: GET the URL, with the token where there is one (its file is
// read anew each time). 2 s a try, three tries; never through a proxy.
class ContainerSource final : public CredentialSource {
 public:
  ContainerSource(Container plan, http::Transport& transport, const Clock& clock)
      : plan_(std::move(plan)), transport_(transport), clock_(clock) {}
  Result<Credentials> Fetch(std::stop_token stop) override;

 private:
  Container plan_;
  http::Transport& transport_;
  const Clock& clock_;
};

// The instance metadata service: IMDSv2, then v1 where the token is refused (403, 404, 405) or does
// not come in time, unless v1 is disabled. Never through a proxy. Its failure is kCredentials.
class InstanceSource final : public CredentialSource {
 public:
  InstanceSource(Instance plan, http::Transport& transport, const Clock& clock)
      : plan_(std::move(plan)), transport_(transport), clock_(clock) {}
  Result<Credentials> Fetch(std::stop_token stop) override;
  bool outlives_expiration() const override { return true; }

 private:
  Instance plan_;
  http::Transport& transport_;
  const Clock& clock_;
};

// Runs the command without a shell (words split as a shell would quote them) and reads its JSON.
// The command's stderr goes into the error where it fails. Ends it at a stop and after five
// minutes.
class ProcessSource final : public CredentialSource {
 public:
  ProcessSource(Process plan, const Clock& clock) : plan_(std::move(plan)), clock_(clock) {}
  Result<Credentials> Fetch(std::stop_token stop) override;

 private:
  Process plan_;
  const Clock& clock_;
};

// STS AssumeRole, signed by `base`. With mfa_serial the operator is asked once, at the first fetch;
// later ones are kExpiredCredentials, for a run must not wait for a person hours later.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
class AssumeRoleSource final : public CredentialSource {
 public:
  using AskMfa =
      std::function<Result<std::string>(const std::string& mfa_serial, std::stop_token stop)>;
  // `sts` signs with the base's credentials.
  AssumeRoleSource(AssumeRole plan, std::string session_name, std::unique_ptr<Client> sts,
                   Endpoint endpoint, std::string region, AskMfa ask_mfa);
  ~AssumeRoleSource() override;
  Result<Credentials> Fetch(std::stop_token stop) override;

 private:
  Result<std::string> AskForCode(std::stop_token stop);
  AssumeRole plan_;
  std::string session_name_;
  std::unique_ptr<Client> sts_;
  Endpoint endpoint_;
  std::string region_;
  AskMfa ask_mfa_;
  bool asked_ = false;       // for a code
  bool given_once_ = false;  // credentials
};

// STS AssumeRoleWithWebIdentity, unsigned; the token's file is read anew each time.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
class WebIdentitySource final : public CredentialSource {
 public:
  WebIdentitySource(WebIdentity plan, std::string session_name, std::unique_ptr<Client> sts,
                    Endpoint endpoint, std::string region);
  ~WebIdentitySource() override;
  Result<Credentials> Fetch(std::stop_token stop) override;

 private:
  WebIdentity plan_;
  std::string session_name_;
  std::unique_ptr<Client> sts_;
  Endpoint endpoint_;
  std::string region_;
};

// IAM Identity Center: the token that `aws sso login` left, renewed by OIDC where it has a refresh
// token and less than 15 minutes (the cache file is then rewritten, mode 0600), then the portal's
// role credentials.
// https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html
class SsoSource final : public CredentialSource {
 public:
  SsoSource(Sso plan, std::unique_ptr<Client> client, Endpoint portal, Endpoint oidc,
            const Clock& clock, const ClockSkew& skew);
  ~SsoSource() override;
  Result<Credentials> Fetch(std::stop_token stop) override;

 private:
  Result<SsoToken> CurrentToken(std::stop_token stop);
  Result<SsoToken> Renew(const SsoToken& token, std::stop_token stop);
  Result<SsoToken> CreateToken(const SsoToken& token, std::stop_token stop);
  Result<Credentials> AskPortal(const SsoToken& token, std::stop_token stop);
  Sso plan_;
  std::unique_ptr<Client> client_;
  Endpoint portal_;
  Endpoint oidc_;
  const Clock& clock_;
  const ClockSkew& skew_;
  std::unique_ptr<SsoToken> unsaved_;  // renewed, where the cache file can't be written
};

// `aws login`: its cached keys while they hold; else kExpiredCredentials says to log in again.
class LoginSource final : public CredentialSource {
 public:
  LoginSource(LoginSession plan, const Clock& clock, const ClockSkew& skew)
      : plan_(std::move(plan)), clock_(clock), skew_(skew) {}
  Result<Credentials> Fetch(std::stop_token stop) override;

 private:
  LoginSession plan_;
  const Clock& clock_;
  const ClockSkew& skew_;
};

}  // namespace tsm::aws
