#include "ts_local/gzip_stream.h"

#include <zlib.h>

#include <array>
#include <stdexcept>

namespace ts_local {
namespace {

constexpr int kGzipWindow = 15 + 16;  // the largest window, and gzip's frame instead of zlib's
constexpr int kMemoryLevel = 8;       // zlib's default: about 256 KB for an open file

}  // namespace

struct GzipStream::State {
  z_stream stream{};
};

GzipStream::GzipStream() : state_(std::make_unique<State>()) {
  if (::deflateInit2(&state_->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, kMemoryLevel,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("zlib has no memory for another file");
  }
}

GzipStream::~GzipStream() { ::deflateEnd(&state_->stream); }

std::string GzipStream::Add(std::string_view text) {
  return text.empty() ? std::string() : Deflate(text, Z_NO_FLUSH);
}

std::string GzipStream::Finish() { return Deflate({}, Z_FINISH); }

// `text` stays well below the 4 GB that avail_in can count: the writer hands over 64 KB at a time.
std::string GzipStream::Deflate(std::string_view text, int flush) {
  z_stream& stream = state_->stream;
  std::string bytes(text);  // zlib's interface takes no const
  stream.next_in = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  std::array<char, 16 * 1024> chunk{};
  do {
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = static_cast<uInt>(chunk.size());
    ::deflate(&stream, flush);
    out.append(chunk.data(), chunk.size() - stream.avail_out);
  } while (stream.avail_out == 0);
  size_ += out.size();
  return out;
}

}  // namespace ts_local
