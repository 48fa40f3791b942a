#include "ts_local/s3_request_xml.h"

#include <algorithm>
#include <pugixml.hpp>

#include "ts_local/api_error.h"

namespace ts_local {
namespace {

ApiError Malformed() {
  return {400, "MalformedXML",
          "The XML you provided was not well-formed or did not validate against our published "
          "schema"};
}

// Keys may be blank or begin with blanks, so blank text is kept and nothing is trimmed.
void Load(pugi::xml_document& document, std::string_view body, const char* root) {
  const auto result =
      document.load_buffer(body.data(), body.size(),
                           pugi::parse_default | pugi::parse_ws_pcdata_single, pugi::encoding_utf8);
  if (!result || std::string_view(document.document_element().name()) != root) throw Malformed();
}

// XML 1.0 has no way to write these, not even as a reference; the parser would let them pass.
bool HoldsControlCharacter(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r';
  });
}

// The key of an <Object>; conditions and versions must not be passed over.
std::string ReadObjectKey(const pugi::xml_node& object) {
  for (const pugi::xml_node child : object.children()) {
    const std::string_view name = child.name();
    if (name.empty() || name == "Key") continue;  // text between elements
    if (name == "VersionId" && std::string_view(child.child_value()) == "null") continue;
    throw ApiError(
        501, "NotImplemented",
        "A header or query you provided implies functionality that is not implemented: " +
            std::string(name) + " in DeleteObjects");
  }
  std::string key = object.child_value("Key");
  if (key.empty() || HoldsControlCharacter(key)) throw Malformed();
  return key;
}

}  // namespace

std::string ReadLocationConstraint(std::string_view body) {
  if (body.empty()) return "";
  pugi::xml_document document;
  Load(document, body, "CreateBucketConfiguration");
  return document.document_element().child_value("LocationConstraint");
}

std::vector<CompletedPart> ReadCompletedParts(std::string_view body) {
  pugi::xml_document document;
  Load(document, body, "CompleteMultipartUpload");
  std::vector<CompletedPart> parts;
  for (const pugi::xml_node part : document.document_element().children("Part")) {
    CompletedPart read;
    read.number = part.child("PartNumber").text().as_int();
    read.etag = part.child_value("ETag");
    if (read.etag.size() >= 2 && read.etag.front() == '"' && read.etag.back() == '"') {
      read.etag = read.etag.substr(1, read.etag.size() - 2);
    }
    if (read.number <= 0 || read.etag.empty()) throw Malformed();
    parts.push_back(std::move(read));
  }
  if (parts.empty()) throw Malformed();
  return parts;
}

DeleteRequest ReadDelete(std::string_view body) {
  pugi::xml_document document;
  Load(document, body, "Delete");
  DeleteRequest request;
  request.quiet = document.document_element().child("Quiet").text().as_bool();
  for (const pugi::xml_node object : document.document_element().children("Object")) {
    request.keys.push_back(ReadObjectKey(object));
  }
  if (request.keys.empty() || request.keys.size() > 1000) throw Malformed();
  return request;
}

void CheckRoot(std::string_view body, const char* root) {
  pugi::xml_document document;
  Load(document, body, root);
}

}  // namespace ts_local
