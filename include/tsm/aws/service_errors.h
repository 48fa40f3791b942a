// From an error answer to an Error: the one place that reads AWS's error bodies and the one table
// from AWS's code to ErrorKind. Nobody else looks at codes' text or messages.
#pragma once

#include <string_view>

#include "tsm/core/error.h"
#include "tsm/http/message.h"

namespace tsm::aws {

enum class Protocol { kRestXml, kJson, kQueryXml };

// Kind of an AWS error code; the HTTP status decides where the code is unknown or empty.
ErrorKind KindOf(std::string_view code, int http_status);

// Reads code, message, request id and region hint. Bodies of another shape than the protocol's (a
// proxy's HTML, XML on a JSON service) give what they can; never fails, never trusts Content-Type.
Error ParseServiceError(Protocol protocol, const http::Response& response);

// S3 may answer 200 with an <Error> document (CopyObject, CompleteMultipartUpload) or nothing at
// all: true where the body of a 200 is not the promised document. Leading blanks are allowed.
bool HidesError(const http::Response& response);

}  // namespace tsm::aws
