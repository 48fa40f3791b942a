// judge_settings: what the library makes of an environment and its shared files, for a reader of
// them that is not ours to compare with. tests/interop/test_settings_botocore.py runs it.
//
// A line in is a JSON object, all of its fields required:
//   environment   {name: value}: the whole environment
//   profile       of the flag, "" where not given
// A line out per line in: {"error": text} or
//   profiles      {name: {setting: value, block: {setting: value}}} of the names asked for
//   credentials   a list, the role's own before those that assume it: each an object with "kind"
//                 and what tells one source from another
// with "show", a list of names, in the line in. The first bad line ends it with exit code 2.
#include <exception>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <variant>

#include "tsm/aws/credentials/plan.h"
#include "tsm/aws/shared_config.h"

namespace tsm {
namespace {

using Json = nlohmann::json;

Json Shown(const aws::Profile& profile) {
  if (!profile.found) return nullptr;
  Json shown = Json::object();
  for (const auto& [key, value] : profile.settings) {
    if (!profile.blocks.contains(key)) shown[key] = value;
  }
  for (const auto& [key, block] : profile.blocks) shown[key] = block;
  return shown;
}

struct Source {
  Json operator()(const aws::StaticKeys& keys) const {
    return {{"kind", "keys"},
            {"key", keys.credentials.access_key_id},
            {"token", keys.credentials.session_token},
            {"account", keys.credentials.account_id}};
  }
  Json operator()(const aws::AssumeRole& role) const {
    return {{"kind", "role"},
            {"role", role.role_arn},
            {"session", role.session_name},
            {"external_id", role.external_id},
            {"duration", role.duration.count()}};
  }
  Json operator()(const aws::WebIdentity& web) const {
    return {{"kind", "web identity"},
            {"role", web.role_arn},
            {"session", web.session_name},
            {"file", web.token_file}};
  }
  Json operator()(const aws::Sso& sso) const {
    return {{"kind", "sso"},        {"session", sso.session},    {"start_url", sso.start_url},
            {"region", sso.region}, {"account", sso.account_id}, {"role", sso.role_name}};
  }
  Json operator()(const aws::LoginSession& login) const {
    return {{"kind", "login"}, {"session", login.session}};
  }
  Json operator()(const aws::Process& process) const {
    return {{"kind", "process"}, {"command", process.command}};
  }
  Json operator()(const aws::Container& container) const {
    return {{"kind", "container"}, {"url", container.url}};
  }
  Json operator()(const aws::Instance& instance) const {
    return {{"kind", "instance"},
            {"endpoint", instance.endpoint},
            {"v1_disabled", instance.v1_disabled},
            {"timeout", instance.timeout.count() / 1000},
            {"attempts", instance.attempts}};
  }
};

Json Answer(const Json& line) {
  const aws::Environment environment(
      line.at("environment").get<std::map<std::string, std::string, std::less<>>>());
  const std::string flag = line.at("profile");
  const auto config = aws::SharedConfig::Load(environment);
  if (!config) return {{"error", config.error().Text()}};
  const auto profile = config->ChooseProfile(environment, flag);
  if (!profile) return {{"error", profile.error().Text()}};
  const auto plan = aws::PlanCredentials(environment, *config, *profile, !flag.empty());
  if (!plan) return {{"error", plan.error().Text()}};
  Json answer;
  for (const std::string name : line.at("show")) {
    answer["profiles"][name] = Shown(config->FindProfile(name));
  }
  for (const aws::CredentialsPlan* at = &*plan; at != nullptr;) {
    answer["credentials"].push_back(std::visit(Source(), at->source));
    const auto* role = std::get_if<aws::AssumeRole>(&at->source);
    at = role != nullptr ? role->base.get() : nullptr;
  }
  return answer;
}

int Run() {
  std::string text;
  for (int number = 1; std::getline(std::cin, text); ++number) {
    try {
      std::cout << Answer(Json::parse(text)).dump() << '\n';
    } catch (const std::exception& error) {
      std::cerr << "line " << number << ": " << error.what() << '\n';
      return 2;
    }
  }
  return std::cout.flush() ? 0 : 1;
}

}  // namespace
}  // namespace tsm

int main() {
  std::ios::sync_with_stdio(false);
  return tsm::Run();
}
