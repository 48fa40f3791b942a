// Reading back what a run has stored as JSON, a plan or a record: each member is asked for by name
// and type, and the first of all that is missing or of another type is remembered with its place in
// the whole, "tables[0].slices[2].from". A copy is the same object. Not thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tsm/core/result.h"

namespace tsm::run {

class StoredObject {
 public:
  using Entries = std::function<void(const StoredObject& entry)>;

  // Nothing where the text holds no JSON object.
  static std::optional<StoredObject> Parse(std::string_view text);

  // The member; where it is missing or malformed that is remembered, and the answer is "", false,
  // 0, or empty.
  std::string Text(const char* name) const;
  bool Flag(const char* name) const;
  std::uint64_t Count(const char* name,
                      std::uint64_t most = std::numeric_limits<std::uint64_t>::max()) const;
  std::int64_t Number(const char* name) const;
  // An integer of any size, as its digits: a version that another program gave.
  std::string Digits(const char* name) const;
  std::vector<std::string> Texts(const char* name) const;
  std::vector<std::uint64_t> Counts(const char* name) const;
  // An object of counts, such as {"a": 1, "b": 2}.
  std::map<std::string, std::uint64_t, std::less<>> NamedCounts(const char* name) const;
  // An array of [number, count].
  std::vector<std::pair<std::int64_t, std::uint64_t>> CountedNumbers(const char* name) const;
  // An array as JSON text, for the reader of its own.
  std::string ArrayText(const char* name) const;
  StoredObject Object(const char* name) const;
  // Each entry of an array of objects.
  void ForEach(const char* name, const Entries& visit) const;

  // Null and absent differ: what may be null must still be there.
  bool IsNull(const char* name) const;
  std::optional<std::uint64_t> OptionalCount(const char* name) const;
  std::optional<std::int64_t> OptionalNumber(const char* name) const;

  // One of `values` by what Name says of it.
  template <typename Value, std::size_t kSize>
  Value OneOf(const std::array<Value, kSize>& values, const char* name) const {
    const std::string text = Text(name);
    for (const Value value : values) {
      if (Name(value) == text) return value;
    }
    Miss(name);
    return values.front();
  }

  // The member is not what it should be, for a reason that only the caller knows.
  void Miss(const char* name) const;
  // The place of the first that is missing or malformed in the whole document, or "".
  const std::string& missing() const;

 private:
  struct Document;
  struct Node;
  explicit StoredObject(Node node);

  std::shared_ptr<const Node> node_;
};

// The plan of a run, by its member `format`. kBadReply: it is none. kInvalidInput: another version
// of `tool` has planned it.
Result<StoredObject> OpenPlan(std::string_view text, int format, const std::string& tool);
// After its members were asked for. kBadReply names the first that is missing or malformed.
Status CheckPlan(const StoredObject& plan, const std::string& tool);

}  // namespace tsm::run
