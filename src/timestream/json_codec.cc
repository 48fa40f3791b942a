#include "json_codec.h"

#include "tsm/core/text.h"

namespace tsm::timestream {
namespace {

using nlohmann::json;

const json& Member(const json& object, const char* name) {
  static const json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(name);
  return found == object.end() ? kNull : *found;
}

}  // namespace

Result<std::string> Encode(const json& object) {
  try {
    return object.dump();
  } catch (const json::type_error&) {
    return MakeError(ErrorKind::kInvalidInput, "the request holds text that is not valid UTF-8");
  }
}

Result<json> Decode(std::string_view body) {
  json parsed = json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object()) {
    return BadReply("the reply is no JSON object (" + std::to_string(body.size()) +
                    " bytes): " + OneLine(body, 120));
  }
  return parsed;
}

Error BadReply(const std::string& what) { return MakeError(ErrorKind::kBadReply, what); }

const json& Object(const json& object, const char* name) {
  static const json kEmpty = json::object();
  const json& member = Member(object, name);
  return member.is_object() ? member : kEmpty;
}

const json& Array(const json& object, const char* name) {
  static const json kEmpty = json::array();
  const json& member = Member(object, name);
  return member.is_array() ? member : kEmpty;
}

std::string Text(const json& object, const char* name) {
  const json& member = Member(object, name);
  return member.is_string() ? member.get<std::string>() : std::string();
}

std::int64_t Integer(const json& object, const char* name) {
  const json& member = Member(object, name);
  // What 64 bits can't hold is no number that this service has.
  constexpr double kBeyond = 9223372036854775808.0;
  if (!member.is_number()) return 0;
  const auto value = member.get<double>();
  if (value < -kBeyond || value >= kBeyond) return 0;
  return member.is_number_integer() ? member.get<std::int64_t>() : static_cast<std::int64_t>(value);
}

double Number(const json& object, const char* name) {
  const json& member = Member(object, name);
  return member.is_number() ? member.get<double>() : 0;
}

bool Boolean(const json& object, const char* name) {
  const json& member = Member(object, name);
  return member.is_boolean() && member.get<bool>();
}

}  // namespace tsm::timestream
