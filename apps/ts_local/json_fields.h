// Fields of a JSON 1.0 request body, checked as AWS's front end checks them: a missing or unfit
// field is a ValidationException that names it, text that is no JSON or a value of another type a
// SerializationException. Fields that no operation knows are passed over, as the service does.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "ts_local/api_error.h"

namespace ts_local {

// The body as an object; an empty body is an empty object.
nlohmann::json ParseBody(const std::string& body);

ApiError Invalid(const std::string& message);

// The member, or nullptr where it is absent or null.
const nlohmann::json* Member(const nlohmann::json& object, const char* name);

std::optional<std::string> OptionalText(const nlohmann::json& object, const char* name);
std::string RequiredText(const nlohmann::json& object, const char* name);
// One of `values`.
std::optional<std::string> OptionalEnum(const nlohmann::json& object, const char* name,
                                        std::initializer_list<std::string_view> values);
std::optional<std::int64_t> OptionalInt(const nlohmann::json& object, const char* name,
                                        std::int64_t min, std::int64_t max);
std::optional<bool> OptionalBool(const nlohmann::json& object, const char* name);
// The member as an object or array; nullptr where absent.
const nlohmann::json* OptionalObject(const nlohmann::json& object, const char* name);
const nlohmann::json& RequiredObject(const nlohmann::json& object, const char* name);
const nlohmann::json* OptionalArray(const nlohmann::json& object, const char* name);

// A name of a database or table: [a-zA-Z0-9_.-]+, up to 256 bytes.
std::string RequiredName(const nlohmann::json& object, const char* name);

// Milliseconds since the epoch as the number of seconds that JSON 1.0 carries.
nlohmann::json EpochSeconds(std::int64_t ms);

}  // namespace ts_local
