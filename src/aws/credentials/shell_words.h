// The words of a command line, as a POSIX shell would split and unquote them, without anything else
// that a shell does: no variables, no '~', no globs, no pipes. Pure.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tsm/core/result.h"

namespace tsm::aws {

// The same words that Python's shlex.split gives, and so AWS's own tools: '…' keeps all as it is,
// "…" knows \" and \\, elsewhere a backslash takes the next character as it is. kConfiguration: a
// quote that is not closed, a backslash with nothing behind it; the text is not quoted, for an
// argument may be a secret.
Result<std::vector<std::string>> ShellWords(std::string_view text);

}  // namespace tsm::aws
