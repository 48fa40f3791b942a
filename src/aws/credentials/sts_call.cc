#include "sts_call.h"

#include <algorithm>
#include <pugixml.hpp>

#include "credentials_json.h"
#include "tsm/core/text.h"

namespace tsm::aws {

namespace {

// "arn:aws:sts::123456789012:assumed-role/x/session" -> "123456789012", "" where there is none.
std::string AccountOf(std::string_view arn) {
  const std::vector<std::string_view> parts = Split(arn, ':');
  constexpr std::size_t kAccount = 4;
  constexpr std::size_t kDigits = 12;
  if (parts.size() <= kAccount || parts[kAccount].size() != kDigits) return {};
  const bool digits = std::all_of(parts[kAccount].begin(), parts[kAccount].end(),
                                  [](char c) { return c >= '0' && c <= '9'; });
  return digits ? std::string(parts[kAccount]) : std::string();
}

std::string Text(const pugi::xml_node& node, const char* name) {
  return std::string(TrimAscii(node.child_value(name)));
}

}  // namespace

Operation MakeStsOperation(std::string_view action, const std::string& role_arn,
                           const FormFields& fields, const Endpoint& endpoint,
                           const std::string& region) {
  Operation operation;
  operation.name = std::string(action) + " " + role_arn;
  operation.protocol = Protocol::kQueryXml;
  operation.scope = {.region = region, .service = "sts"};
  operation.request.method = "POST";
  operation.request.scheme = endpoint.scheme;
  operation.request.host = endpoint.host;
  operation.request.path = endpoint.base_path + "/";
  operation.request.headers = {
      {"content-type", "application/x-www-form-urlencoded; charset=utf-8"}};
  operation.request.body = "Action=" + std::string(action) + "&Version=2011-06-15";
  for (const auto& [name, value] : fields) {
    operation.request.body += "&" + std::string(name) + "=" + PercentEncode(value);
  }
  return operation;
}

Result<Credentials> ParseAssumedRole(std::string_view action, std::string_view body,
                                     const std::string& source) {
  const std::string name(action);
  const auto bad = [&](const std::string& why) {
    return MakeError(ErrorKind::kBadReply, "the answer of STS " + why).With(name);
  };
  pugi::xml_document document;
  if (!document.load_buffer(body.data(), body.size())) return bad("is no XML");
  const pugi::xml_node result =
      document.child((name + "Response").c_str()).child((name + "Result").c_str());
  const pugi::xml_node node = result.child("Credentials");

  Credentials credentials{.access_key_id = Text(node, "AccessKeyId"),
                          .secret_access_key = Text(node, "SecretAccessKey"),
                          .session_token = Text(node, "SessionToken"),
                          .source = source,
                          .expiration = ParseExpiration(Text(node, "Expiration")),
                          .account_id = AccountOf(Text(result.child("AssumedRoleUser"), "Arn"))};
  if (credentials.access_key_id.empty()) return bad("has no AccessKeyId");
  if (credentials.secret_access_key.empty()) return bad("has no SecretAccessKey");
  if (credentials.session_token.empty()) return bad("has no SessionToken");
  // Taken for keys that hold for ever it would end the run an hour later.
  if (!credentials.expiration) return bad("has no Expiration that is a time");
  if (const std::string blanks = BlanksIn(credentials); !blanks.empty()) {
    return bad("has blanks in the " + blanks);
  }
  return credentials;
}

Error AsSourceError(Error error) {
  switch (error.kind) {
    case ErrorKind::kConfiguration:
    case ErrorKind::kExpiredCredentials:
    case ErrorKind::kThrottled:
    case ErrorKind::kTransient:
    case ErrorKind::kClockSkew:
    case ErrorKind::kBadReply:
    case ErrorKind::kCancelled:
      return error;
    case ErrorKind::kValidation:
      error.kind = ErrorKind::kConfiguration;
      return error;
    default:
      error.kind = ErrorKind::kCredentials;
      return error;
  }
}

}  // namespace tsm::aws
