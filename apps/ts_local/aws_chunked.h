// The aws-chunked framing that S3 clients put around an upload's bytes, taken off and verified:
// chunk sizes, chunk signatures where the body is signed, and the trailer with its signature.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and ...-trailers.html
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ts_local {

// What the chunks of a signed stream are signed with; each signature starts from the one before it.
struct ChunkSigning {
  std::string signing_key;  // raw
  std::string date;         // x-amz-date
  std::string scope;        // "<date>/<region>/s3/aws4_request"
  std::string seed;         // signature of the request, hex
};

struct UnchunkedBody {
  std::string bytes;
  std::vector<std::pair<std::string, std::string>> trailers;  // names in lower case
};

// `signing` is null for the unsigned form; `with_trailer` says that a trailer must follow.
// Throws ApiError: SignatureDoesNotMatch, or IncompleteBody where the framing is broken.
UnchunkedBody DecodeAwsChunked(std::string_view framed, const ChunkSigning* signing,
                               bool with_trailer);

}  // namespace ts_local
