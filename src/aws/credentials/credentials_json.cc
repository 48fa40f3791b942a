#include "credentials_json.h"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <utility>

#include "tsm/core/text.h"
#include "tsm/core/time_text.h"

namespace tsm::aws {

namespace {

using Json = nlohmann::json;
using TimePoint = std::chrono::system_clock::time_point;
using std::chrono::minutes;

constexpr TimePoint kLatest =
    std::chrono::sys_days(std::chrono::year(2262) / 1 / 1) - std::chrono::seconds(1);

// The member, or null where it is missing or null.
const Json* Member(const Json& object, std::string_view name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

// Reads the members of one document; the first that is wrong is kept as `problem`.
class Reader {
 public:
  explicit Reader(const Json& object) : object_(object) {}

  std::string Text(std::string_view name, bool required) {
    const Json* member = Member(object_, name);
    if (member == nullptr) {
      if (required) Refuse(name, "is missing");
      return {};
    }
    if (!member->is_string()) {
      Refuse(name, "is no text");
      return {};
    }
    std::string text = member->get<std::string>();
    if (text.empty() && required) Refuse(name, "is empty");
    return text;
  }

  std::optional<TimePoint> Time(std::string_view name, bool required) {
    const Json* member = Member(object_, name);
    if (member == nullptr ||
        (member->is_string() && member->get_ref<const std::string&>().empty())) {
      if (required) Refuse(name, "is missing");
      return std::nullopt;
    }
    std::optional<TimePoint> time;
    if (member->is_string()) time = ParseExpiration(member->get_ref<const std::string&>());
    if (member->is_number()) time = OfMilliseconds(member->get<double>());
    if (!time) Refuse(name, "is no time of the form YYYY-MM-DDThh:mm:ssZ");
    return time;
  }

  // Twelve digits, which some tools write as a number, so without its leading zeros.
  std::string Account(std::string_view name) {
    const Json* member = Member(object_, name);
    if (member == nullptr || !member->is_number_unsigned()) return Text(name, false);
    const std::string digits = std::to_string(member->get<std::uint64_t>());
    return std::string(12 - std::min<std::size_t>(digits.size(), 12), '0') + digits;
  }

  const std::string& problem() const { return problem_; }

 private:
  // A double counts milliseconds exactly up to the year 287396.
  static std::optional<TimePoint> OfMilliseconds(double count) {
    const double latest =
        std::chrono::duration<double, std::milli>(kLatest.time_since_epoch()).count();
    if (!(count >= 0)) return std::nullopt;
    if (count >= latest) return kLatest;
    return TimePoint(std::chrono::milliseconds(static_cast<std::int64_t>(count)));
  }

  void Refuse(std::string_view name, std::string_view why) {
    if (problem_.empty()) problem_ = std::string(name) + " " + std::string(why);
  }

  const Json& object_;
  std::string problem_;
};

// Takes "+01:00", "-0730" or "+01" from the end; nothing where the end is of another shape.
std::optional<minutes> TakeOffset(std::string_view& text) {
  const std::size_t sign = text.find_last_of("+-");
  std::string digits(text.substr(sign + 1));
  if (digits.size() == 5 && digits[2] == ':') digits.erase(2, 1);
  if (digits.size() == 2) digits += "00";
  const auto number = ParseInt64(digits);
  if (digits.size() != 4 || !number || *number < 0) return std::nullopt;
  if (*number / 100 > 23 || *number % 100 > 59) return std::nullopt;
  const minutes offset(*number / 100 * 60 + *number % 100);
  const bool behind = text[sign] == '-';
  text = text.substr(0, sign);
  return behind ? -offset : offset;
}

// More decimals than nanoseconds need are cut.
std::string WithNineDecimals(std::string_view text) {
  const std::size_t point = text.find('.');
  if (point == std::string_view::npos) return std::string(text);
  const std::size_t end = std::min(text.find_first_not_of("0123456789", point + 1), text.size());
  return std::string(text.substr(0, std::min(end, point + 10))) + std::string(text.substr(end));
}

}  // namespace

Result<Credentials> ParseCredentialsJson(std::string_view body, const CredentialFields& names,
                                         const std::string& source) {
  const auto refused = [&](const std::string& why) {
    return MakeError(ErrorKind::kCredentials, source + ": " + why);
  };
  const Json document = Json::parse(body, nullptr, false);
  if (document.is_discarded()) return refused("the answer is no JSON document");
  if (!document.is_object()) return refused("the answer is no JSON object");
  const Json* object = &document;
  if (!names.object.empty()) {
    object = Member(document, names.object);
    if (object == nullptr || !object->is_object()) {
      return refused("the answer has no object " + std::string(names.object));
    }
  }
  Reader reader(*object);
  Credentials credentials;
  credentials.access_key_id = reader.Text(names.access_key_id, true);
  credentials.secret_access_key = reader.Text(names.secret_access_key, true);
  credentials.session_token = reader.Text(names.session_token, names.token_required);
  credentials.expiration = reader.Time(names.expiration, names.expiration_required);
  credentials.account_id = reader.Account(names.account_id);
  credentials.source = source;
  if (!reader.problem().empty()) return refused("in the answer " + reader.problem());
  const std::string blanks = BlanksIn(credentials);
  if (!blanks.empty()) {
    return refused("in the answer the " + blanks + " holds blanks or line ends, which no key has");
  }
  return credentials;
}

std::optional<TimePoint> ParseExpiration(std::string_view text) {
  std::string_view rest = TrimAscii(text);
  minutes offset{0};
  const std::size_t time = rest.find_first_of("T ");
  if (rest.ends_with("UTC")) {
    rest = TrimAscii(rest.substr(0, rest.size() - 3));
  } else if (rest.ends_with('Z')) {
    rest.remove_suffix(1);
  } else if (time != std::string_view::npos && rest.find_first_of("+-", time) != rest.npos) {
    const auto taken = TakeOffset(rest);
    if (!taken) return std::nullopt;
    offset = *taken;
  }
  std::string plain = WithNineDecimals(rest);
  // What ParseTimestamp would end with is taken here, so that "9999-12-31" means "never".
  const auto year =
      ParseInt64(std::string_view(plain).substr(0, std::min<std::size_t>(4, plain.size())));
  const bool far = year && *year > 2261;
  // A leap year in which ParseTimestamp checks the rest of the text.
  if (far) plain.replace(0, 4, "2260");
  const auto nanos = plain.ends_with('Z')
                         ? Result<UnixNanos>(MakeError(ErrorKind::kInvalidInput, ""))
                         : ParseTimestamp(plain);
  if (!nanos) return std::nullopt;
  if (far) return kLatest;
  return TimePoint(std::chrono::nanoseconds(*nanos)) - offset;
}

std::string Refusal::Text() const {
  return code.empty() || message.empty() ? code + message : code + ": " + message;
}

Refusal ReadRefusal(std::string_view body) {
  const std::string_view trimmed = TrimAscii(body);
  const Json document = Json::parse(trimmed, nullptr, false);
  if (!document.is_object()) {
    // What only begins like a document may be half of one, with keys in it.
    const bool plain = trimmed.find_first_of("<{[\"") != 0;
    return {.code = {}, .message = plain ? OneLine(trimmed, 200) : std::string()};
  }
  const auto text = [&](std::initializer_list<std::string_view> names, std::size_t limit) {
    for (const std::string_view name : names) {
      const Json* member = Member(document, name);
      if (member != nullptr && member->is_string()) {
        return OneLine(TrimAscii(member->get_ref<const std::string&>()), limit);
      }
    }
    return std::string();
  };
  return {.code = text({"code", "Code"}, 100), .message = text({"message", "Message"}, 300)};
}

}  // namespace tsm::aws
