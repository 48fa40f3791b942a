#include "inflate_stream.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string>

namespace tsm::copy {

namespace {

constexpr std::size_t kPiece = 128 * 1024;
// The largest window, and a gzip wrapper around it.
constexpr int kGzip = 16 + MAX_WBITS;

}  // namespace

struct InflateStream::State {
  z_stream stream = {};
  bool ready = false;
  bool between = true;  // no member has begun, or the last one is whole
  bool any = false;     // a member was whole
  std::array<char, kPiece> piece;
};

InflateStream::InflateStream() : state_(std::make_unique<State>()) {
  state_->ready = inflateInit2(&state_->stream, kGzip) == Z_OK;
}

InflateStream::~InflateStream() {
  if (state_->ready) inflateEnd(&state_->stream);
}

Status InflateStream::Feed(std::string_view in, const Out& out) {
  State& state = *state_;
  if (!state.ready) {
    return MakeError(ErrorKind::kLocalIo, "zlib could not be started: memory is out");
  }
  while (!in.empty()) {
    if (state.between && state.any && inflateReset(&state.stream) != Z_OK) {
      return MakeError(ErrorKind::kLocalIo, "zlib could not be started anew");
    }
    state.between = false;
    const std::size_t most = std::numeric_limits<uInt>::max();
    const std::string_view now = in.substr(0, most);
    // zlib reads only, but its type says otherwise.
    state.stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(now.data()));
    state.stream.avail_in = static_cast<uInt>(now.size());
    int code = Z_OK;
    do {
      state.stream.next_out = reinterpret_cast<Bytef*>(state.piece.data());
      state.stream.avail_out = static_cast<uInt>(state.piece.size());
      code = inflate(&state.stream, Z_NO_FLUSH);
      // Z_BUF_ERROR: all input is used up.
      if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
        const char* why = state.stream.msg != nullptr ? state.stream.msg : "damaged";
        return MakeError(ErrorKind::kProof, "the file is no whole gzip file (" + std::string(why) +
                                                "): was it cut off or damaged?");
      }
      const std::size_t made = state.piece.size() - state.stream.avail_out;
      if (made > 0) {
        if (Status taken = out({state.piece.data(), made}); !taken) return taken;
      }
    } while (code == Z_OK && (state.stream.avail_in > 0 || state.stream.avail_out == 0));
    in.remove_prefix(now.size() - state.stream.avail_in);
    if (code == Z_STREAM_END) {
      state.between = true;
      state.any = true;
    }
  }
  return Ok();
}

Status InflateStream::End() const {
  if (state_->between && state_->any) return Ok();
  return MakeError(ErrorKind::kProof,
                   "the gzip file ends before it is whole: was it cut off when it was written?");
}

}  // namespace tsm::copy
