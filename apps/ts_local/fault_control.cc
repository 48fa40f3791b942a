#include "ts_local/fault_control.h"

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>
#include <vector>

namespace ts_local {
namespace {

Response Json(int status, std::string body) {
  Response response;
  response.status = status;
  response.headers.emplace_back("Content-Type", "application/json");
  response.body = std::move(body) + "\n";
  return response;
}

Response Refused(int status, const std::string& why) {
  const nlohmann::json body = {{"error", why}};
  return Json(status, body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

std::vector<FaultRule> ReadRules(const std::string& body) {
  constexpr const char* kForm = R"(the body must be {"rules": ["OPERATION:WHEN:WHAT", ...]})";
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object() || json.size() != 1 || !json.contains("rules") ||
      !json.at("rules").is_array()) {
    throw std::invalid_argument(kForm);
  }
  std::vector<FaultRule> rules;
  for (const auto& text : json.at("rules")) {
    if (!text.is_string()) throw std::invalid_argument(kForm);
    rules.push_back(FaultRule::Parse(text.get<std::string>()));
  }
  return rules;
}

}  // namespace

bool IsFaultControl(const Request& request) {
  return request.path == "/ts-local/fail" && request.Header("authorization").empty();
}

Response ControlFaults(const Request& request, FaultRules* rules) {
  if (!request.from_this_machine) return Refused(403, "only this machine may change the rules");
  if (request.method == "DELETE") {
    rules->Clear();
  } else if (request.method == "POST") {
    try {
      for (FaultRule& rule : ReadRules(request.body)) rules->Add(std::move(rule));
    } catch (const std::invalid_argument& error) {
      return Refused(400, error.what());
    }
  } else if (request.method != "GET") {
    return Refused(405, "GET, POST and DELETE are known here");
  }
  return Json(200, rules->Json());
}

}  // namespace ts_local
