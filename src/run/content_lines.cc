// The lines of content_queries.h.
#include <nlohmann/json.hpp>
#include <utility>

#include "tsm/core/text.h"
#include "tsm/run/content_queries.h"

namespace tsm::run {

namespace {

using nlohmann::json;

constexpr std::size_t kShownBytes = 120;

Error NoLine(const std::string& why, std::string_view line) {
  return MakeError(ErrorKind::kBadReply,
                   "this is no line of aggregates, for " + why + ": " + OneLine(line, kShownBytes));
}

// Written by hand, for it is flat.
std::string QuoteJson(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      quoted += "\\u00" + HexEncode(std::string_view(&c, 1));
    } else {
      quoted += c;
    }
  }
  return quoted + "\"";
}

bool IsFact(const json& fact) {
  return fact.is_array() && fact.size() == 3 && fact[0].is_string() && fact[1].is_string() &&
         fact[2].is_string();
}

}  // namespace

std::string ContentLine(const PartitionContent& content) {
  std::string line = "{\"partition\":" + QuoteJson(content.partition) +
                     ",\"rows\":" + std::to_string(content.rows) + ",\"facts\":[";
  bool first = true;
  for (const ContentFact& fact : content.facts) {
    if (!first) line += ',';
    first = false;
    line += "[" + QuoteJson(fact.column) + "," + QuoteJson(fact.aggregate) + "," +
            QuoteJson(fact.value) + "]";
  }
  return line + "]}\n";
}

Result<PartitionContent> ParseContentLine(std::string_view line) {
  const json parsed = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object()) return NoLine("it is no object of JSON", line);
  const auto partition = parsed.find("partition");
  const auto rows = parsed.find("rows");
  const auto facts = parsed.find("facts");
  if (partition == parsed.end() || !partition->is_string())
    return NoLine("it names no partition", line);
  if (rows == parsed.end() || !rows->is_number_unsigned()) return NoLine("it tells no rows", line);
  if (facts == parsed.end() || !facts->is_array()) return NoLine("it has no facts", line);
  PartitionContent content;
  content.partition = partition->get<std::string>();
  content.rows = rows->get<std::uint64_t>();
  content.facts.reserve(facts->size());
  for (const json& fact : *facts) {
    if (!IsFact(fact)) return NoLine("a fact is no column, aggregate and value", line);
    content.facts.push_back(
        {fact[0].get<std::string>(), fact[1].get<std::string>(), fact[2].get<std::string>()});
  }
  return content;
}

}  // namespace tsm::run
