#include "listed_files.h"

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "tsm/core/text.h"
#include "tsm/run/manifest.h"

namespace tsm::batchload {

namespace {

constexpr std::string_view kResults = "results/";
constexpr std::string_view kCsv = ".csv";
constexpr std::string_view kGzip = ".gz";
constexpr std::string_view kGzipCsv = ".csv.gz";
constexpr std::size_t kKeysNamed = 3;

Error Refuse(std::string why) { return MakeError(ErrorKind::kInvalidInput, std::move(why)); }

// Where the last whole segment "results" begins, or npos.
std::size_t LastResults(std::string_view key) {
  std::size_t at = key.rfind(kResults);
  while (at != std::string_view::npos && at != 0 && key[at - 1] != '/') {
    at = key.rfind(kResults, at - 1);
  }
  return at;
}

// The first of some keys, and how many there are.
struct KeySample {
  std::vector<std::string> first;
  std::uint64_t count = 0;

  void Add(const std::string& key) {
    ++count;
    if (first.size() < kKeysNamed) first.push_back(key);
  }
  std::string Text() const {
    std::string text = NameSome(first, kKeysNamed);
    if (count > first.size()) text += " and " + WithThousands(count - first.size()) + " more";
    return text;
  }
};

// The UNLOAD that wrote some of the files.
struct Query {
  KeySample keys;
  bool complete = false;
  std::string refused;  // why its manifest is none
};

// A file as a manifest has it.
struct Named {
  std::uint64_t bytes = 0;
  std::uint64_t rows = 0;
  std::string manifest;
};

std::string Pack(const run::ManifestFile& file, const std::string& manifest) {
  return std::to_string(file.bytes) + " " + std::to_string(file.rows) + " " + manifest;
}

Named UnpackNamed(std::string_view packed) {
  const std::size_t first = packed.find(' ');
  const std::size_t second = packed.find(' ', first + 1);
  const auto count = [&](std::size_t from, std::size_t to) {
    return static_cast<std::uint64_t>(ParseInt64(packed.substr(from, to - from)).value_or(0));
  };
  return {count(0, first), count(first + 1, second), std::string(packed.substr(second + 1))};
}

// Steps through a sorted file and tells where it is.
class Cursor {
 public:
  Status Open(SortedSpool& spool) {
    Result<std::unique_ptr<SortedSpool::Reader>> reader = spool.Read();
    if (!reader) return reader.error();
    reader_ = *std::move(reader);
    return Step();
  }
  Status Step() {
    Result<bool> more = reader_->Next();
    if (!more) return more.error();
    at_end_ = !*more;
    return Ok();
  }
  bool at_end() const { return at_end_; }
  std::string_view key() const { return reader_->key(); }
  std::string_view value() const { return reader_->value(); }

 private:
  std::unique_ptr<SortedSpool::Reader> reader_;
  bool at_end_ = true;
};

class Lister {
 public:
  Lister(const SourceRequest& request, s3::S3Client& source, GroupRules& rules,
         FileCollector& files, std::stop_token stop)
      : request_(request),
        source_(source),
        rules_(rules),
        files_(files),
        stop_(std::move(stop)),
        listed_(request.run_directory),
        named_(request.run_directory) {}

  Status Run() {
    if (Status list = List(); !list) return list;
    if (Status kinds = CheckKinds(); !kinds) return kinds;
    const std::vector<std::string> folders(folders_.begin(), folders_.end());
    for (const ManifestRoot& root : ManifestRoots(request_.prefix, folders)) {
      if (Status read = ReadManifestsIn(root); !read) return read;
    }
    if (Status merged = Merge(); !merged) return merged;
    for (const auto& [id, query] : queries_) {
      if (query.complete) continue;
      files_.findings.Add("no complete manifest for " + query.keys.Text() +
                          (query.refused.empty() ? "" : " (" + query.refused + ")"));
    }
    if (nameless_.count > 0) {
      files_.findings.Add("no UNLOAD wrote " + nameless_.Text() +
                          " (by name), so no manifest tells the rows");
    }
    return Ok();
  }

 private:
  std::string Uri() const {
    return s3::S3Uri{request_.bucket, s3::ObjectKey(request_.prefix)}.str();
  }

  Status List() {
    Status kept = Ok();
    Status status = source_.ForEachObject(
        request_.bucket, request_.prefix,
        [&](const s3::ObjectSummary& object) {
          kept = See(object);
          return static_cast<bool>(kept);
        },
        stop_);
    if (!status) return status.error().With("listing " + Uri());
    return kept;
  }

  Status See(const s3::ObjectSummary& object) {
    const std::string& key = object.key.str();
    if (!run::IsDataFile(key)) return files_.AddOther(object, FoundFile::Kind::kStrange);
    if (key.ends_with(kCsv)) {
      ++csv_files_;
    } else if (key.ends_with(kGzip)) {
      gzip_.Add(key);
      if (key.ends_with(kGzipCsv)) ++gzip_csv_files_;
    } else {
      unreadable_.Add(key);
      return Ok();
    }
    if (const auto id = run::QueryIdOfDataFile(key)) {
      queries_[*id].keys.Add(key);
    } else {
      nameless_.Add(key);
    }
    if (const std::size_t at = LastResults(FolderOf(key)); at != std::string_view::npos) {
      folders_.insert(key.substr(0, at + kResults.size()));
    }
    return listed_.Add(TailOf(key, request_.prefix),
                       batchload::Pack(FoundFile::Of(object, FoundFile::Kind::kData)));
  }

  Status CheckKinds() {
    if (unreadable_.count > 0) {
      return Refuse("batch load reads CSV, these are something else: " + unreadable_.Text() +
                    "; unload again with --format CSV, or only copy them with --copy_only");
    }
    if (gzip_.count == 0 && csv_files_ == 0) {
      return Refuse("there are no data files (*.csv) under " + Uri());
    }
    if (gzip_.count == 0) return Ok();
    if (!request_.copy) {
      return Refuse("batch load reads uncompressed CSV, and these are gzip: " + gzip_.Text() +
                    "; let them be inflated on the way with --copy_s3_bucket, or unload again "
                    "with --compression NONE");
    }
    if (csv_files_ > 0) {
      return Refuse("under " + Uri() + " lie " + WithThousands(csv_files_) +
                    " plain CSV files and " + WithThousands(gzip_.count) + " gzip files (" +
                    gzip_.Text() + "): load one kind at a time, each from a prefix of its own");
    }
    // a.gz and a.csv.gz would be inflated to objects of the same names.
    if (gzip_csv_files_ > 0 && gzip_csv_files_ < gzip_.count) {
      return Refuse("under " + Uri() + " lie " + WithThousands(gzip_csv_files_) +
                    " files *.csv.gz and " + WithThousands(gzip_.count - gzip_csv_files_) +
                    " other files *.gz: load one kind at a time, each from a prefix of its own");
    }
    rules_.gzip = true;
    return Ok();
  }

  Status ReadManifestsIn(const ManifestRoot& root) {
    s3::ListOptions options;
    options.delimiter = "/";  // the data below results/ is not walked again
    std::string token;
    do {
      Result<s3::ListPage> page =
          source_.ListObjects(request_.bucket, root.folder, token, options, stop_);
      // Whoever may only see the prefix itself has no manifest, which the findings tell.
      if (!page && !root.exclusive && page.error().kind == ErrorKind::kAccessDenied) return Ok();
      if (!page) return page.error().With("looking for manifests");
      for (const s3::ObjectSummary& object : page->objects) {
        if (!run::IsManifestKey(object.key.str())) continue;
        if (Status read = ReadManifest(root, object.key); !read) return read;
      }
      token = page->next_token;
    } while (!token.empty());
    return Ok();
  }

  // One that can't be fetched for want of permission says nothing about the data: that ends the run
  // as what it is. One that does not parse or add up is a finding about the data. Where the root is
  // not exclusive other queries' manifests are not read: they are somebody else's.
  Status ReadManifest(const ManifestRoot& root, const s3::ObjectKey& key) {
    const std::string id = run::QueryIdOfManifest(key.str()).value_or("");
    const auto query = queries_.find(id);
    if (!root.exclusive && query == queries_.end()) return Ok();
    Result<std::string> body = source_.GetObject(request_.bucket, key, std::nullopt, stop_);
    const bool allowed =
        request_.verify == Verify::kNone && !body && body.error().kind == ErrorKind::kAccessDenied;
    if (!body && !allowed) return body.error().With("reading the manifest");
    Result<run::Manifest> manifest =
        body ? run::ParseManifest(*body) : Result<run::Manifest>(body.error());
    if (!manifest) {
      const std::string why = key.str() + ": " + manifest.error().message;
      if (query != queries_.end()) {
        query->second.refused = why;
      } else {
        files_.findings.Add(why);
      }
      return Ok();
    }
    if (query != queries_.end()) query->second.complete = true;
    return SpoolNames(root, *manifest, key.str());
  }

  Status SpoolNames(const ManifestRoot& root, const run::Manifest& manifest,
                    const std::string& key) {
    for (const run::ManifestFile& file : manifest.files) {
      const std::string_view tail = TailOf(file.uri.key.str(), "");
      const std::string place = root.folder + std::string(kResults) + std::string(tail);
      if (root.exclusive && !place.starts_with(request_.prefix)) continue;
      if (Status added = named_.Add(tail, Pack(file, key)); !added) return added;
    }
    return Ok();
  }

  Status Merge() {
    Cursor listed;
    Cursor named;
    if (Status opened = listed.Open(listed_); !opened) return opened;
    if (Status opened = named.Open(named_); !opened) return opened;
    std::string matched;  // the last tail that a file was found for
    while (!listed.at_end() || !named.at_end()) {
      const bool missing = listed.at_end() || (!named.at_end() && named.key() < listed.key());
      if (missing) {
        if (named.key() != matched) Miss(named);
        if (Status stepped = named.Step(); !stepped) return stepped;
        continue;
      }
      FoundFile file = Unpack(listed.value());
      const bool is_named =
          !named.at_end() && named.key() == listed.key() && matched != listed.key();
      if (is_named) {
        matched = listed.key();
        Compare(UnpackNamed(named.value()), file);
      } else {
        Disown(file);
      }
      if (Status added = files_.Add(file); !added) return added;
      if (Status stepped = listed.Step(); !stepped) return stepped;
    }
    return Ok();
  }

  void Miss(const Cursor& named) {
    files_.findings.Add(UnpackNamed(named.value()).manifest + " names " + std::string(named.key()) +
                        ", which is missing");
  }

  void Compare(const Named& named, FoundFile& file) {
    if (file.size == named.bytes) {
      file.rows = named.rows;
      return;
    }
    files_.findings.Add(file.key.str() + " has " + std::to_string(file.size) + " bytes, " +
                        named.manifest + " says " + std::to_string(named.bytes));
  }

  // A file whose query has no manifest is told with the query.
  void Disown(const FoundFile& file) {
    const auto id = run::QueryIdOfDataFile(file.key.str());
    if (!id || !queries_[*id].complete) return;
    files_.findings.Add(file.key.str() + " is not named by the manifest of its query");
  }

  const SourceRequest& request_;
  s3::S3Client& source_;
  GroupRules& rules_;
  FileCollector& files_;
  std::stop_token stop_;
  SortedSpool listed_;  // by tail
  SortedSpool named_;   // by tail
  std::map<std::string, Query> queries_;
  std::set<std::string> folders_;  // of the files, up to their last `results/`
  KeySample nameless_;
  KeySample unreadable_;
  KeySample gzip_;
  std::uint64_t csv_files_ = 0;
  std::uint64_t gzip_csv_files_ = 0;  // of gzip_
};

}  // namespace

std::vector<ManifestRoot> ManifestRoots(std::string_view listed_prefix,
                                        const std::vector<std::string>& folders) {
  std::vector<ManifestRoot> roots;
  std::set<std::string> seen;
  const auto add = [&](std::string folder, bool exclusive) {
    if (seen.insert(folder).second) roots.push_back({std::move(folder), exclusive});
  };
  for (const std::string& folder : folders) {
    const std::size_t at = LastResults(folder);
    if (at != std::string::npos) add(folder.substr(0, at), true);
  }
  if (const std::size_t at = LastResults(listed_prefix); at != std::string_view::npos) {
    add(std::string(listed_prefix.substr(0, at)), true);
  } else {
    std::string_view above = listed_prefix;
    if (!above.empty()) above.remove_suffix(1);  // its closing '/'
    add(std::string(FolderOf(above)), false);
  }
  return roots;
}

std::string_view TailOf(std::string_view key, std::string_view listed_prefix) {
  if (const std::size_t at = LastResults(key); at != std::string_view::npos) {
    return key.substr(at + kResults.size());
  }
  return key.starts_with(listed_prefix) ? key.substr(listed_prefix.size()) : key;
}

Status CollectListed(const SourceRequest& request, s3::S3Client& source, GroupRules& rules,
                     FileCollector& files, std::stop_token stop) {
  return Lister(request, source, rules, files, std::move(stop)).Run();
}

Status CollectAll(const SourceRequest& request, s3::S3Client& source, FileCollector& files,
                  std::stop_token stop) {
  Status kept = Ok();
  Status listed = source.ForEachObject(
      request.bucket, request.prefix,
      [&](const s3::ObjectSummary& object) {
        if (IsFolderMarker(object)) return true;
        kept = files.Add(FoundFile::Of(object, FoundFile::Kind::kData));
        return static_cast<bool>(kept);
      },
      std::move(stop));
  const std::string uri = s3::S3Uri{request.bucket, s3::ObjectKey(request.prefix)}.str();
  if (!listed) return listed.error().With("listing " + uri);
  if (kept && files.files() == 0) return Refuse("there are no files under " + uri);
  return kept;
}

}  // namespace tsm::batchload
