// Writes the small XML documents of the S3 and query protocols. Not thread-safe; one document each.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ts_local {

class XmlWriter {
 public:
  // `name_space` is the root's xmlns, "" for none.
  explicit XmlWriter(std::string root, std::string_view name_space = "");
  void Open(std::string name);  // may carry attributes: "Grantee a=\"b\""
  void Close();
  void Text(std::string_view name, std::string_view value);
  void Number(std::string_view name, std::uint64_t value);
  void Flag(std::string_view name, bool value) { Text(name, value ? "true" : "false"); }
  std::string Finish();  // closes whatever is open

 private:
  std::string out_;
  std::vector<std::string> open_;
};

inline constexpr std::string_view kS3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/";

}  // namespace ts_local
