#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "child_process.h"
#include "credentials_json.h"
#include "shell_words.h"
#include "tsm/aws/credentials/sources.h"
#include "tsm/core/text.h"
#include "tsm/core/time_text.h"

namespace tsm::aws {

namespace {

// The lines of what it complained with as one of at most 300 bytes: how they begin and, for a
// traceback says there what went wrong, how they end.
std::string Complaint(std::string_view text) {
  std::vector<std::string> lines;
  for (const std::string_view line : Split(text, '\n')) {
    const std::string_view trimmed = TrimAscii(line);
    if (!trimmed.empty()) lines.emplace_back(OneLine(trimmed));
  }
  std::string whole = Join(lines, " / ");
  constexpr std::size_t kBegin = 110;
  constexpr std::size_t kEnd = 190;
  if (whole.size() <= kBegin + kEnd) return whole;
  std::size_t end = whole.size() - kEnd;
  while ((static_cast<unsigned char>(whole[end]) & 0xC0U) == 0x80U) ++end;  // inside a character
  return OneLine(whole, kBegin) + whole.substr(end);
}

std::string HowItEnded(const ChildOutput& output) {
  std::string text = output.signal != 0
                         ? "was ended by signal " + std::to_string(output.signal)
                         : "failed with exit status " + std::to_string(output.exit_status);
  const std::string complaint = Complaint(output.err);
  return complaint.empty() ? text + " and said nothing on stderr" : text + ": " + complaint;
}

// "" or what is wrong with the document's version.
std::string WrongVersion(std::string_view body) {
  const auto document = nlohmann::json::parse(body, nullptr, false);
  if (!document.is_object()) return {};  // said by who reads the rest
  const auto version = document.find("Version");
  if (version == document.end()) return "in the answer Version is missing (1 is the known one)";
  if (version->is_number() && *version == 1) return {};
  return "in the answer Version is not 1, the only one that is known";
}

}  // namespace

Result<Credentials> ProcessSource::Fetch(std::stop_token stop) {
  const std::string source = "credential_process of profile " + plan_.profile;
  const auto words = ShellWords(plan_.command);
  if (!words) return words.error().With(source);
  if (words->empty() || words->front().empty()) {
    return MakeError(ErrorKind::kConfiguration, source + " names no command");
  }
  const auto output = RunChild(*words, {}, std::move(stop));
  if (!output) return output.error().With(source);
  if (output->exit_status != 0 || output->signal != 0) {
    return MakeError(ErrorKind::kCredentials, source + " " + HowItEnded(*output));
  }
  if (const std::string wrong = WrongVersion(output->out); !wrong.empty()) {
    return MakeError(ErrorKind::kCredentials, source + ": " + wrong);
  }
  auto credentials = ParseCredentialsJson(output->out, kProcessFields, source);
  if (credentials && credentials->expiration && *credentials->expiration <= clock_.Now()) {
    return MakeError(ErrorKind::kExpiredCredentials,
                     source + " gave credentials that had expired at " +
                         FormatIso8601(*credentials->expiration) +
                         "; sign in anew with the tool that it calls");
  }
  if (credentials && credentials->account_id.empty()) credentials->account_id = plan_.account_id;
  return credentials;
}

}  // namespace tsm::aws
