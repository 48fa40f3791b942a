#include "ts_local/request_head.h"

#include <algorithm>

#include "ts_local/url_codec.h"

namespace ts_local {
namespace {

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string_view Trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Takes the next line off `text`, without its line end.
std::string_view NextLine(std::string_view& text) {
  const std::size_t end = text.find("\r\n");
  const std::string_view line = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 2);
  return line;
}

bool ReadRequestLine(std::string_view line, Request& request) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return false;
  if (line.substr(last + 1, 7) != "HTTP/1.") return false;
  request.method = line.substr(0, first);
  std::string_view target = line.substr(first + 1, last - first - 1);
  // Absolute form ("GET http://host/path"), as a client behind a proxy writes it.
  if (target.starts_with("http://")) {
    const std::size_t slash = target.find('/', 7);
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  if (target.empty() || target.front() != '/') return false;
  request.raw_target = target;
  const std::size_t mark = target.find('?');
  request.path = PercentDecode(target.substr(0, mark));
  if (mark != std::string_view::npos) request.query = ParseQuery(target.substr(mark + 1));
  return true;
}

}  // namespace

std::optional<Request> ParseRequestHead(std::string_view head) {
  Request request;
  if (!ReadRequestLine(NextLine(head), request)) return std::nullopt;
  auto last = request.headers.end();
  while (!head.empty()) {
    const std::string_view line = NextLine(head);
    if (line.empty()) break;
    if ((line.front() == ' ' || line.front() == '\t') && last != request.headers.end()) {
      last->second += ' ';  // an old folded field goes on
      last->second += Trim(line);
      continue;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) return std::nullopt;
    last = request.headers.emplace(Lower(line.substr(0, colon)), Trim(line.substr(colon + 1)));
  }
  return request;
}

std::string LibraryHead(const Request& request) {
  std::string head = request.method + " / HTTP/1.1\r\n";
  const auto copy = [&](std::string_view name) {
    const std::string_view value = request.Header(name);
    if (!value.empty()) head.append(name).append(": ").append(value).append("\r\n");
  };
  copy("transfer-encoding");
  if (request.Header("transfer-encoding").empty()) {
    const std::string_view length = request.Header("content-length");
    head.append("content-length: ").append(length.empty() ? "0" : length).append("\r\n");
  }
  if (Lower(request.Header("expect")) == "100-continue") head += "expect: 100-continue\r\n";
  if (Lower(request.Header("connection")) == "close") head += "connection: close\r\n";
  return head + "\r\n";
}

}  // namespace ts_local
