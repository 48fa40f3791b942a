// The small files that hold tokens: read anew each time they are needed, for other programs renew
// them, and replaced as a whole, so that no other program ever reads half a file.
#pragma once

#include <cstddef>
#include <string>

#include "tsm/core/result.h"

namespace tsm::aws {

// The whole file. kNotFound: there is none; kLocalIo: no regular file, more than `limit` bytes, not
// readable. The text names the file and never what it holds.
Result<std::string> ReadSecretFile(const std::string& path, std::size_t limit);

// Readable by its owner alone (mode 0600); on disk before it takes the old one's place. kLocalIo
// names the file; the old one is then as it was.
Status ReplaceSecretFile(const std::string& path, const std::string& text);

}  // namespace tsm::aws
