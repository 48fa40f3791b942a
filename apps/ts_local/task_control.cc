#include "ts_local/task_control.h"

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

namespace ts_local {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxTasks = 100'000;
constexpr double kMaxSeconds = 1e9;

Response Json(int status, const json& body) {
  Response response;
  response.status = status;
  response.headers.emplace_back("Content-Type", "application/json");
  response.body = body.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  return response;
}

std::string Name(const std::string& member, const json& value) {
  if (value.is_string() && !value.get_ref<const std::string&>().empty()) return value;
  throw std::invalid_argument(member + " must be a text");
}

OtherTasks ReadTasks(const std::string& body) {
  const json given = body.empty() ? json::object() : json::parse(body, nullptr, false);
  if (!given.is_object()) throw std::invalid_argument("the body must be a JSON object");
  OtherTasks tasks;
  for (const auto& [member, value] : given.items()) {
    if (member == "database") {
      tasks.database = Name(member, value);
    } else if (member == "table") {
      tasks.table = Name(member, value);
    } else if (member == "region") {
      tasks.region = Name(member, value);
    } else if (member == "count") {
      if (!value.is_number_unsigned() || value > kMaxTasks || value == 0) {
        throw std::invalid_argument("count must be a whole number from 1 to 100000");
      }
      tasks.count = value;
    } else if (member == "seconds") {
      if (!value.is_number() || value < 0 || value > kMaxSeconds) {
        throw std::invalid_argument("seconds must be a number from 0 to 1000000000");
      }
      tasks.seconds = value;
    } else {
      throw std::invalid_argument("'" + member +
                                  "' is none of database, table, region, count and seconds");
    }
  }
  return tasks;
}

}  // namespace

bool IsTaskControl(const Request& request) {
  return request.path == "/ts-local/tasks" && request.Header("authorization").empty();
}

Response ControlTasks(const Request& request, BatchLoad* tasks) {
  if (!request.from_this_machine) {
    return Json(403, {{"error", "only this machine may add or end tasks"}});
  }
  try {
    if (request.method == "GET") return Json(200, {{"active", tasks->CountOthers()}});
    if (request.method == "DELETE") return Json(200, {{"active", tasks->EndOthers()}});
    if (request.method == "POST") {
      return Json(200, {{"active", tasks->AddOthers(ReadTasks(request.body))}});
    }
  } catch (const std::invalid_argument& error) {
    return Json(400, {{"error", error.what()}});
  }
  return Json(405, {{"error", "GET, POST and DELETE are known here"}});
}

}  // namespace ts_local
