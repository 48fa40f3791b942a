#include "ts_local/sts_service.h"

#include <algorithm>
#include <charconv>
#include <initializer_list>

#include "ts_local/api_error.h"
#include "ts_local/digest.h"
#include "ts_local/time_text.h"
#include "ts_local/xml_writer.h"

namespace ts_local {
namespace {

constexpr std::string_view kNamespace = "https://sts.amazonaws.com/doc/2011-06-15/";
constexpr int kMinSeconds = 900;
constexpr int kMaxRoleSeconds = 43'200;
constexpr int kMaxChainedSeconds = 3'600;
constexpr int kMaxUserSeconds = 129'600;

ApiError Unfit(const std::string& value, const std::string& name, const std::string& rule) {
  return {400, "ValidationError",
          "1 validation error detected: Value " + value + " at '" + name +
              "' failed to satisfy constraint: Member must " + rule};
}

// "RoleArn" as a message names it: "roleArn".
std::string Member(std::string name) {
  name[0] = static_cast<char>(name[0] - 'A' + 'a');
  return name;
}

// `secret` values are not repeated in the message.
const std::string& Required(const QueryForm& form, const std::string& name, std::size_t min,
                            std::size_t max, bool secret = false) {
  const std::string* value = form.Find(name);
  if (value == nullptr) throw Unfit("null", Member(name), "not be null");
  const std::string shown = secret ? "(hidden)" : "'" + *value + "'";
  if (value->size() < min) {
    throw Unfit(shown, Member(name), "have length greater than or equal to " + std::to_string(min));
  }
  if (value->size() > max) {
    throw Unfit(shown, Member(name), "have length less than or equal to " + std::to_string(max));
  }
  return *value;
}

// [\w+=,.@-], what session names and external ids are made of.
bool IsNameLike(std::string_view text, std::string_view more = "") {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("_+=,.@-").find(c) != std::string_view::npos ||
           more.find(c) != std::string_view::npos;
  });
}

int Duration(const QueryForm& form, int fallback, int max) {
  const std::string* text = form.Find("DurationSeconds");
  if (text == nullptr) return fallback;
  int seconds = 0;
  const char* end = text->data() + text->size();
  const auto read = std::from_chars(text->data(), end, seconds);
  if (read.ec != std::errc() || read.ptr != end) {
    throw ApiError(400, "MalformedInput", "DurationSeconds is no number: '" + *text + "'");
  }
  if (seconds < kMinSeconds) {
    throw Unfit("'" + *text + "'", "durationSeconds", "have value greater than or equal to 900");
  }
  if (seconds > max) {
    throw Unfit("'" + *text + "'", "durationSeconds",
                "have value less than or equal to " + std::to_string(max));
  }
  return seconds;
}

// A session policy that is taken and then not enforced would show permissions that are none.
void RefuseUnsupported(const QueryForm& form, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (form.HasPrefix(name)) {
      throw ApiError(400, "ValidationError",
                     std::string("ts-local knows no session policies, tags and source identities: "
                                 "leave out ") +
                         name);
    }
  }
}

void CheckMfa(const QueryForm& form) {
  const std::string* code = form.Find("TokenCode");
  if ((form.Find("SerialNumber") == nullptr) != (code == nullptr)) {
    throw ApiError(403, "AccessDenied",
                   "MultiFactorAuthentication failed, must provide both MFA serial number and one "
                   "time pass code.");
  }
  if (code == nullptr) return;
  const bool digits = code->find_first_not_of("0123456789") == std::string::npos;
  if (code->size() != 6 || !digits) {
    throw Unfit("(hidden)", "tokenCode", "satisfy regular expression pattern: [\\d]{6}");
  }
}

// Stable for what it stands for, in the shape of IAM's ids.
std::string UniqueId(std::string_view kind, std::string_view of) {
  std::string id = std::string(kind) + HexEncode(Sha256(of)).substr(0, 17);
  for (char& c : id) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return id;
}

std::string UserId(const Caller& caller) {
  return caller.user_id.empty() ? UniqueId("AIDA", caller.account_id) : caller.user_id;
}

void WriteCredentials(XmlWriter& xml, const Session& session) {
  xml.Open("Credentials");
  xml.Text("AccessKeyId", session.access_key_id);
  xml.Text("SecretAccessKey", session.secret);
  xml.Text("SessionToken", session.token);
  xml.Text("Expiration", IsoTime(session.told_end_ms).substr(0, 19) + "Z");
  xml.Close();
}

}  // namespace

struct StsService::AssumedRole {
  Session session;
  std::string arn;
  std::string id;
};

bool StsService::IsUnsigned(const QueryForm& form) {
  const std::string* action = form.Find("Action");
  return action != nullptr && *action == "AssumeRoleWithWebIdentity";
}

StsService::AssumedRole StsService::Assume(const Caller* caller, const QueryForm& form,
                                           const std::string& action, int max_seconds) {
  const std::string& role_arn = Required(form, "RoleArn", 20, 2048);
  const std::string& name = Required(form, "RoleSessionName", 2, 64);
  if (!IsNameLike(name)) {
    throw Unfit("'" + name + "'", "roleSessionName",
                "satisfy regular expression pattern: [\\w+=,.@-]*");
  }
  const int seconds = Duration(form, kMaxChainedSeconds, kMaxRoleSeconds);
  if (seconds > max_seconds) {
    throw ApiError(400, "ValidationError",
                   "The requested DurationSeconds exceeds the 1 hour session limit for roles "
                   "assumed by role chaining");
  }
  constexpr std::string_view kArn = "arn:aws:iam::";
  const std::size_t colon = role_arn.find(':', kArn.size());
  if (!role_arn.starts_with(kArn) || colon == std::string::npos ||
      role_arn.substr(colon).rfind(":role/", 0) != 0 || role_arn.ends_with('/') ||
      !IsNameLike(std::string_view(role_arn).substr(colon + 6), "/")) {
    throw ApiError(400, "ValidationError", role_arn + " is invalid");
  }
  if (role_arn.substr(kArn.size(), colon - kArn.size()) != account_id_) {
    throw ApiError(403, "AccessDenied",
                   caller == nullptr
                       ? "Not authorized to perform sts:" + action
                       : "User: " + caller->arn + " is not authorized to perform: sts:" + action +
                             " on resource: " + role_arn);
  }
  // The path is in the role's ARN only, not in its sessions'.
  const std::string role = role_arn.substr(role_arn.rfind('/') + 1);
  AssumedRole out;
  out.arn = "arn:aws:sts::" + account_id_ + ":assumed-role/" + role + "/" + name;
  out.id = UniqueId("AROA", role_arn) + ":" + name;
  out.session = sessions_.Issue(out.arn, out.id, seconds);
  return out;
}

Session StsService::SessionToken(const Caller& caller, const QueryForm& form) {
  if (caller.temporary) {
    throw ApiError(403, "AccessDenied", "Cannot call GetSessionToken with session credentials");
  }
  CheckMfa(form);
  return sessions_.Issue(caller.arn, UserId(caller), Duration(form, 43'200, kMaxUserSeconds));
}

std::string StsService::Handle(const Caller* caller, const QueryForm& form,
                               const std::string& request_id) {
  const std::string& action = form.Get("Action");
  if (action != "AssumeRole" && action != "AssumeRoleWithWebIdentity" &&
      action != "GetSessionToken" && action != "GetCallerIdentity") {
    throw ApiError(400, "InvalidAction", "Could not find operation " + action + " in ts-local");
  }
  XmlWriter xml(action + "Response", kNamespace);
  xml.Open(action + "Result");
  if (action == "GetCallerIdentity") {
    xml.Text("Arn", caller->arn);
    xml.Text("UserId", UserId(*caller));
    xml.Text("Account", caller->account_id);
  } else if (action == "GetSessionToken") {
    WriteCredentials(xml, SessionToken(*caller, form));
  } else {
    const bool web = action == "AssumeRoleWithWebIdentity";
    RefuseUnsupported(
        form, {"Policy", "Tags.", "TransitiveTagKeys.", "SourceIdentity", "ProvidedContexts."});
    if (web) {
      Required(form, "WebIdentityToken", 4, 20'000, true);
    } else {
      CheckMfa(form);
      if (form.Find("ExternalId") != nullptr &&
          !IsNameLike(Required(form, "ExternalId", 2, 1224), ":/")) {
        throw Unfit("'" + *form.Find("ExternalId") + "'", "externalId",
                    "satisfy regular expression pattern: [\\w+=,.@:\\/-]*");
      }
    }
    const bool chained = caller != nullptr && caller->temporary;
    const AssumedRole role =
        Assume(caller, form, action, chained ? kMaxChainedSeconds : kMaxRoleSeconds);
    WriteCredentials(xml, role.session);
    xml.Open("AssumedRoleUser");
    xml.Text("AssumedRoleId", role.id);
    xml.Text("Arn", role.arn);
    xml.Close();
    if (web) xml.Text("Provider", "ts-local");
  }
  xml.Close();
  xml.Open("ResponseMetadata");
  xml.Text("RequestId", request_id);
  return xml.Finish();
}

}  // namespace ts_local
