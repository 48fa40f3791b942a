#include "ts_local/aws_chunked.h"

#include <charconv>

#include "ts_local/api_error.h"
#include "ts_local/digest.h"

namespace ts_local {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

[[noreturn]] void Broken(const char* what) {
  throw ApiError(400, "IncompleteBody",
                 std::string("The request body terminated unexpectedly: ") + what);
}

[[noreturn]] void Forged(const char* what) {
  throw ApiError(403, "SignatureDoesNotMatch",
                 std::string("The request signature we calculated does not match the signature you "
                             "provided (") +
                     what + "). Check your key and signing method.");
}

std::string_view TakeLine(std::string_view& rest, const char* what) {
  const std::size_t end = rest.find(kLineEnd);
  if (end == std::string_view::npos) Broken(what);
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + kLineEnd.size());
  return line;
}

// "<hex size>[;chunk-signature=<hex>]"
struct ChunkHead {
  std::size_t size = 0;
  std::string_view signature;
};

ChunkHead ParseChunkHead(std::string_view line) {
  constexpr std::string_view kMark = ";chunk-signature=";
  ChunkHead head;
  const std::size_t mark = line.find(';');
  const std::string_view size = line.substr(0, mark);
  const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), head.size, 16);
  if (error != std::errc() || end != size.data() + size.size()) Broken("a chunk has no size");
  if (mark != std::string_view::npos && line.substr(mark).starts_with(kMark)) {
    head.signature = line.substr(mark + kMark.size());
  }
  return head;
}

std::string ChunkSignature(const ChunkSigning& signing, const std::string& previous,
                           std::string_view bytes) {
  const std::string text = "AWS4-HMAC-SHA256-PAYLOAD\n" + signing.date + "\n" + signing.scope +
                           "\n" + previous + "\n" + HexEncode(Sha256("")) + "\n" +
                           HexEncode(Sha256(bytes));
  return HexEncode(HmacSha256(signing.signing_key, text));
}

std::string TrailerSignature(const ChunkSigning& signing, const std::string& previous,
                             const UnchunkedBody& body) {
  std::string canonical;
  for (const auto& [name, value] : body.trailers) {
    canonical.append(name).append(":").append(value).append("\n");
  }
  const std::string text = "AWS4-HMAC-SHA256-TRAILER\n" + signing.date + "\n" + signing.scope +
                           "\n" + previous + "\n" + HexEncode(Sha256(canonical));
  return HexEncode(HmacSha256(signing.signing_key, text));
}

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string_view Trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// Reads "name:value" lines to the end; returns the trailer's own signature, "" where there is none.
std::string ReadTrailer(std::string_view rest, UnchunkedBody& body) {
  std::string signature;
  while (!rest.empty()) {
    const std::size_t end = rest.find(kLineEnd);
    const std::string_view line = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + kLineEnd.size());
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;  // the empty line at the end
    std::string name = Lower(Trim(line.substr(0, colon)));
    const std::string_view value = Trim(line.substr(colon + 1));
    if (name == "x-amz-trailer-signature") {
      signature = value;
    } else {
      body.trailers.emplace_back(std::move(name), value);
    }
  }
  return signature;
}

}  // namespace

UnchunkedBody DecodeAwsChunked(std::string_view framed, const ChunkSigning* signing,
                               bool with_trailer) {
  UnchunkedBody body;
  body.bytes.reserve(framed.size());
  std::string previous = signing == nullptr ? "" : signing->seed;
  std::string_view rest = framed;
  while (true) {
    const ChunkHead head = ParseChunkHead(TakeLine(rest, "a chunk's head is missing"));
    if (rest.size() < head.size) Broken("a chunk is shorter than its size");
    const std::string_view bytes = rest.substr(0, head.size);
    if (signing != nullptr) {
      const std::string expected = ChunkSignature(*signing, previous, bytes);
      if (!EqualConstantTime(expected, head.signature)) Forged("chunk");
      previous = expected;
    }
    rest.remove_prefix(head.size);
    if (head.size == 0) break;
    body.bytes.append(bytes);
    if (!TakeLine(rest, "a chunk has no end").empty()) Broken("a chunk is longer than its size");
  }
  if (!with_trailer) return body;
  const std::string signature = ReadTrailer(rest, body);
  if (body.trailers.empty()) Broken("the trailer is missing");
  if (signing != nullptr &&
      !EqualConstantTime(TrailerSignature(*signing, previous, body), signature)) {
    Forged("trailer");
  }
  return body;
}

}  // namespace ts_local
