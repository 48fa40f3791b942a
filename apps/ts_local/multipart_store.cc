#include "ts_local/multipart_store.h"

#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <mutex>
#include <tuple>

#include "ts_local/api_error.h"
#include "ts_local/digest.h"
#include "ts_local/sqlite_handle.h"

namespace ts_local {
namespace {

constexpr char kSchema[] = R"sql(
  CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key TEXT NOT NULL, content_type TEXT NOT NULL,
    encryption TEXT NOT NULL, initiated_ms INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS metadata (
    upload TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (upload, name)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS parts (
    upload TEXT NOT NULL, number INTEGER NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
    modified_ms INTEGER NOT NULL, file TEXT NOT NULL, PRIMARY KEY (upload, number)
  ) WITHOUT ROWID;
)sql";

constexpr char kUploadColumns[] =
    "SELECT id, bucket, key, content_type, encryption, initiated_ms FROM uploads ";

std::int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Upload ReadUpload(const Statement& row) {
  Upload upload;
  upload.id = row.Text(0);
  upload.bucket = row.Text(1);
  upload.key = row.Text(2);
  upload.attributes.content_type = row.Text(3);
  std::tie(upload.attributes.encryption, upload.attributes.kms_key) = UnpackEncryption(row.Text(4));
  upload.initiated_ms = row.Int(5);
  return upload;
}

}  // namespace

struct MultipartStore::Impl {
  explicit Impl(const std::string& store_dir)
      : dir((std::filesystem::create_directories(store_dir), std::filesystem::absolute(store_dir))),
        files(dir),
        db(dir + "/index.sqlite") {
    db.Exec(kSchema);
  }

  std::string dir;
  ObjectFiles files;
  mutable std::mutex mutex;  // guards db
  mutable Connection db;
};

MultipartStore::MultipartStore(const std::string& dir)
    : impl_(std::make_unique<Impl>(dir + "/s3/multipart")) {}
MultipartStore::~MultipartStore() = default;

Upload MultipartStore::Create(const std::string& bucket, const std::string& key,
                              const ObjectAttributes& attributes) {
  Upload upload{RandomHex(64), bucket, key, attributes, NowMs()};
  const std::string encryption = PackEncryption(attributes.encryption, attributes.kms_key);
  const std::lock_guard lock(impl_->mutex);
  Transaction transaction(impl_->db);
  Statement(impl_->db, "INSERT INTO uploads VALUES (?, ?, ?, ?, ?, ?)")
      .Bind(1, upload.id)
      .Bind(2, bucket)
      .Bind(3, key)
      .Bind(4, attributes.content_type)
      .Bind(5, encryption)
      .Bind(6, upload.initiated_ms)
      .Run();
  Statement metadata(impl_->db, "INSERT INTO metadata VALUES (?, ?, ?)");
  for (const auto& [name, value] : attributes.metadata) {
    metadata.Bind(1, upload.id).Bind(2, name).Bind(3, value).Run();
  }
  transaction.Commit();
  return upload;
}

Upload MultipartStore::Get(const std::string& bucket, const std::string& key,
                           const std::string& id) const {
  const std::lock_guard lock(impl_->mutex);
  Statement find(impl_->db,
                 std::string(kUploadColumns) + "WHERE id = ? AND bucket = ? AND key = ?");
  if (!find.Bind(1, id).Bind(2, bucket).Bind(3, key).Step()) {
    throw ApiError(404, "NoSuchUpload",
                   "The specified upload does not exist. The upload ID may be invalid, or the "
                   "upload may have been aborted or completed.");
  }
  Upload upload = ReadUpload(find);
  Statement metadata(impl_->db, "SELECT name, value FROM metadata WHERE upload = ?");
  metadata.Bind(1, id);
  while (metadata.Step()) {
    upload.attributes.metadata.emplace(metadata.Text(0), metadata.Text(1));
  }
  return upload;
}

std::unique_ptr<PendingFile> MultipartStore::NewFile() const { return impl_->files.New(); }

Part MultipartStore::AddPart(const Upload& upload, int number, PendingFile& file) {
  Part part;
  part.number = number;
  part.size = file.size();
  part.etag = file.Md5Hex();
  part.modified_ms = NowMs();
  part.file = file.Keep();
  const std::string relative = part.file.substr(impl_->dir.size() + 1);
  std::string replaced;
  {
    const std::lock_guard lock(impl_->mutex);
    Statement old(impl_->db, "SELECT file FROM parts WHERE upload = ? AND number = ?");
    if (old.Bind(1, upload.id).Bind(2, number).Step()) replaced = old.Text(0);
    old.Reset();
    Statement(impl_->db, "INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?, ?)")
        .Bind(1, upload.id)
        .Bind(2, number)
        .Bind(3, static_cast<std::int64_t>(part.size))
        .Bind(4, part.etag)
        .Bind(5, part.modified_ms)
        .Bind(6, relative)
        .Run();
  }
  if (!replaced.empty()) ::unlink((impl_->dir + "/" + replaced).c_str());
  return part;
}

std::vector<Part> MultipartStore::Parts(const Upload& upload, int after, std::size_t limit) const {
  const std::lock_guard lock(impl_->mutex);
  Statement list(impl_->db,
                 "SELECT number, size, etag, modified_ms, file FROM parts "
                 "WHERE upload = ? AND number > ? ORDER BY number LIMIT ?");
  list.Bind(1, upload.id).Bind(2, after).Bind(3, static_cast<std::int64_t>(limit));
  std::vector<Part> out;
  while (list.Step()) {
    out.push_back({static_cast<int>(list.Int(0)), static_cast<std::uint64_t>(list.Int(1)),
                   std::string(list.Text(2)), list.Int(3),
                   impl_->dir + "/" + std::string(list.Text(4))});
  }
  return out;
}

std::vector<Upload> MultipartStore::List(const std::string& bucket, const std::string& prefix,
                                         const std::string& after_key, const std::string& after_id,
                                         std::size_t limit) const {
  const std::lock_guard lock(impl_->mutex);
  Statement list(impl_->db, std::string(kUploadColumns) +
                                "WHERE bucket = ? AND substr(CAST(key AS BLOB), 1, ?) = ? "
                                "AND (key > ? OR (key = ? AND id > ?)) ORDER BY key, id LIMIT ?");
  list.Bind(1, bucket).Bind(2, static_cast<std::int64_t>(prefix.size())).BindBlob(3, prefix);
  list.Bind(4, after_key).Bind(5, after_key).Bind(6, after_id);
  list.Bind(7, static_cast<std::int64_t>(limit));
  std::vector<Upload> out;
  while (list.Step()) out.push_back(ReadUpload(list));
  return out;
}

void MultipartStore::Remove(const Upload& upload) {
  const std::vector<Part> parts = Parts(upload, 0, SIZE_MAX >> 1U);
  {
    const std::lock_guard lock(impl_->mutex);
    Transaction transaction(impl_->db);
    Statement(impl_->db, "DELETE FROM uploads WHERE id = ?").Bind(1, upload.id).Run();
    Statement(impl_->db, "DELETE FROM metadata WHERE upload = ?").Bind(1, upload.id).Run();
    Statement(impl_->db, "DELETE FROM parts WHERE upload = ?").Bind(1, upload.id).Run();
    transaction.Commit();
  }
  for (const Part& part : parts) ::unlink(part.file.c_str());
}

}  // namespace ts_local
