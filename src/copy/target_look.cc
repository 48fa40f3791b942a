// What lies at the target, by one listing that is merged with the files: before the copies, and as
// their proof.
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "tsm/copy/copy_run.h"
#include "tsm/core/text.h"

namespace tsm::copy {

namespace {

constexpr std::size_t kMostLines = 100;
// Inflated files are named otherwise than their sources, and so may be in another order: within
// this many they are put into that of the listing.
constexpr std::size_t kWindow = 64;

std::string StemOf(const std::string& key) {
  std::string_view stem = key;
  for (const std::string_view ending : {".gz", ".csv"}) {
    if (stem.ends_with(ending)) stem.remove_suffix(ending.size());
  }
  return std::string(stem);
}

struct Expected {
  run::SpooledFile file;
  std::size_t place = 0;      // in the feed's order
  std::string first;          // the lowest key that is its own
  std::string stem;           // of an inflated one
  std::uint64_t objects = 0;  // met
  std::uint64_t bytes = 0;    // of them
  std::string etag;

  bool Owns(const std::string& key) const {
    if (stem.empty()) return key == first;
    constexpr std::string_view kEnding = ".csv";
    constexpr std::size_t kDigits = 4;
    if (!key.starts_with(stem + "-") || !key.ends_with(kEnding)) return false;
    const std::size_t begin = stem.size() + 1;
    if (key.size() < begin + kDigits + kEnding.size()) return false;
    const std::string_view number =
        std::string_view(key).substr(begin, key.size() - begin - kEnding.size());
    return number.find_first_not_of("0123456789") == std::string_view::npos;
  }
};

// The files in the order of their first keys.
class ExpectedFiles {
 public:
  ExpectedFiles(FileFeed& feed, bool inflated) : feed_(feed), inflated_(inflated) {}

  // Null at the end.
  Result<Expected*> Current() {
    while (!exhausted_ && window_.size() < (inflated_ ? kWindow : 1)) {
      Result<std::optional<run::SpooledFile>> file = feed_.Next();
      if (!file) return std::move(file).error();
      if (!*file) {
        exhausted_ = true;
        break;
      }
      Expected expected;
      expected.file = **std::move(file);
      expected.place = fed_++;
      if (inflated_) expected.stem = StemOf(expected.file.target.str());
      expected.first =
          inflated_ ? InflatedKey(expected.file.target, 0).str() : expected.file.target.str();
      std::string key = expected.first;
      window_.emplace(std::move(key), std::move(expected));
    }
    return window_.empty() ? nullptr : &window_.begin()->second;
  }
  void Pop() { window_.erase(window_.begin()); }

 private:
  FileFeed& feed_;
  const bool inflated_;
  bool exhausted_ = false;
  std::size_t fed_ = 0;
  std::multimap<std::string, Expected> window_;
};

// Walks listing and files side by side: `settle` is told of each file once all its objects have
// passed, `foreign` of objects that are no file's.
Status Merge(s3::S3Client& s3, const s3::BucketName& bucket, const std::string& prefix,
             ExpectedFiles& files, const std::function<Status(const Expected&)>& settle,
             const std::function<void(const s3::ObjectSummary&)>& foreign, std::stop_token stop) {
  Status problem = Ok();
  // False where the walk has to end.
  const auto pass = [&](const std::string* key) {
    for (;;) {
      Result<Expected*> current = files.Current();
      if (!current) {
        problem = std::move(current).error();
        return false;
      }
      Expected* file = *current;
      if (file == nullptr || (key != nullptr && (file->Owns(*key) || file->first > *key))) {
        return true;
      }
      problem = settle(*file);
      if (!problem) return false;
      files.Pop();
    }
  };
  const auto visit = [&](const s3::ObjectSummary& object) {
    if (!pass(&object.key.str())) return false;
    Expected* file = *files.Current();
    if (file == nullptr || !file->Owns(object.key.str())) {
      foreign(object);
      return true;
    }
    ++file->objects;
    file->bytes += object.size;
    file->etag = object.etag;
    return true;
  };
  Status listed = s3.ForEachObject(bucket, prefix, visit, std::move(stop));
  if (!problem) return problem;
  if (!listed) return listed;
  pass(nullptr);
  return problem;
}

bool Below(const std::vector<std::string>& prefixes, const std::string& key) {
  const auto after = std::upper_bound(prefixes.begin(), prefixes.end(), key);
  return after != prefixes.begin() && key.starts_with(*std::prev(after));
}

std::string Lacking(const CopyOptions& options, const Expected& file, const CopiedFile& copied) {
  const std::string uri =
      OneLine(s3::S3Uri{options.target_bucket, file.file.target}.str(), 5 * s3::kMaxKeyBytes);
  if (file.objects < copied.objects) {
    if (!options.inflate) return uri + " is not there";
    return uri + ", inflated to " + std::to_string(copied.objects) +
           " objects: " + std::to_string(file.objects) + " of them are there";
  }
  if (file.objects > copied.objects) {
    return uri + ", inflated to " + std::to_string(copied.objects) +
           " objects: " + std::to_string(file.objects) + " are there";
  }
  if (file.bytes == copied.bytes) return "";
  return uri + " has " + WithThousands(file.bytes) + " bytes, it should have " +
         WithThousands(copied.bytes);
}

}  // namespace

s3::ObjectKey InflatedKey(const s3::ObjectKey& target, std::uint32_t object) {
  std::string number = std::to_string(object + 1);
  if (number.size() < 4) number.insert(0, 4 - number.size(), '0');
  return s3::ObjectKey(StemOf(target.str()) + "-" + number + ".csv");
}

Result<TargetLook> LookAtTarget(s3::S3Client& target, const CopyOptions& options,
                                const std::string& listed_prefix,
                                const std::vector<std::string>& prefixes, FileFeed& feed,
                                CopyBook& book, std::stop_token stop) {
  TargetLook look;
  ExpectedFiles files(feed, options.inflate);
  const auto settle = [&](const Expected& file) -> Status {
    if (look.there.size() <= file.place) look.there.resize(file.place + 1);
    if (book.IsCopied(file.file)) {
      // Of inflated ones the book alone knows how large they are.
      const bool whole =
          options.inflate ? file.objects > 0 : file.objects > 0 && file.bytes == file.file.size;
      look.there[file.place] = whole;
      if (whole) {
        ++look.equal;
      } else {
        if (look.lost++ < kMostLines) look.lost_keys.push_back(file.file.target.str());
      }
    } else if (file.objects > 0) {
      const bool equal = !options.inflate && file.bytes == file.file.size &&
                         !file.file.etag.empty() && file.etag == file.file.etag;
      look.there[file.place] = equal;
      ++(equal ? look.equal : look.different);
    }
    return Ok();
  };
  const auto foreign = [&](const s3::ObjectSummary& object) {
    const std::string& key = object.key.str();
    const bool marker = object.size == 0 && key.ends_with('/');
    if (marker || !Below(prefixes, key)) return;
    if (look.foreign++ < kMostLines) look.foreign_keys.push_back(key);
  };
  Status merged =
      Merge(target, options.target_bucket, listed_prefix, files, settle, foreign, std::move(stop));
  if (!merged) return std::move(merged).error().With("looking at what lies at the target");
  return look;
}

Result<std::vector<std::string>> ProveCopies(
    s3::S3Client& target, const CopyOptions& options, const std::string& listed_prefix,
    FileFeed& feed, const std::function<std::optional<CopiedFile>(const run::SpooledFile&)>& copied,
    std::stop_token stop) {
  std::vector<std::string> lines;
  ExpectedFiles files(feed, options.inflate);
  const auto settle = [&](const Expected& file) -> Status {
    std::optional<CopiedFile> became = copied(file.file);
    std::string line;
    if (!became && options.inflate) {
      line =
          OneLine(s3::S3Uri{options.target_bucket, file.file.target}.str(), 5 * s3::kMaxKeyBytes) +
          " was not inflated";
    } else {
      if (!became) became = CopiedFile{.objects = 1, .bytes = file.file.size, .rows = {}};
      line = Lacking(options, file, *became);
    }
    if (!line.empty() && lines.size() < kMostLines) lines.push_back(std::move(line));
    return Ok();
  };
  Status merged = Merge(
      target, options.target_bucket, listed_prefix, files, settle, [](const auto&) {},
      std::move(stop));
  if (!merged) return std::move(merged).error().With("proving the copies");
  return lines;
}

}  // namespace tsm::copy
