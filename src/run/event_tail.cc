#include "event_tail.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace tsm::run {

namespace {

using nlohmann::json;

constexpr std::uint64_t kFirstWindow = std::uint64_t{64} << 10U;

std::optional<std::uint64_t> SequenceIn(std::string_view line) {
  const json object = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) return std::nullopt;
  const auto found = object.find("seq");
  if (found == object.end() || !found->is_number_unsigned()) return std::nullopt;
  return found->get<std::uint64_t>();
}

// `text` is the end of a file whose earlier part is not shown where `is_all` is false. Nothing
// where more of the file is needed to tell.
std::optional<EventTail> TailOf(std::string_view text, std::uint64_t offset) {
  const bool is_all = offset == 0;
  const std::size_t end = text.rfind('\n');
  if (end == std::string_view::npos) return is_all ? std::optional(EventTail{}) : std::nullopt;
  EventTail tail;
  tail.size = offset + end + 1;
  std::string_view rest = text.substr(0, end);
  for (;;) {
    const std::size_t before = rest.rfind('\n');
    const bool first = before == std::string_view::npos;
    if (first && !is_all) return std::nullopt;  // the line may begin further up
    const std::optional<std::uint64_t> sequence =
        SequenceIn(first ? rest : rest.substr(before + 1));
    if (sequence) tail.sequence = *sequence;
    if (sequence || first) return tail;
    rest = rest.substr(0, before);
  }
}

Result<std::string> ReadFrom(const OpenFile& file, const std::filesystem::path& path,
                             std::uint64_t offset, std::uint64_t size) {
  std::string text(size, '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const ssize_t read = ::pread(file.get(), text.data() + have, text.size() - have,
                                 static_cast<off_t>(offset + have));
    if (read < 0 && errno == EINTR) continue;
    if (read < 0) return FileError(path, "read", errno);
    if (read == 0) break;
    have += static_cast<std::size_t>(read);
  }
  text.resize(have);
  return text;
}

}  // namespace

Result<EventTail> ReadEventTail(const OpenFile& file, const std::filesystem::path& path) {
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) return FileError(path, "read", errno);
  const auto size = static_cast<std::uint64_t>(facts.st_size);
  for (std::uint64_t window = std::min(kFirstWindow, size);; window = std::min(window * 2, size)) {
    const Result<std::string> text = ReadFrom(file, path, size - window, window);
    if (!text) return text.error();
    if (const std::optional<EventTail> tail = TailOf(*text, size - window)) return *tail;
  }
}

}  // namespace tsm::run
