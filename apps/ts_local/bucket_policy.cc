#include "ts_local/bucket_policy.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ts_local/api_error.h"
#include "ts_local/principals.h"

namespace ts_local {
namespace {

using nlohmann::json;

constexpr std::string_view kResourcePrefix = "arn:aws:s3:::";

[[noreturn]] void Malformed(const std::string& what) {
  throw ApiError(400, "MalformedPolicy", what);
}

std::string Lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// A string or a list of strings.
std::vector<std::string> Strings(const json& value, const char* element) {
  std::vector<std::string> out;
  if (value.is_string()) {
    out.push_back(value.get<std::string>());
  } else if (value.is_array()) {
    for (const json& item : value) {
      if (!item.is_string()) Malformed(std::string("Invalid policy syntax: ") + element);
      out.push_back(item.get<std::string>());
    }
  }
  if (out.empty()) Malformed(std::string("Missing or invalid field ") + element);
  return out;
}

bool NamesCaller(const std::string& principal, std::string_view account_id,
                 std::string_view caller_arn) {
  const std::string account = "arn:aws:iam::" + std::string(account_id);
  if (principal == "*" || principal == account_id || principal == account + ":root") return true;
  if (caller_arn.empty()) return principal == account + ":user/ts-local";
  // A role is named as such, or one session of it.
  const bool role = caller_arn.find(":assumed-role/") != std::string_view::npos;
  return principal == caller_arn ||
         (role && principal == account + ":role/" + std::string(NameInArn(caller_arn)));
}

}  // namespace

bool WildcardMatch(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

struct PolicyParser {
  const std::string& bucket;

  // Reads `name` or "Not" + `name`, of which exactly one must be there.
  static BucketPolicy::Patterns Element(const json& statement, const std::string& name) {
    const bool plain = statement.contains(name);
    const bool negated = statement.contains("Not" + name);
    if (plain == negated) Malformed("Missing required field " + name);
    const std::string field = negated ? "Not" + name : name;
    if (name == "Principal") return {negated, Principals(statement.at(field))};
    return {negated, Strings(statement.at(field), field.c_str())};
  }

  static std::vector<std::string> Principals(const json& value) {
    if (value.is_string()) {
      if (value.get<std::string>() != "*") Malformed("Invalid principal in policy");
      return {"*"};
    }
    if (!value.is_object() || value.empty()) Malformed("Invalid principal in policy");
    std::vector<std::string> out;
    for (const auto& [kind, names] : value.items()) {
      std::vector<std::string> found = Strings(names, "Principal");
      if (kind == "AWS") {
        out.insert(out.end(), found.begin(), found.end());
      } else if (kind == "Service" || kind == "Federated" || kind == "CanonicalUser") {
        for (std::string& name : found) out.push_back(kind + ":" + name);  // never this account
      } else {
        Malformed("Invalid principal in policy");
      }
    }
    return out;
  }

  BucketPolicy::Statement Read(const json& statement) const {
    BucketPolicy::Statement out;
    out.principals = Element(statement, "Principal");
    out.actions = Element(statement, "Action");
    for (std::string& action : out.actions.values) {
      action = Lower(action);
      if (action != "*" && !action.starts_with("s3:")) Malformed("Policy has invalid action");
    }
    out.resources = Element(statement, "Resource");
    const std::string own = std::string(kResourcePrefix) + bucket;
    for (const std::string& resource : out.resources.values) {
      const bool fits = resource == own || resource.starts_with(own + "/") ||
                        resource == own + "*" || resource == "*";
      if (!fits) Malformed("Policy has invalid resource");
    }
    return out;
  }
};

BucketPolicy BucketPolicy::Parse(std::string_view text, const std::string& bucket) {
  const json document = json::parse(text, nullptr, false);
  if (document.is_discarded() || !document.is_object()) {
    Malformed("Policies must be valid JSON and the first byte must be '{'");
  }
  const std::string version = document.value("Version", json("2008-10-17")).dump();
  if (version != "\"2008-10-17\"" && version != "\"2012-10-17\"") {
    Malformed("The policy must contain a valid version string");
  }
  if (!document.contains("Statement")) Malformed("Missing required field Statement");
  json statements = document.at("Statement");
  if (statements.is_object()) statements = json::array({statements});
  if (!statements.is_array() || statements.empty()) Malformed("Could not parse the policy");

  BucketPolicy policy;
  const PolicyParser parser{bucket};
  for (const json& statement : statements) {
    if (!statement.is_object()) Malformed("Could not parse the policy: Statement is no object");
    const json effect = statement.value("Effect", json());
    if (effect != "Allow" && effect != "Deny") Malformed("Invalid effect: " + effect.dump());
    Statement read = parser.Read(statement);
    if (effect == "Deny" && !statement.contains("Condition")) {
      policy.denials_.push_back(std::move(read));
    }
  }
  return policy;
}

bool BucketPolicy::Denies(std::string_view account_id, std::string_view action,
                          std::string_view resource, std::string_view caller_arn) const {
  const std::string lower_action = Lower(std::string(action));
  const auto names = [](const Patterns& patterns, const auto& matches) {
    const bool any = std::any_of(patterns.values.begin(), patterns.values.end(), matches);
    return any != patterns.negated;
  };
  return std::any_of(denials_.begin(), denials_.end(), [&](const Statement& statement) {
    return names(statement.principals,
                 [&](const std::string& name) {
                   return NamesCaller(name, account_id, caller_arn);
                 }) &&
           names(
               statement.actions,
               [&](const std::string& pattern) { return WildcardMatch(pattern, lower_action); }) &&
           names(statement.resources,
                 [&](const std::string& pattern) { return WildcardMatch(pattern, resource); });
  });
}

}  // namespace ts_local
