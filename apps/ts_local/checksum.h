// The checksums that S3 clients send beside a body (x-amz-checksum-*), recomputed and compared.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace ts_local {

// Names as in the headers "x-amz-checksum-<name>".
inline constexpr std::array<std::string_view, 5> kChecksumNames = {"crc32", "crc32c", "crc64nvme",
                                                                   "sha1", "sha256"};

// The checksum in the header's form: base64 of the big-endian bytes. `name` is one of
// kChecksumNames.
std::string Checksum(std::string_view name, std::string_view bytes);

}  // namespace ts_local
