// Reading JSON replies without exceptions: a member of another type than expected is reported, not
// thrown. Only the *_codec.cc files of this room include this.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "tsm/core/result.h"

namespace tsm::timestream {

// kInvalidInput where a text is not UTF-8, which JSON can't carry.
Result<std::string> Encode(const nlohmann::json& json);

// kBadReply where `body` is not a JSON object.
Result<nlohmann::json> Decode(std::string_view body);

Error BadReply(const std::string& what);

// The member, or an empty object, array, text, number where it is absent, null or of another type.
const nlohmann::json& Object(const nlohmann::json& json, const char* name);
const nlohmann::json& Array(const nlohmann::json& json, const char* name);
std::string Text(const nlohmann::json& json, const char* name);
std::int64_t Integer(const nlohmann::json& json, const char* name);
double Number(const nlohmann::json& json, const char* name);
bool Boolean(const nlohmann::json& json, const char* name);

}  // namespace tsm::timestream
