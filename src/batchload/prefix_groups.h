// Divides files that stay where they lie by prefixes of their keys, each of which is a prefix of
// nothing but its own files: a folder where that will do, else `…/<QueryId>_`, else as much more of
// the file names as it takes. The fewest prefixes with which that is possible. Pure; memory grows
// with the length of a key and with the groups. For one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tsm/core/result.h"

namespace tsm::batchload {

struct PrefixGroup {
  std::string prefix;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};

class PrefixDivider {
 public:
  PrefixDivider(std::uint64_t max_files, std::uint64_t max_bytes)
      : max_files_(max_files), max_bytes_(max_bytes) {}

  // In the order of the keys, each once. A key that is not `ours` may lie below no prefix.
  void Add(std::string_view key, std::uint64_t bytes, bool ours);

  // In the order of the prefixes. kInvalidInput where a file can't be told from its neighbours by a
  // prefix: its key is the beginning of theirs.
  Result<std::vector<PrefixGroup>> Finish();

 private:
  // What has the same beginning of `depth` bytes; `path` is the first such key.
  struct Node {
    std::size_t depth = 0;
    std::string path;
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
    std::size_t folder = 0;  // the longest folder of them, in bytes
    bool others = false;
    bool broken = false;   // parts of it have become groups
    bool is_file = false;  // ours, and its key is all of `path`'s first `depth` bytes
    std::vector<Node> parts;
  };

  bool IsWhole(const Node& node) const;
  void Join(Node& node, Node part) const;
  // The deepest node takes no more: it becomes part of the one above, at least `depth` deep.
  void CloseDownTo(std::size_t depth);
  void Settle(Node& node);
  void Emit(const Node& node, std::size_t above);

  std::uint64_t max_files_;
  std::uint64_t max_bytes_;
  std::string last_;
  std::vector<Node> open_;  // each a part of the one before
  std::vector<PrefixGroup> groups_;
  std::optional<Error> error_;
};

}  // namespace tsm::batchload
