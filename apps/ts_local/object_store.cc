#include "ts_local/object_store.h"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <mutex>
#include <shared_mutex>
#include <tuple>

#include "ts_local/api_error.h"
#include "ts_local/bucket_policy.h"
#include "ts_local/digest.h"
#include "ts_local/object_files.h"
#include "ts_local/sqlite_handle.h"

namespace ts_local {
namespace {

constexpr std::size_t kMaxKeyBytes = 1024;
// A replaced object's bytes stay this long, so that whoever is being sent them gets them whole.
constexpr std::int64_t kGraceMs = 60'000;

constexpr char kSchema[] = R"sql(
  CREATE TABLE IF NOT EXISTS buckets (
    name TEXT PRIMARY KEY, region TEXT NOT NULL, created_ms INTEGER NOT NULL, policy TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS objects (
    bucket TEXT NOT NULL, key TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
    modified_ms INTEGER NOT NULL, content_type TEXT NOT NULL, encryption TEXT NOT NULL,
    metadata TEXT NOT NULL, file TEXT NOT NULL, PRIMARY KEY (bucket, key)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS garbage (file TEXT PRIMARY KEY, since_ms INTEGER NOT NULL)
    WITHOUT ROWID;
)sql";

constexpr char kColumns[] =
    "SELECT key, size, etag, modified_ms, content_type, encryption, metadata, file FROM objects ";

std::int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// One "name:value" line per entry: header values hold no line breaks, names no colon.
std::string PackMetadata(const std::map<std::string, std::string>& metadata) {
  std::string out;
  for (const auto& [name, value] : metadata)
    out.append(name).append(":").append(value).append("\n");
  return out;
}

std::map<std::string, std::string> UnpackMetadata(std::string_view text) {
  std::map<std::string, std::string> out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos) out.emplace(line.substr(0, colon), line.substr(colon + 1));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return out;
}

// The first string after every string that starts with `prefix`; "" where there is none.
std::string PrefixEnd(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xFF') prefix.pop_back();
  if (!prefix.empty()) prefix.back() = static_cast<char>(prefix.back() + 1);
  return prefix;
}

ApiError NoSuchBucket() { return {404, "NoSuchBucket", "The specified bucket does not exist"}; }

Bucket ReadBucket(const Statement& row) {
  return {std::string(row.Text(0)), std::string(row.Text(1)), row.Int(2), std::string(row.Text(3))};
}

}  // namespace

struct ObjectStore::Impl {
  Impl(const std::string& store_dir, std::string account)
      : account_id(std::move(account)),
        dir((std::filesystem::create_directories(store_dir), std::filesystem::absolute(store_dir))),
        files(dir),
        db(dir + "/index.sqlite") {
    Sweep(NowMs() + kGraceMs);
    Statement all(db, "SELECT name, region, created_ms, policy FROM buckets");
    while (all.Step()) Remember(ReadBucket(all));
  }

  struct Known {
    Bucket bucket;
    std::shared_ptr<const BucketPolicy> policy;  // null where none
  };

  // Buckets are few and asked for on every call: they are kept in memory beside the table.
  void Remember(Bucket bucket) {
    std::shared_ptr<const BucketPolicy> policy;
    if (!bucket.policy.empty()) {
      policy = std::make_shared<BucketPolicy>(BucketPolicy::Parse(bucket.policy, bucket.name));
    }
    const std::unique_lock lock(buckets_mutex);
    std::string name = bucket.name;
    buckets.insert_or_assign(std::move(name), Known{std::move(bucket), std::move(policy)});
  }

  std::optional<Known> FindKnown(std::string_view name) const {
    const std::shared_lock lock(buckets_mutex);
    const auto found = buckets.find(std::string(name));
    if (found == buckets.end()) return std::nullopt;
    return found->second;
  }

  ObjectInfo ReadObject(const Statement& row) const {
    ObjectInfo info;
    info.key = row.Text(0);
    info.size = static_cast<std::uint64_t>(row.Int(1));
    info.etag = row.Text(2);
    info.modified_ms = row.Int(3);
    info.content_type = row.Text(4);
    std::tie(info.encryption, info.kms_key) = UnpackEncryption(row.Text(5));
    info.metadata = UnpackMetadata(row.Text(6));
    info.file = dir + "/" + std::string(row.Text(7));
    return info;
  }

  // Both below: `mutex` held. The bytes that an object loses go to the garbage in the same
  // transaction, so that none is ever without an owner.
  void Discard(const std::string& bucket, const std::string& key, std::int64_t now) {
    bury.Bind(1, now).Bind(2, bucket).Bind(3, key).Run();
  }

  void Sweep(std::int64_t now) {
    if (now < next_sweep_ms) return;
    next_sweep_ms = now + 10'000;
    std::vector<std::string> old;
    Statement find(db, "SELECT file FROM garbage WHERE since_ms < ?");
    find.Bind(1, now - kGraceMs + 1);
    while (find.Step()) old.emplace_back(find.Text(0));
    find.Reset();
    Statement forget(db, "DELETE FROM garbage WHERE file = ?");
    for (const std::string& file : old) {
      ::unlink((dir + "/" + file).c_str());
      forget.Bind(1, file).Run();
    }
  }

  std::string account_id;
  std::string dir;  // absolute; files are kept relative to it, so that it may be moved
  ObjectFiles files;
  mutable std::mutex mutex;  // guards everything of SQLite below
  mutable Connection db;
  // Kept prepared: these run on every request.
  struct SchemaFirst {
    explicit SchemaFirst(Connection& db) { db.Exec(kSchema); }
  } schema_first{db};
  mutable Statement find_object{db, std::string(kColumns) + "WHERE bucket = ? AND key = ?"};
  Statement insert{db, "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"};
  Statement remove{db, "DELETE FROM objects WHERE bucket = ? AND key = ?"};
  Statement bury{db,
                 "INSERT OR REPLACE INTO garbage SELECT file, ? FROM objects "
                 "WHERE bucket = ? AND key = ?"};
  std::int64_t next_sweep_ms = 0;

  mutable std::shared_mutex buckets_mutex;
  std::map<std::string, Known> buckets;
};

namespace {

class FileWriter final : public ObjectStore::Writer {
 public:
  using CommitFn = std::function<ObjectInfo(PendingFile&, const std::string&, const std::string&,
                                            const ObjectAttributes&, const std::string&)>;
  FileWriter(std::unique_ptr<PendingFile> file, CommitFn commit)
      : file_(std::move(file)), commit_(std::move(commit)) {}
  void Append(std::string_view bytes) override { file_->Append(bytes); }
  std::uint64_t size() const override { return file_->size(); }
  ObjectInfo Commit(const std::string& bucket, const std::string& key,
                    const ObjectAttributes& attributes, const std::string& etag) override {
    return commit_(*file_, bucket, key, attributes, etag);
  }

 private:
  std::unique_ptr<PendingFile> file_;
  CommitFn commit_;
};

}  // namespace

ObjectStore::ObjectStore(const std::string& dir, std::string account_id)
    : impl_(std::make_unique<Impl>(dir + "/s3", std::move(account_id))) {}
ObjectStore::~ObjectStore() = default;

std::string EtagFor(const std::string& encryption) {
  return encryption == "AES256" ? "" : RandomHex(32);
}

std::optional<Bucket> ObjectStore::FindBucket(std::string_view name) const {
  auto known = impl_->FindKnown(name);
  if (!known) return std::nullopt;
  return std::move(known->bucket);
}

Bucket ObjectStore::GetBucket(std::string_view name) const {
  auto bucket = FindBucket(name);
  if (!bucket) throw NoSuchBucket();
  return *std::move(bucket);
}

std::vector<Bucket> ObjectStore::Buckets() const {
  const std::shared_lock lock(impl_->buckets_mutex);
  std::vector<Bucket> out;
  for (const auto& [name, known] : impl_->buckets) out.push_back(known.bucket);
  return out;
}

void ObjectStore::CreateBucket(const std::string& name, const std::string& region) {
  const std::lock_guard lock(impl_->mutex);
  Bucket bucket{name, region, NowMs(), ""};
  Statement(impl_->db, "INSERT INTO buckets VALUES (?, ?, ?, '')")
      .Bind(1, name)
      .Bind(2, region)
      .Bind(3, bucket.created_ms)
      .Run();
  impl_->Remember(std::move(bucket));
}

void ObjectStore::DeleteBucket(const std::string& name) {
  (void)GetBucket(name);
  const std::lock_guard lock(impl_->mutex);
  Statement any(impl_->db, "SELECT 1 FROM objects WHERE bucket = ? LIMIT 1");
  if (any.Bind(1, name).Step()) {
    throw ApiError(409, "BucketNotEmpty", "The bucket you tried to delete is not empty");
  }
  Statement(impl_->db, "DELETE FROM buckets WHERE name = ?").Bind(1, name).Run();
  const std::unique_lock buckets_lock(impl_->buckets_mutex);
  impl_->buckets.erase(name);
}

void ObjectStore::SetPolicy(const std::string& bucket, const std::string& json) {
  Bucket changed = GetBucket(bucket);
  changed.policy = json;
  if (!json.empty()) (void)BucketPolicy::Parse(json, bucket);
  const std::lock_guard lock(impl_->mutex);
  Statement(impl_->db, "UPDATE buckets SET policy = ? WHERE name = ?")
      .Bind(1, json)
      .Bind(2, bucket)
      .Run();
  impl_->Remember(std::move(changed));
}

std::unique_ptr<ObjectStore::Writer> ObjectStore::NewWriter() {
  return std::make_unique<FileWriter>(
      impl_->files.New(),
      [impl = impl_.get()](PendingFile& file, const std::string& bucket, const std::string& key,
                           const ObjectAttributes& attributes, const std::string& etag) {
        if (key.size() > kMaxKeyBytes) {
          throw ApiError(400, "KeyTooLongError", "Your key is too long");
        }
        if (!impl->FindKnown(bucket)) throw NoSuchBucket();
        ObjectInfo info;
        info.key = key;
        info.size = file.size();
        info.etag = etag.empty() ? file.Md5Hex() : etag;
        info.modified_ms = NowMs();
        info.content_type = attributes.content_type;
        info.encryption = attributes.encryption;
        info.kms_key = attributes.kms_key;
        info.metadata = attributes.metadata;
        info.file = file.Keep();
        const std::string relative = info.file.substr(impl->dir.size() + 1);
        const std::string metadata = PackMetadata(info.metadata);
        const std::string encryption = PackEncryption(info.encryption, info.kms_key);

        const std::lock_guard lock(impl->mutex);
        if (!impl->FindKnown(bucket)) {  // deleted while the bytes were moved
          ::unlink(info.file.c_str());
          throw NoSuchBucket();
        }
        Transaction transaction(impl->db);
        impl->Discard(bucket, key, info.modified_ms);
        impl->insert.Bind(1, bucket).Bind(2, key).Bind(3, static_cast<std::int64_t>(info.size));
        impl->insert.Bind(4, info.etag).Bind(5, info.modified_ms).Bind(6, info.content_type);
        impl->insert.Bind(7, encryption).Bind(8, metadata).Bind(9, relative).Run();
        transaction.Commit();
        impl->Sweep(info.modified_ms);
        return info;
      });
}

ObjectInfo ObjectStore::Put(const std::string& bucket, const std::string& key,
                            std::string_view bytes, const ObjectAttributes& attributes) {
  const auto writer = NewWriter();
  writer->Append(bytes);
  return writer->Commit(bucket, key, attributes);
}

std::optional<ObjectInfo> ObjectStore::Find(const std::string& bucket,
                                            const std::string& key) const {
  const std::lock_guard lock(impl_->mutex);
  std::optional<ObjectInfo> out;
  impl_->find_object.Bind(1, bucket).Bind(2, key);
  if (impl_->find_object.Step()) out = impl_->ReadObject(impl_->find_object);
  impl_->find_object.Reset();
  return out;
}

ObjectInfo ObjectStore::Get(const std::string& bucket, const std::string& key) const {
  auto found = Find(bucket, key);
  if (!found) {
    (void)GetBucket(bucket);
    throw ApiError(404, "NoSuchKey", "The specified key does not exist.");
  }
  return *std::move(found);
}

std::string ObjectStore::Read(const ObjectInfo& object) const {
  std::string out;
  out.reserve(object.size);
  ForEachPiece(object.file, 0, object.size, [&](std::string_view piece) { out.append(piece); });
  return out;
}

bool ObjectStore::Delete(const std::string& bucket, const std::string& key) {
  const std::lock_guard lock(impl_->mutex);
  const std::int64_t now = NowMs();
  Transaction transaction(impl_->db);
  impl_->Discard(bucket, key, now);
  impl_->remove.Bind(1, bucket).Bind(2, key).Run();
  const bool existed = impl_->db.Changes() > 0;
  transaction.Commit();
  impl_->Sweep(now);
  return existed;
}

std::vector<ObjectInfo> ObjectStore::List(const std::string& bucket, const std::string& prefix,
                                          const std::string& after, std::size_t limit) const {
  // Two bounds, both of the primary key: SQLite walks just the rows that are wanted.
  const std::string end = PrefixEnd(prefix);
  const bool from_prefix = after < prefix;
  std::string sql = kColumns;
  sql += from_prefix ? "WHERE bucket = ? AND key >= ? " : "WHERE bucket = ? AND key > ? ";
  sql += end.empty() ? "AND ? = '' " : "AND key < ? ";
  sql += "ORDER BY key LIMIT ?";
  const std::lock_guard lock(impl_->mutex);
  Statement list(impl_->db, sql);
  list.Bind(1, bucket).Bind(2, from_prefix ? prefix : after).Bind(3, end);
  list.Bind(4, static_cast<std::int64_t>(limit));
  std::vector<ObjectInfo> out;
  while (list.Step()) out.push_back(impl_->ReadObject(list));
  return out;
}

bool ObjectStore::Allowed(const std::string& bucket, const std::string& action,
                          const std::string& key, const std::string& arn) const {
  const auto known = impl_->FindKnown(bucket);
  if (!known || !known->policy) return true;
  const std::string resource = "arn:aws:s3:::" + bucket + (key.empty() ? "" : "/" + key);
  return !known->policy->Denies(impl_->account_id, action, resource, arn);
}

const std::string& ObjectStore::account_id() const { return impl_->account_id; }

}  // namespace ts_local
