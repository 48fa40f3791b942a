#include "tsm/run/stored_object.h"

#include <nlohmann/json.hpp>

namespace tsm::run {

namespace {

using nlohmann::json;

std::optional<std::int64_t> NumberOf(const json& value) {
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (!value.is_number_integer()) return std::nullopt;
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > kMost) return std::nullopt;
  return value.get<std::int64_t>();
}

Error NoPlan(const std::string& tool, const std::string& why) {
  return MakeError(ErrorKind::kBadReply, "this is no plan of " + tool + ": " + why);
}

}  // namespace

struct StoredObject::Document {
  json root;
  std::string missing;
};

struct StoredObject::Node {
  std::shared_ptr<Document> document;
  const json* value = nullptr;  // in the document; of any type
  std::string path;             // "" or "tables[0]."

  const json* Find(const char* name) const {
    if (!value->is_object()) return nullptr;
    const auto found = value->find(name);
    return found == value->end() ? nullptr : &*found;
  }

  void Miss(const char* name) const {
    if (document->missing.empty()) document->missing = path + name;
  }

  const json& Array(const char* name) const {
    static const json none = json::array();
    const json* found = Find(name);
    if (found != nullptr && found->is_array()) return *found;
    Miss(name);
    return none;
  }

  const json& Object(const char* name) const {
    static const json none = json::object();
    const json* found = Find(name);
    if (found != nullptr && found->is_object()) return *found;
    Miss(name);
    return none;
  }
};

StoredObject::StoredObject(Node node) : node_(std::make_shared<const Node>(std::move(node))) {}

std::optional<StoredObject> StoredObject::Parse(std::string_view text) {
  json root = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!root.is_object()) return std::nullopt;
  auto document = std::make_shared<Document>(Document{std::move(root), ""});
  const json* value = &document->root;
  return StoredObject(Node{std::move(document), value, ""});
}

std::string StoredObject::Text(const char* name) const {
  const json* found = node_->Find(name);
  if (found != nullptr && found->is_string()) return found->get<std::string>();
  Miss(name);
  return "";
}

bool StoredObject::Flag(const char* name) const {
  const json* found = node_->Find(name);
  if (found != nullptr && found->is_boolean()) return found->get<bool>();
  Miss(name);
  return false;
}

std::uint64_t StoredObject::Count(const char* name, std::uint64_t most) const {
  const json* found = node_->Find(name);
  if (found != nullptr && found->is_number_unsigned() && found->get<std::uint64_t>() <= most) {
    return found->get<std::uint64_t>();
  }
  Miss(name);
  return 0;
}

std::int64_t StoredObject::Number(const char* name) const {
  const json* found = node_->Find(name);
  const std::optional<std::int64_t> number = found == nullptr ? std::nullopt : NumberOf(*found);
  if (!number) Miss(name);
  return number.value_or(0);
}

std::string StoredObject::Digits(const char* name) const {
  const json* found = node_->Find(name);
  if (found != nullptr && found->is_number_integer()) return found->dump();
  Miss(name);
  return "";
}

std::vector<std::string> StoredObject::Texts(const char* name) const {
  std::vector<std::string> texts;
  for (const json& entry : node_->Array(name)) {
    if (!entry.is_string()) return Miss(name), texts;
    texts.push_back(entry.get<std::string>());
  }
  return texts;
}

std::vector<std::uint64_t> StoredObject::Counts(const char* name) const {
  std::vector<std::uint64_t> counts;
  for (const json& entry : node_->Array(name)) {
    if (!entry.is_number_unsigned()) return Miss(name), counts;
    counts.push_back(entry.get<std::uint64_t>());
  }
  return counts;
}

std::map<std::string, std::uint64_t, std::less<>> StoredObject::NamedCounts(
    const char* name) const {
  std::map<std::string, std::uint64_t, std::less<>> counts;
  for (const auto& [key, count] : node_->Object(name).items()) {
    if (!count.is_number_unsigned()) return Miss(name), counts;
    counts.emplace(key, count.get<std::uint64_t>());
  }
  return counts;
}

std::vector<std::pair<std::int64_t, std::uint64_t>> StoredObject::CountedNumbers(
    const char* name) const {
  std::vector<std::pair<std::int64_t, std::uint64_t>> pairs;
  for (const json& entry : node_->Array(name)) {
    const bool pair = entry.is_array() && entry.size() == 2 && entry[1].is_number_unsigned();
    const std::optional<std::int64_t> number = pair ? NumberOf(entry[0]) : std::nullopt;
    if (!number) return Miss(name), pairs;
    pairs.emplace_back(*number, entry[1].get<std::uint64_t>());
  }
  return pairs;
}

std::string StoredObject::ArrayText(const char* name) const { return node_->Array(name).dump(); }

StoredObject StoredObject::Object(const char* name) const {
  return StoredObject(Node{node_->document, &node_->Object(name), node_->path + name + "."});
}

void StoredObject::ForEach(const char* name, const Entries& visit) const {
  std::size_t index = 0;
  for (const json& entry : node_->Array(name)) {
    visit(StoredObject(
        Node{node_->document, &entry, node_->path + name + "[" + std::to_string(index++) + "]."}));
  }
}

bool StoredObject::IsNull(const char* name) const {
  const json* found = node_->Find(name);
  return found != nullptr && found->is_null();
}

std::optional<std::uint64_t> StoredObject::OptionalCount(const char* name) const {
  if (IsNull(name)) return std::nullopt;
  return Count(name);
}

std::optional<std::int64_t> StoredObject::OptionalNumber(const char* name) const {
  if (IsNull(name)) return std::nullopt;
  return Number(name);
}

void StoredObject::Miss(const char* name) const { node_->Miss(name); }

const std::string& StoredObject::missing() const { return node_->document->missing; }

Result<StoredObject> OpenPlan(std::string_view text, int format, const std::string& tool) {
  const std::optional<StoredObject> plan = StoredObject::Parse(text);
  if (!plan) return NoPlan(tool, "it holds no JSON object");
  const std::string found = plan->Digits("format");
  const std::string known = std::to_string(format);
  if (found.empty()) return NoPlan(tool, "format is missing");
  if (found == known) return *plan;
  return MakeError(ErrorKind::kInvalidInput,
                   "the plan has format " + found + ", this program reads format " + known +
                       ": go on with the version of " + tool + " that planned it");
}

Status CheckPlan(const StoredObject& plan, const std::string& tool) {
  if (plan.missing().empty()) return Ok();
  return NoPlan(tool, plan.missing() + " is missing or malformed");
}

}  // namespace tsm::run
