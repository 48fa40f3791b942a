#include "tsm/aws/service_errors.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>
#include <string>
#include <utility>

#include "tsm/core/text.h"

namespace tsm::aws {

namespace {

struct CodeKind {
  std::string_view code;
  ErrorKind kind;
};

// AWS's codes and what they mean to the caller. Throttling and transient codes are those of the
// SDKs' retry specification
// (https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html); the others come
// from the services' own error pages.
constexpr auto kCodes = std::to_array<CodeKind>({
    {"Throttling", ErrorKind::kThrottled},
    {"ThrottlingException", ErrorKind::kThrottled},
    {"ThrottledException", ErrorKind::kThrottled},
    {"Throttled", ErrorKind::kThrottled},
    {"RequestThrottledException", ErrorKind::kThrottled},
    {"RequestThrottled", ErrorKind::kThrottled},
    {"TooManyRequestsException", ErrorKind::kThrottled},
    {"ProvisionedThroughputExceededException", ErrorKind::kThrottled},
    {"TransactionInProgressException", ErrorKind::kThrottled},
    {"RequestLimitExceeded", ErrorKind::kThrottled},
    {"BandwidthLimitExceeded", ErrorKind::kThrottled},
    {"LimitExceededException", ErrorKind::kThrottled},
    {"SlowDown", ErrorKind::kThrottled},
    {"PriorRequestNotComplete", ErrorKind::kThrottled},
    {"EC2ThrottledException", ErrorKind::kThrottled},
    {"KMSThrottling", ErrorKind::kThrottled},

    {"RequestTimeout", ErrorKind::kTransient},
    {"RequestTimeoutException", ErrorKind::kTransient},
    {"InternalError", ErrorKind::kTransient},
    {"InternalFailure", ErrorKind::kTransient},
    {"InternalServerError", ErrorKind::kTransient},
    {"InternalServerException", ErrorKind::kTransient},
    {"ServiceUnavailable", ErrorKind::kTransient},
    {"ServiceUnavailableException", ErrorKind::kTransient},
    {"IDPCommunicationError", ErrorKind::kTransient},
    {"OperationAborted", ErrorKind::kTransient},
    {"ConditionalRequestConflict", ErrorKind::kTransient},

    {"InvalidAccessKeyId", ErrorKind::kCredentials},
    {"InvalidClientTokenId", ErrorKind::kCredentials},
    {"UnrecognizedClientException", ErrorKind::kCredentials},
    {"AuthFailure", ErrorKind::kCredentials},
    {"SignatureDoesNotMatch", ErrorKind::kCredentials},
    {"InvalidSignatureException", ErrorKind::kCredentials},
    {"IncompleteSignature", ErrorKind::kCredentials},
    {"IncompleteSignatureException", ErrorKind::kCredentials},
    {"MissingAuthenticationToken", ErrorKind::kCredentials},
    {"MissingAuthenticationTokenException", ErrorKind::kCredentials},
    {"InvalidToken", ErrorKind::kCredentials},
    {"InvalidSecurity", ErrorKind::kCredentials},
    {"ExpiredToken", ErrorKind::kExpiredCredentials},
    {"ExpiredTokenException", ErrorKind::kExpiredCredentials},
    {"TokenRefreshRequired", ErrorKind::kExpiredCredentials},
    {"RequestTimeTooSkewed", ErrorKind::kClockSkew},
    {"RequestExpired", ErrorKind::kClockSkew},
    {"RequestInTheFuture", ErrorKind::kClockSkew},

    {"AuthorizationError", ErrorKind::kAccessDenied},
    {"AuthorizationErrorException", ErrorKind::kAccessDenied},
    {"NotAuthorized", ErrorKind::kAccessDenied},
    {"UnauthorizedOperation", ErrorKind::kAccessDenied},
    {"UnauthorizedAccess", ErrorKind::kAccessDenied},
    {"AllAccessDisabled", ErrorKind::kAccessDenied},
    {"AccountProblem", ErrorKind::kAccessDenied},
    {"OptInRequired", ErrorKind::kAccessDenied},

    {"ResourceNotFoundException", ErrorKind::kNotFound},
    {"NotFound", ErrorKind::kNotFound},
    {"NotFoundException", ErrorKind::kNotFound},

    {"ConflictException", ErrorKind::kAlreadyExists},
    {"BucketAlreadyOwnedByYou", ErrorKind::kAlreadyExists},
    {"BucketAlreadyExists", ErrorKind::kAlreadyExists},
    {"PreconditionFailed", ErrorKind::kAlreadyExists},

    {"ServiceQuotaExceededException", ErrorKind::kQuotaExceeded},
    {"TooManyBuckets", ErrorKind::kQuotaExceeded},

    {"PermanentRedirect", ErrorKind::kWrongRegion},
    {"TemporaryRedirect", ErrorKind::kWrongRegion},
    {"Redirect", ErrorKind::kWrongRegion},
    {"AuthorizationHeaderMalformed", ErrorKind::kWrongRegion},
    {"IllegalLocationConstraintException", ErrorKind::kWrongRegion},
    {"InvalidEndpointException", ErrorKind::kWrongEndpoint},

    {"QueryExecutionException", ErrorKind::kQueryFailed},

    {"ValidationException", ErrorKind::kValidation},
    {"RejectedRecordsException", ErrorKind::kValidation},
    {"SerializationException", ErrorKind::kValidation},
    {"InvalidParameter", ErrorKind::kValidation},
    {"InvalidParameterException", ErrorKind::kValidation},
    {"InvalidParameterValue", ErrorKind::kValidation},
    {"XAmzContentSHA256Mismatch", ErrorKind::kValidation},
});

ErrorKind KindOfStatus(int status) {
  switch (status) {
    case 301:
    case 302:
    case 307:
    case 308:
      return ErrorKind::kWrongRegion;
    case 401:
    case 403:
      return ErrorKind::kAccessDenied;
    case 404:
      return ErrorKind::kNotFound;
    case 408:
    case 500:
    case 502:
    case 503:
    case 504:
      return ErrorKind::kTransient;
    case 412:
      return ErrorKind::kAlreadyExists;
    case 421:
      return ErrorKind::kWrongEndpoint;
    case 429:
      return ErrorKind::kThrottled;
    case 400:
    case 411:
    case 413:
    case 416:
      return ErrorKind::kValidation;
    default:
      return ErrorKind::kService;
  }
}

// What an error document says, whatever its shape.
struct Document {
  std::string code;
  std::string oauth_code;  // "invalid_grant"; SSO's and sign-in's token calls have it beside AWS's
  std::string message;
  std::string request_id;
  std::string region;
};

// "com.amazonaws.timestream#ThrottlingException:http://..." -> "ThrottlingException".
std::string BareCode(std::string_view code) {
  if (const std::size_t hash = code.rfind('#'); hash != std::string_view::npos) {
    code.remove_prefix(hash + 1);
  }
  return std::string(TrimAscii(code.substr(0, code.find(':'))));
}

std::string TextOf(const nlohmann::json& object, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const auto found = object.find(name);
    if (found != object.end() && found->is_string()) return found->get<std::string>();
  }
  return {};
}

// WriteRecords says per record why; the first few are what a person needs.
std::string RejectedRecords(const nlohmann::json& object) {
  const auto found = object.find("RejectedRecords");
  if (found == object.end() || !found->is_array()) return {};
  constexpr std::size_t kShown = 3;
  std::string text;
  for (std::size_t i = 0; i < std::min(kShown, found->size()); ++i) {
    const nlohmann::json& record = (*found)[i];
    if (!record.is_object()) continue;
    const auto index = record.find("RecordIndex");
    text += "; record " + (index != record.end() ? index->dump() : std::string("?")) + ": " +
            TextOf(record, {"Reason"});
  }
  if (found->size() > kShown) {
    text += "; and " + std::to_string(found->size() - kShown) + " more";
  }
  return text;
}

bool ReadJson(std::string_view body, Document& document) {
  const auto object = nlohmann::json::parse(body, nullptr, false);
  if (!object.is_object()) return false;
  document.code = BareCode(TextOf(object, {"__type", "code", "Code"}));
  document.oauth_code = TextOf(object, {"error"});
  document.message = TextOf(object, {"message", "Message", "errorMessage", "error_description"}) +
                     RejectedRecords(object);
  return true;
}

pugi::xml_node ErrorNode(const pugi::xml_document& xml) {
  const pugi::xml_node root = xml.document_element();
  if (std::string_view(root.name()) == "Error") return root;
  if (const pugi::xml_node error = root.child("Error")) return error;
  return root.child("Errors").child("Error");
}

bool ReadXml(std::string_view body, Document& document) {
  pugi::xml_document xml;
  if (!xml.load_buffer(body.data(), body.size())) return false;
  const pugi::xml_node error = ErrorNode(xml);
  if (!error) return false;
  document.code = BareCode(error.child_value("Code"));
  document.message = error.child_value("Message");
  document.region = error.child_value("Region");
  document.request_id = error.child_value("RequestId");
  if (document.request_id.empty()) {
    const pugi::xml_node root = xml.document_element();
    document.request_id = root.child_value("RequestId");
    if (document.request_id.empty()) document.request_id = root.child_value("RequestID");
  }
  return true;
}

// "the region 'us-east-1' is wrong; expecting 'eu-west-1'" -> "eu-west-1": S3 says so in the
// message beside <Region>, servers like it in the message alone.
std::string ExpectedRegion(std::string_view message) {
  constexpr std::string_view kBefore = "expecting '";
  const std::size_t start = message.find(kBefore);
  if (start == std::string_view::npos) return {};
  message.remove_prefix(start + kBefore.size());
  return std::string(message.substr(0, message.find('\'')));
}

// What a body that is no error document (a proxy's page) says of itself.
std::string ForeignBody(std::string_view body) {
  constexpr std::string_view kTitle = "<title>";
  const std::string lower = ToLowerAscii(body);
  if (const std::size_t start = lower.find(kTitle); start != std::string::npos) {
    const std::size_t end = lower.find("</title>", start);
    if (end != std::string::npos) {
      const std::size_t first = start + kTitle.size();
      return OneLine(TrimAscii(body.substr(first, end - first)), 200);
    }
  }
  return OneLine(TrimAscii(body), 200);
}

std::string_view ProtocolName(Protocol protocol) {
  return protocol == Protocol::kJson ? "JSON" : "XML";
}

// HEAD answers have no body: the status is all there is.
std::string MessageOfStatus(ErrorKind kind, const std::string& region) {
  switch (kind) {
    case ErrorKind::kWrongRegion:
      return region.empty() ? "lives in another region" : "lives in region " + region;
    case ErrorKind::kAccessDenied:
      return "access denied";
    case ErrorKind::kNotFound:
      return "not found";
    default:
      return "refused without a reason";
  }
}

std::string_view RequestIdHeader(const http::Headers& headers) {
  for (const std::string_view name : {"x-amzn-requestid", "x-amz-request-id"}) {
    const std::string_view value = http::FindHeader(headers, name);
    if (!value.empty()) return value;
  }
  return {};
}

// The root's name of a document that is whole by its ends: its last tag closes its first. Told
// without a tree, for a listing's page has thousands of nodes; "" where a parser must tell.
std::string_view PlainRoot(std::string_view body) {
  if (body.starts_with("<?")) {
    const std::size_t end = body.find("?>");
    if (end == std::string_view::npos) return {};
    body = TrimAscii(body.substr(end + 2));
  }
  const std::size_t end = body.find_first_of(" \t\r\n/>");
  if (!body.starts_with('<') || end == std::string_view::npos) return {};
  const std::string_view name = body.substr(1, end - 1);
  const std::string closing = "</" + std::string(name) + ">";
  return !name.empty() && body.ends_with(closing) ? name : std::string_view();
}

}  // namespace

ErrorKind KindOf(std::string_view code, int http_status) {
  const auto known = std::find_if(kCodes.begin(), kCodes.end(),
                                  [&](const CodeKind& entry) { return entry.code == code; });
  if (known != kCodes.end()) return known->kind;
  if (code.starts_with("AccessDenied")) return ErrorKind::kAccessDenied;
  if (code.starts_with("NoSuch")) return ErrorKind::kNotFound;
  return KindOfStatus(http_status);
}

Error ParseServiceError(Protocol protocol, const http::Response& response) {
  Document document;
  const std::string_view body = TrimAscii(response.body);
  // The body's own shape decides, for the protocol's promise is often broken: a JSON service behind
  // an emulator or a gateway answers in XML or HTML.
  const bool read = body.starts_with('{') ? ReadJson(body, document)
                                          : body.starts_with('<') && ReadXml(body, document);
  if (document.code.empty()) {
    document.code = BareCode(http::FindHeader(response.headers, "x-amzn-errortype"));
  }
  if (document.code.empty()) document.code = document.oauth_code;
  if (const auto region = http::FindHeader(response.headers, "x-amz-bucket-region");
      !region.empty()) {
    document.region = region;
  }

  if (document.code == "AuthorizationHeaderMalformed" && document.region.empty()) {
    document.region = ExpectedRegion(document.message);
  }

  Error error;
  error.http_status = response.status;
  // Whatever answered: both stand in messages, which are of one line.
  constexpr std::size_t kLongestName = 100;
  error.code = OneLine(document.code, kLongestName);
  error.kind = KindOf(error.code, response.status);
  error.region_hint = document.region;
  if (error.code.empty() && response.status == 400 && !document.region.empty()) {
    error.kind = ErrorKind::kWrongRegion;  // HeadBucket's and HeadObject's way to say it
  }
  if (error.code == "AuthorizationHeaderMalformed" && document.region.empty()) {
    error.kind = ErrorKind::kCredentials;  // the key id in it, not the region, is at fault
  }
  if (error.kind != ErrorKind::kWrongRegion) error.region_hint.clear();
  error.request_id = OneLine(document.request_id.empty() ? RequestIdHeader(response.headers)
                                                         : std::string_view(document.request_id),
                             kLongestName);
  if (!document.message.empty()) {
    // A signature mismatch quotes the whole canonical request, session token included, below its
    // first line.
    const bool first_line_only = error.kind == ErrorKind::kCredentials;
    const std::string_view message = document.message;
    error.message =
        OneLine(TrimAscii(first_line_only ? message.substr(0, message.find('\n')) : message));
  } else if (!read && !body.empty()) {
    error.message = "the answer is no " + std::string(ProtocolName(protocol)) +
                    " error document: " + ForeignBody(body);
  } else if (error.code.empty()) {
    error.message = MessageOfStatus(error.kind, error.region_hint);
  }
  return error;
}

bool HidesError(const http::Response& response) {
  const std::string_view body = TrimAscii(response.body);
  if (const std::string_view root = PlainRoot(body); !root.empty()) return root == "Error";
  pugi::xml_document xml;
  if (body.empty() || !xml.load_buffer(body.data(), body.size())) return true;
  return std::string_view(xml.document_element().name()) == "Error";
}

}  // namespace tsm::aws
