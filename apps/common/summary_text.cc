#include "common/summary_text.h"

#include <algorithm>

#include "tsm/core/text.h"

namespace tsm::apps {

std::string Line(const std::string& label, const std::string& text) {
  constexpr std::size_t kWidth = 10;
  std::string line = label;
  line.resize(std::max(kWidth, label.size() + 1), ' ');
  return line + text;
}

std::string Counted(std::uint64_t count, const std::string& noun) {
  return WithThousands(count) + " " + noun + (count == 1 ? "" : "s");
}

void AddFlag(const std::string& flag, const std::string& value, std::vector<std::string>& words) {
  if (value.empty()) return;
  words.push_back(flag);
  words.push_back(value);
}

void AddClientFlags(const SessionOptions& session, std::vector<std::string>& words) {
  const aws::ClientFlags& client = session.client;
  AddFlag("--profile", client.profile, words);
  AddFlag("--endpoint_url", client.endpoints.all, words);
  AddFlag("--query_endpoint", client.endpoints.query, words);
  AddFlag("--ingest_endpoint", client.endpoints.ingest, words);
  AddFlag("--s3_endpoint", client.endpoints.s3, words);
  AddFlag("--ca_bundle", client.ca_bundle, words);
  if (client.no_verify_ssl) words.emplace_back("--no_verify_ssl");
}

}  // namespace tsm::apps
