// Text on its way into a gzip member (zlib inside). For one thread.
// https://www.rfc-editor.org/rfc/rfc1952
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace ts_local {

class GzipStream {
 public:
  GzipStream();
  ~GzipStream();
  GzipStream(const GzipStream&) = delete;
  GzipStream& operator=(const GzipStream&) = delete;

  // What of the member has become ready by this text: often nothing, since zlib gathers.
  std::string Add(std::string_view text);
  // The rest of the member. Call once, last.
  std::string Finish();

  std::uint64_t size() const { return size_; }  // bytes handed out so far

 private:
  std::string Deflate(std::string_view text, int flush);

  struct State;
  std::unique_ptr<State> state_;
  std::uint64_t size_ = 0;
};

}  // namespace ts_local
