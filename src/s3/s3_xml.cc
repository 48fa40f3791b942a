#include "s3_xml.h"

#include <pugixml.hpp>

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
  const std::string truncated = Text(*root, "IsTruncated");
  if (truncated != "true" && truncated != "false") {
    return BadReply("the listing does not say whether it is complete (IsTruncated)");
  }
  if (truncated == "true") {
    page.next_token = Text(*root, "NextContinuationToken");
    if (page.next_token.empty()) {
      return BadReply("the listing is truncated but carries no NextContinuationToken");
    }
  }
  return page;
}

Result<CopyResult> ParseCopyResult(std::string_view body) {
  pugi::xml_document document;
  Result<pugi::xml_node> root = Root(document, body, "CopyObjectResult");
  if (!root) return std::move(root).error();
  CopyResult result;
  result.etag = StripQuotes(Text(*root, "ETag"));
  if (result.etag.empty()) return BadReply("the copy's answer carries no ETag");
  return result;
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
