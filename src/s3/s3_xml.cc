#include "s3_xml.h"

#include <array>
#include <optional>
#include <pugixml.hpp>

#include "tsm/aws/service_errors.h"
#include "tsm/core/text.h"

namespace tsm::s3 {
namespace {

std::string_view LocalName(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  const std::size_t colon = name.rfind(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

pugi::xml_node Child(const pugi::xml_node& parent, std::string_view name) {
  return parent.find_child([name](const pugi::xml_node& node) { return LocalName(node) == name; });
}

std::string Text(const pugi::xml_node& parent, std::string_view name) {
  return Child(parent, name).text().get();
}

Error BadReply(const std::string& what) { return MakeError(ErrorKind::kBadReply, what); }

// Loads `body` and finds the root that was promised. Blanks are kept: a key may be one.
Result<pugi::xml_node> Root(pugi::xml_document& document, std::string_view body,
                            std::string_view promised) {
  const pugi::xml_parse_result parsed = document.load_buffer(
      body.data(), body.size(), pugi::parse_default | pugi::parse_ws_pcdata_single);
  const pugi::xml_node root = document.document_element();
  if (!parsed || !root) {
    return BadReply("the reply is no XML document (" + std::to_string(body.size()) +
                    " bytes): " + OneLine(body, 120));
  }
  if (LocalName(root) != promised) {
    return BadReply("the reply is a <" + std::string(LocalName(root)) + "> where <" +
                    std::string(promised) + "> was expected");
  }
  return root;
}

// encoding-type=url is form encoding: '+' is a blank, a plus sign comes as %2B.
std::string DecodeKey(std::string text, bool encoded) {
  if (!encoded) return text;
  for (char& c : text) {
    if (c == '+') c = ' ';
  }
  return PercentDecode(text);
}

Result<ObjectSummary> ParseObject(const pugi::xml_node& node, bool encoded) {
  ObjectSummary object;
  object.key = ObjectKey(DecodeKey(Text(node, "Key"), encoded));
  const std::optional<std::int64_t> size = ParseInt64(Text(node, "Size"));
  if (object.key.empty() || !size || *size < 0) {
    return BadReply("a listed object lacks its key or size");
  }
  object.size = static_cast<std::uint64_t>(*size);
  object.etag = StripQuotes(Text(node, "ETag"));
  object.last_modified = Text(node, "LastModified");
  return object;
}

// True or false, or kBadReply: a listing that does not say whether it is complete is none.
Result<bool> IsTruncated(const pugi::xml_node& root) {
  const std::string text = Text(root, "IsTruncated");
  if (text == "true") return true;
  if (text == "false") return false;
  return BadReply("the listing does not say whether it is complete (IsTruncated)");
}

// Line breaks and tabs go as references: raw ones a parser may change.
void AppendEscaped(std::string_view text, std::string& out) {
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&apos;";
        break;
      case '\t':
        out += "&#9;";
        break;
      case '\n':
        out += "&#10;";
        break;
      case '\r':
        out += "&#13;";
        break;
      default:
        out += c;
    }
  }
}

// Takes the first character off, or gives nothing where the text begins with none: longer forms
// than needed and surrogates are none either.
std::optional<char32_t> TakeUtf8(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  const std::size_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if ((lead >= 0x80 && lead < 0xC2) || lead > 0xF4 || text.size() < size) return std::nullopt;
  char32_t character = size == 1 ? lead : lead & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return std::nullopt;
    character = (character << 6U) | (byte(i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = character >= 0xD800 && character < 0xE000;
  if (character < kLeast.at(size) || character > 0x10FFFF || surrogate) return std::nullopt;
  text.remove_prefix(size);
  return character;
}

}  // namespace

std::string StripQuotes(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') {
    etag = etag.substr(1, etag.size() - 2);
  }
  return std::string(etag);
}

Result<ListPage> ParseListPage(std::string_view body) {
  pugi::xml_document document;
  Result<pugi::xml_node> root = Root(document, body, "ListBucketResult");
  if (!root) return std::move(root).error();
  const bool encoded = Text(*root, "EncodingType") == "url";
  ListPage page;
  for (const pugi::xml_node& node : root->children()) {
    if (LocalName(node) == "Contents") {
      Result<ObjectSummary> object = ParseObject(node, encoded);
      if (!object) return std::move(object).error();
      page.objects.push_back(*std::move(object));
    } else if (LocalName(node) == "CommonPrefixes") {
      page.common_prefixes.emplace_back(DecodeKey(Text(node, "Prefix"), encoded));
    }
  }
  const Result<bool> truncated = IsTruncated(*root);
  if (!truncated) return truncated.error();
  if (*truncated) {
    page.next_token = Text(*root, "NextContinuationToken");
    if (page.next_token.empty()) {
      return BadReply("the listing is truncated but carries no NextContinuationToken");
    }
  }
  return page;
}

Result<std::string> ParseETag(std::string_view body, std::string_view promised) {
  pugi::xml_document document;
  Result<pugi::xml_node> root = Root(document, body, promised);
  if (!root) return std::move(root).error();
  std::string etag = StripQuotes(Text(*root, "ETag"));
  if (etag.empty()) return BadReply("the answer carries no ETag");
  return etag;
}

Result<std::string> ParseUploadId(std::string_view body) {
  pugi::xml_document document;
  Result<pugi::xml_node> root = Root(document, body, "InitiateMultipartUploadResult");
  if (!root) return std::move(root).error();
  std::string id = Text(*root, "UploadId");
  if (id.empty()) return BadReply("the answer carries no UploadId");
  return id;
}

std::string CompleteBody(const std::vector<std::string>& etags) {
  std::string body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (std::size_t i = 0; i < etags.size(); ++i) {
    body += "<Part><PartNumber>" + std::to_string(i + 1) + "</PartNumber><ETag>&quot;";
    AppendEscaped(etags[i], body);
    body += "&quot;</ETag></Part>";
  }
  return body + "</CompleteMultipartUpload>";
}

Result<std::vector<DeleteFailure>> ParseDeleteResult(std::string_view body) {
  pugi::xml_document document;
  Result<pugi::xml_node> root = Root(document, body, "DeleteResult");
  if (!root) return std::move(root).error();
  std::vector<DeleteFailure> failures;
  for (const pugi::xml_node& node : root->children()) {
    if (LocalName(node) != "Error") continue;
    DeleteFailure failure;
    failure.key = ObjectKey(Text(node, "Key"));
    failure.code = Text(node, "Code");
    failure.message = Text(node, "Message");
    if (failure.key.empty() || failure.code.empty()) {
      return BadReply("a key that was not deleted lacks its name or the reason");
    }
    failure.kind = aws::KindOf(failure.code, /*http_status=*/200);
    failures.push_back(std::move(failure));
  }
  return failures;
}

Result<MultipartUploadPage> ParseMultipartUploadPage(std::string_view body) {
  pugi::xml_document document;
  Result<pugi::xml_node> root = Root(document, body, "ListMultipartUploadsResult");
  if (!root) return std::move(root).error();
  const bool encoded = Text(*root, "EncodingType") == "url";
  MultipartUploadPage page;
  for (const pugi::xml_node& node : root->children()) {
    if (LocalName(node) != "Upload") continue;
    MultipartUpload upload;
    upload.key = ObjectKey(DecodeKey(Text(node, "Key"), encoded));
    upload.upload_id = Text(node, "UploadId");
    upload.initiated = Text(node, "Initiated");
    if (upload.key.empty() || upload.upload_id.empty()) {
      return BadReply("a listed upload lacks its key or id");
    }
    page.uploads.push_back(std::move(upload));
  }
  const Result<bool> truncated = IsTruncated(*root);
  if (!truncated) return truncated.error();
  if (!*truncated) return page;
  page.next_key_marker = DecodeKey(Text(*root, "NextKeyMarker"), encoded);
  page.next_upload_id_marker = Text(*root, "NextUploadIdMarker");
  if (page.next_key_marker.empty()) {
    return BadReply("the listing is truncated but carries no NextKeyMarker");
  }
  return page;
}

Result<std::string> ParseLocation(std::string_view body) {
  pugi::xml_document document;
  Result<pugi::xml_node> root = Root(document, body, "LocationConstraint");
  if (!root) return std::move(root).error();
  const std::string region(TrimAscii(root->text().get()));
  if (region.empty()) return std::string("us-east-1");
  if (region == "EU") return std::string("eu-west-1");
  return region;
}

std::string DeleteBody(const std::vector<ObjectKey>& keys) {
  std::string body = "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (const ObjectKey& key : keys) {
    body += "<Object><Key>";
    AppendEscaped(key.str(), body);
    body += "</Key></Object>";
  }
  return body + "<Quiet>true</Quiet></Delete>";
}

bool FitsXml(std::string_view text) {
  while (!text.empty()) {
    const std::optional<char32_t> character = TakeUtf8(text);
    if (!character) return false;
    const bool control =
        *character < 0x20 && *character != '\t' && *character != '\n' && *character != '\r';
    if (control || *character == 0xFFFE || *character == 0xFFFF) return false;
  }
  return true;
}

std::string CreateBucketBody(std::string_view region) {
  if (region == "us-east-1") return "";
  pugi::xml_document document;
  pugi::xml_node root = document.append_child("CreateBucketConfiguration");
  root.append_attribute("xmlns") = "http://s3.amazonaws.com/doc/2006-03-01/";
  root.append_child("LocationConstraint").text() = std::string(region).c_str();
  struct Writer final : pugi::xml_writer {
    std::string text;
    void write(const void* data, std::size_t size) override {
      text.append(static_cast<const char*>(data), size);
    }
  } writer;
  document.save(writer, "", pugi::format_raw | pugi::format_no_declaration);
  return writer.text;
}

}  // namespace tsm::s3
