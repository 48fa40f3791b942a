#include "ts_local/xml_writer.h"

#include <algorithm>

namespace ts_local {
namespace {

// Control characters become references; XML 1.0 allows few of them, but S3 writes them so too, and
// clients that expect them ask for encoding-type=url.
void Escape(std::string_view text, std::string& out) {
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
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out.append("&#").append(std::to_string(int{c})).append(";");
        } else {
          out += c;
        }
    }
  }
}

}  // namespace

XmlWriter::XmlWriter(std::string root, std::string_view name_space)
    : out_("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<" + root) {
  if (!name_space.empty()) out_.append(" xmlns=\"").append(name_space).append("\"");
  out_ += '>';
  open_.push_back(std::move(root));
}

void XmlWriter::Open(std::string name) {
  out_.append("<").append(name).append(">");
  name.resize(std::min(name.size(), name.find(' ')));
  open_.push_back(std::move(name));
}

void XmlWriter::Close() {
  out_.append("</").append(open_.back()).append(">");
  open_.pop_back();
}

void XmlWriter::Text(std::string_view name, std::string_view value) {
  out_.append("<").append(name).append(">");
  Escape(value, out_);
  out_.append("</").append(name).append(">");
}

void XmlWriter::Number(std::string_view name, std::uint64_t value) {
  Text(name, std::to_string(value));
}

std::string XmlWriter::Finish() {
  while (!open_.empty()) Close();
  return std::move(out_);
}

}  // namespace ts_local
