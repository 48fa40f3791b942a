#include "support/fake_bucket.h"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>
#include <string_view>

namespace tsm::test {

namespace {

constexpr std::string_view kStamp = "_1234567890_";
constexpr std::size_t kFileIdLength = 16;  // of the service's names

// "xxxxxxxxxxxxxx01": as long as any other, so that names are in the order of numbers.
std::string Padded(std::uint64_t number) {
  std::string text = std::to_string(number);
  text.insert(0, kFileIdLength - text.size(), '0');
  return text;
}

// Walks one result set's files that are there, from a key on.
class FileCursor {
 public:
  FileCursor(const ResultSet& set, const std::string& from)
      : set_(&set), file_(set.LowerBound(from)) {
    Settle();
  }
  bool at_end() const { return key_.empty(); }
  const std::string& key() const { return key_; }
  std::uint64_t bytes() const { return set_->Bytes(file_); }
  void Next() {
    ++file_;
    Settle();
  }
  void Seek(const std::string& from) {
    file_ = std::max(file_, set_->LowerBound(from));
    Settle();
  }

 private:
  void Settle() {
    while (file_ < set_->files() && set_->removed.count(file_) > 0) ++file_;
    key_ = file_ < set_->files() ? set_->Key(file_) : "";
  }

  const ResultSet* set_;
  std::uint64_t file_;
  std::string key_;
};

// The bucket's keys in S3's order, objects and data files alike.
class KeyCursor {
 public:
  KeyCursor(const FakeBucket& bucket, const std::string& prefix, const std::string& from)
      : bucket_(bucket), object_(bucket.objects.lower_bound(from)) {
    for (const auto& set : bucket.sets) {
      if (set->MayHold(prefix)) files_.emplace_back(*set, from);
    }
    Choose();
  }

  bool at_end() const { return file_ == nullptr && object_ == bucket_.objects.end(); }
  const std::string& key() const { return file_ != nullptr ? file_->key() : object_->first; }
  ListedObject Get() const {
    if (file_ != nullptr) return {file_->key(), file_->bytes(), "f"};
    return {object_->first, object_->second.Body().size(), object_->second.ETag()};
  }
  void Next() {
    if (file_ != nullptr) {
      file_->Next();
    } else {
      ++object_;
    }
    Choose();
  }
  void Seek(const std::string& from) {
    object_ = bucket_.objects.lower_bound(from);
    for (FileCursor& file : files_) file.Seek(from);
    Choose();
  }

 private:
  void Choose() {
    file_ = nullptr;
    for (FileCursor& file : files_) {
      if (!file.at_end() && (file_ == nullptr || file.key() < file_->key())) file_ = &file;
    }
    if (object_ != bucket_.objects.end() && file_ != nullptr && object_->first < file_->key()) {
      file_ = nullptr;
    }
  }

  const FakeBucket& bucket_;
  std::map<std::string, FakeObject>::const_iterator object_;
  std::vector<FileCursor> files_;
  FileCursor* file_ = nullptr;  // where the next key is a data file's
};

}  // namespace

ResultSet::ResultSet(std::string bucket, std::string folder, std::string query_id,
                     std::vector<ResultFolder> folders, std::uint64_t bytes_per_row,
                     std::uint64_t files_per_folder)
    : bucket_(std::move(bucket)),
      folder_(std::move(folder)),
      query_id_(std::move(query_id)),
      folders_(std::move(folders)),
      bytes_per_row_(bytes_per_row),
      files_per_folder_(files_per_folder) {
  std::uint64_t files = 0;
  first_.push_back(files);
  for (const ResultFolder& part : folders_) {
    files += std::min(part.rows, files_per_folder_);
    first_.push_back(files);
  }
}

std::size_t ResultSet::FolderOf(std::uint64_t file) const {
  return static_cast<std::size_t>(std::upper_bound(first_.begin(), first_.end(), file) -
                                  first_.begin()) -
         1;
}

std::string ResultSet::Key(std::uint64_t file) const {
  return folder_ + "results/" + folders_[FolderOf(file)].name + query_id_ + std::string(kStamp) +
         Padded(file) + ".csv";
}

std::uint64_t ResultSet::Rows(std::uint64_t file) const {
  const std::size_t folder = FolderOf(file);
  const std::uint64_t rows = folders_[folder].rows;
  const std::uint64_t files = first_[folder + 1] - first_[folder];
  const std::uint64_t place = file - first_[folder];
  return rows / files + (place < rows % files ? 1 : 0);
}

std::uint64_t ResultSet::LowerBound(const std::string& key) const {
  std::uint64_t low = 0;
  std::uint64_t high = files();
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    if (Key(middle) < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

bool ResultSet::MayHold(const std::string& prefix) const {
  return folder_.starts_with(prefix) || prefix.starts_with(folder_);
}

std::string ResultSet::stem() const {
  return folder_ + query_id_ + std::string(kStamp) + std::string(kFileIdLength, 'm');
}

std::uint64_t ResultSet::rows() const {
  std::uint64_t sum = 0;
  for (const ResultFolder& folder : folders_) sum += folder.rows;
  return sum;
}

// As real ones are, also where the documentation has it otherwise (total_content_length_in_bytes).
std::string ResultSet::Manifest() const {
  std::string text = "{\"result_files\":[";
  for (std::uint64_t file = 0; file < files(); ++file) {
    if (file > 0) text += ",";
    text += "\n{\"url\":" + nlohmann::json("s3://" + bucket_ + "/" + Key(file)).dump() +
            ",\"file_metadata\":{\"content_length_in_bytes\":" + std::to_string(Bytes(file)) +
            ",\"row_count\":" + std::to_string(Rows(file)) + "}}";
  }
  return text + "],\"query_metadata\":{\"total_content_length_in_bytes\":" +
         std::to_string(rows() * bytes_per_row_) +
         ",\"total_row_count\":" + std::to_string(rows()) +
         ",\"result_format\":\"CSV\",\"result_version\":\"Amazon Timestream version 1.0.0\"},"
         "\"author\":{\"name\":\"Amazon Timestream\",\"manifest_file_version\":\"1.0\"}}";
}

std::string FakeObject::ETag() const {
  return set ? "m" : std::to_string(std::hash<std::string>()(body));
}

Listing FakeBucket::List(const std::string& prefix, const std::string& delimiter,
                         const std::string& after, std::size_t max_keys) const {
  Listing listing;
  std::string last;
  KeyCursor cursor(*this, prefix, std::max(prefix, after));
  // What is behind a common prefix begins behind all that starts with it.
  const auto skip = [&](const std::string& passed) {
    while (!cursor.at_end() && cursor.key().starts_with(passed)) cursor.Seek(passed + "\xff");
  };
  if (!after.empty() && !cursor.at_end() && cursor.key() == after) cursor.Next();
  if (!after.empty() && !delimiter.empty() && after.ends_with(delimiter)) skip(after);
  while (!cursor.at_end() && cursor.key().starts_with(prefix)) {
    if (listing.objects.size() + listing.common_prefixes.size() == max_keys) {
      listing.next = last;
      break;
    }
    const std::size_t end =
        delimiter.empty() ? std::string::npos : cursor.key().find(delimiter, prefix.size());
    if (end == std::string::npos) {
      last = cursor.key();
      listing.objects.push_back(cursor.Get());
      cursor.Next();
    } else {
      last = cursor.key().substr(0, end + delimiter.size());
      listing.common_prefixes.push_back(last);
      skip(last);
    }
  }
  return listing;
}

bool FakeBucket::Delete(const std::string& key) {
  if (objects.erase(key) > 0) return true;
  for (auto set = sets.begin(); set != sets.end(); ++set) {
    const std::uint64_t file = (*set)->LowerBound(key);
    if (file >= (*set)->files() || (*set)->Key(file) != key) continue;
    const bool deleted = (*set)->removed.insert(file).second;
    if ((*set)->removed.size() == (*set)->files()) sets.erase(set);
    return deleted;
  }
  return false;
}

std::optional<std::uint64_t> FakeBucket::SizeOf(const std::string& key) const {
  const auto object = objects.find(key);
  if (object != objects.end()) return object->second.Body().size();
  for (const auto& set : sets) {
    const std::uint64_t file = set->LowerBound(key);
    if (file < set->files() && set->Key(file) == key && set->removed.count(file) == 0) {
      return set->Bytes(file);
    }
  }
  return std::nullopt;
}

std::uint64_t FakeBucket::CountDataFiles(const std::string& prefix) const {
  std::uint64_t files = 0;
  for (const auto& set : sets) {
    for (std::uint64_t file = 0; file < set->files(); ++file) {
      if (set->removed.count(file) == 0 && set->Key(file).starts_with(prefix)) ++files;
    }
  }
  return files;
}

}  // namespace tsm::test
