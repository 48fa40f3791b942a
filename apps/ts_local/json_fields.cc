#include "ts_local/json_fields.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace ts_local {
namespace {

using nlohmann::json;

ApiError WrongType(const char* name) {
  return {400, "SerializationException", std::string("The field ") + name + " has the wrong type"};
}

std::string Quoted(const char* name) { return std::string("'") + name + "'"; }

}  // namespace

json ParseBody(const std::string& body) {
  if (body.empty()) return json::object();
  json parsed = json::parse(body, nullptr, false);
  if (!parsed.is_object()) {
    throw ApiError(400, "SerializationException", "The request body is not a JSON object");
  }
  return parsed;
}

ApiError Invalid(const std::string& message) { return {400, "ValidationException", message}; }

const json* Member(const json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::optional<std::string> OptionalText(const json& object, const char* name) {
  const json* member = Member(object, name);
  if (member == nullptr) return std::nullopt;
  if (!member->is_string()) throw WrongType(name);
  return member->get<std::string>();
}

std::string RequiredText(const json& object, const char* name) {
  auto text = OptionalText(object, name);
  if (!text) {
    throw Invalid("1 validation error detected: Value null at " + Quoted(name) +
                  " failed to satisfy constraint: Member must not be null");
  }
  return *std::move(text);
}

std::optional<std::string> OptionalEnum(const json& object, const char* name,
                                        std::initializer_list<std::string_view> values) {
  auto text = OptionalText(object, name);
  if (!text || std::find(values.begin(), values.end(), *text) != values.end()) return text;
  std::string allowed;
  for (const std::string_view value : values) {
    allowed += (allowed.empty() ? "" : ", ") + std::string(value);
  }
  throw Invalid("1 validation error detected: Value '" + *text + "' at " + Quoted(name) +
                " failed to satisfy constraint: Member must satisfy enum value set: [" + allowed +
                "]");
}

std::optional<std::int64_t> OptionalInt(const json& object, const char* name, std::int64_t min,
                                        std::int64_t max) {
  const json* member = Member(object, name);
  if (member == nullptr) return std::nullopt;
  if (!member->is_number_integer()) throw WrongType(name);
  // An unsigned number beyond int64 would wrap.
  const bool huge = member->is_number_unsigned() &&
                    member->get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX);
  const auto value = huge ? INT64_MAX : member->get<std::int64_t>();
  if (huge || value < min || value > max) {
    throw Invalid("1 validation error detected: Value '" + member->dump() + "' at " + Quoted(name) +
                  " failed to satisfy constraint: Member must be between " + std::to_string(min) +
                  " and " + std::to_string(max));
  }
  return value;
}

std::optional<bool> OptionalBool(const json& object, const char* name) {
  const json* member = Member(object, name);
  if (member == nullptr) return std::nullopt;
  if (!member->is_boolean()) throw WrongType(name);
  return member->get<bool>();
}

const json* OptionalObject(const json& object, const char* name) {
  const json* member = Member(object, name);
  if (member != nullptr && !member->is_object()) throw WrongType(name);
  return member;
}

const json& RequiredObject(const json& object, const char* name) {
  const json* member = OptionalObject(object, name);
  if (member != nullptr) return *member;
  throw Invalid("1 validation error detected: Value null at " + Quoted(name) +
                " failed to satisfy constraint: Member must not be null");
}

const json* OptionalArray(const json& object, const char* name) {
  const json* member = Member(object, name);
  if (member != nullptr && !member->is_array()) throw WrongType(name);
  return member;
}

std::string RequiredName(const json& object, const char* name) {
  std::string text = RequiredText(object, name);
  const bool fits = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  });
  if (fits && !text.empty() && text.size() <= 256) return text;
  throw Invalid("1 validation error detected: Value '" + text + "' at " + Quoted(name) +
                " failed to satisfy constraint: Member must satisfy regular expression pattern: "
                "[a-zA-Z0-9_.-]+ of at most 256 characters");
}

json EpochSeconds(std::int64_t ms) { return static_cast<double>(ms) / 1000.0; }

}  // namespace ts_local
