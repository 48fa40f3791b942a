#include "found_file.h"

#include <utility>

#include "tsm/batchload/load_plan.h"
#include "tsm/core/text.h"

namespace tsm::batchload {

namespace {

constexpr std::size_t kFindingsKept = 5;
constexpr std::string_view kUnknown = "-";

// The text before the next blank, which is taken off with it.
std::string_view Take(std::string_view& rest) {
  const std::size_t blank = rest.find(' ');
  const std::string_view field = rest.substr(0, blank);
  rest.remove_prefix(blank == std::string_view::npos ? rest.size() : blank + 1);
  return field;
}

std::uint64_t TakeCount(std::string_view& rest) {
  return static_cast<std::uint64_t>(ParseInt64(Take(rest)).value_or(0));
}

}  // namespace

FoundFile FoundFile::Of(const s3::ObjectSummary& object, Kind kind) {
  FoundFile file;
  file.kind = kind;
  file.key = object.key;
  file.size = object.size;
  file.etag = object.etag;
  return file;
}

std::string Pack(const FoundFile& file) {
  return std::string(1, static_cast<char>(file.kind)) + " " + std::to_string(file.size) + " " +
         (file.rows ? std::to_string(*file.rows) : std::string(kUnknown)) + " " +
         std::to_string(file.slice) + " " + std::to_string(file.etag.size()) + " " + file.etag +
         file.key.str();
}

FoundFile Unpack(std::string_view packed) {
  FoundFile file;
  file.kind = static_cast<FoundFile::Kind>(Take(packed).front());
  file.size = TakeCount(packed);
  if (const std::string_view rows = Take(packed); rows != kUnknown) {
    file.rows = static_cast<std::uint64_t>(ParseInt64(rows).value_or(0));
  }
  file.slice = static_cast<std::uint32_t>(TakeCount(packed));
  const std::size_t etag = TakeCount(packed);
  file.etag = packed.substr(0, etag);
  file.key = s3::ObjectKey(std::string(packed.substr(etag)));
  return file;
}

std::string_view FolderOf(std::string_view key) {
  const std::size_t slash = key.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : key.substr(0, slash + 1);
}

std::string_view NameOf(std::string_view key) { return key.substr(FolderOf(key).size()); }

void Findings::Add(std::string line) {
  ++count_;
  if (lines_.size() < kFindingsKept) lines_.push_back(std::move(line));
}

std::string Findings::Text() const {
  std::string text = NameSome(lines_, kFindingsKept);
  if (count_ > lines_.size()) text += " and " + WithThousands(count_ - lines_.size()) + " more";
  return text;
}

bool IsFolderMarker(const s3::ObjectSummary& object) {
  return object.size == 0 && object.key.str().ends_with('/');
}

}  // namespace tsm::batchload
