#include "ts_local/storage.h"

namespace ts_local {

void PutWhole(Storage& storage, const StoragePlace& place, const std::string& key,
              std::string_view bytes, const StoredAs& as) {
  const auto upload = storage.StartUpload(place, key, as);
  upload->Append(bytes);
  upload->Commit();
}

std::string ReadWhole(const Storage& storage, const StoragePlace& place,
                      const StoredObject& object) {
  const auto download = storage.StartDownload(place, object);
  std::string out(object.size, '\0');
  std::size_t done = 0;
  while (done < out.size()) {
    const std::size_t count = download->Read(out.data() + done, out.size() - done);
    if (count == 0) throw ApiError(500, "InternalError", object.key + " is shorter than it was");
    done += count;
  }
  return out;
}

ApiError AsTimestream(const ApiError& of_s3) {
  const std::string message = of_s3.code() + ": " + of_s3.what();
  if (of_s3.status() == 401 || of_s3.status() == 403) {
    return {400, "AccessDeniedException", message};
  }
  if (of_s3.status() < 500) return {400, "ValidationException", message};
  return {500, "InternalServerException", message};
}

}  // namespace ts_local
