// gzip to plain bytes, piece by piece: any number of members one after another, as gzip itself
// reads them. Constant memory. Not thread-safe. The one place that knows zlib.
// https://www.rfc-editor.org/rfc/rfc1952
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "tsm/core/result.h"

namespace tsm::copy {

class InflateStream {
 public:
  using Out = std::function<Status(std::string_view bytes)>;

  InflateStream();
  ~InflateStream();
  InflateStream(const InflateStream&) = delete;
  InflateStream& operator=(const InflateStream&) = delete;

  // Gives what `in` makes in pieces; an error of `out` ends it. kProof where `in` is no gzip or
  // damaged (its checksum counts), kLocalIo where memory is out.
  Status Feed(std::string_view in, const Out& out);
  // kProof where the last member is not whole.
  Status End() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tsm::copy
