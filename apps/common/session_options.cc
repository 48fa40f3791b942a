#include "common/session_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>

#include "tsm/core/nearest_name.h"
#include "tsm/core/text.h"

namespace tsm::apps {

namespace {

// True where all of it was taken; a full disk shows only when the stream is closed.
bool WriteAll(std::FILE* stream, const std::string& text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stream) == text.size();
  return (std::fflush(stream) == 0) && written;
}

// The message of a CLI11 error may span lines; an operator gets one.
std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

constexpr std::size_t kHelpColumns = 100;
constexpr std::size_t kFlagColumns = 30;  // CLI11's own width of the left column

// CLI11 indents what follows a line break, but breaks no lines itself.
std::string Wrap(const std::string& text, std::size_t columns) {
  std::string wrapped;
  std::size_t column = 0;
  for (const std::string_view line : Split(text, '\n')) {
    if (!wrapped.empty()) wrapped += '\n';
    column = 0;
    for (const std::string_view word : Split(line, ' ')) {
      if (column > 0 && column + 1 + word.size() > columns) {
        wrapped += '\n';
        column = 0;
      }
      if (column > 0) wrapped += ' ';
      wrapped += word;
      column += word.size() + (column > 0 ? 1 : 0);
    }
  }
  return wrapped;
}

void WrapHelp(CLI::App& app) {
  app.description(Wrap(app.get_description(), kHelpColumns));
  app.footer(Wrap(app.get_footer(), kHelpColumns));
  for (CLI::Option* option : app.get_options()) {
    option->description(Wrap(option->get_description(), kHelpColumns - kFlagColumns));
  }
}

// A script that adds a flag to a list of defaults means its own, the later one: argparse, which the
// original scripts use, takes it so. Switches (--copy_s3_bucket, -v) take no value and stay as they
// are.
void LastValueWins(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    if (option->get_items_expected_max() == 1) {
      option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    }
  }
}

void AddEndpointFlags(CLI::App& app, aws::EndpointFlags& endpoints, const std::string& group) {
  app.add_option(Flag("endpoint_url"), endpoints.all,
                 "One endpoint for every service but SSO, such as http://127.0.0.1:4566. Default: "
                 "AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the profile's services section and "
                 "endpoint_url, then AWS's public endpoints. A configured endpoint of Timestream "
                 "is used as it is; without one the account's cell is discovered.")
      ->group(group)
      ->type_name("URL");
  app.add_option(Flag("query_endpoint"), endpoints.query,
                 "The endpoint of Timestream Query alone, for instance a VPC endpoint's.")
      ->group(group)
      ->type_name("URL");
  app.add_option(Flag("ingest_endpoint"), endpoints.ingest,
                 "The endpoint of Timestream Write alone.")
      ->group(group)
      ->type_name("URL");
  app.add_option(Flag("s3_endpoint"), endpoints.s3, "The endpoint of S3 alone.")
      ->group(group)
      ->type_name("URL");
}

// What an argument that is no flag may have been meant as, or "".
std::string MeantAs(const std::string& word, const std::vector<std::string>& commands,
                    const std::string& program) {
  const std::string likely = LikelyName(commands, word);
  if (likely.empty()) return "";
  const std::string usage = program + " " + likely;
  if (likely != word) return "; did you mean " + usage + "?";
  return "; " + word + " is a command and goes before all flags: " + usage;
}

// What the first unknown argument may be a misspelling of, or where it belongs, or "".
std::string DidYouMean(const CLI::App& app, const std::vector<std::string>& commands) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  for (const std::string& extra : app.remaining()) {
    if (!extra.starts_with("--")) {
      std::string meant = MeantAs(extra, commands, app.get_name());
      if (!meant.empty()) return meant;
      continue;
    }
    const std::string likely = LikelyName(names, extra.substr(0, extra.find('=')));
    return likely.empty() ? "" : "; did you mean " + likely + "?";
  }
  return "";
}

}  // namespace

std::string Flag(const std::string& snake_case, const std::string& short_form) {
  std::string flag = short_form.empty() ? "" : "-" + short_form + ",";
  flag += "--" + snake_case;
  std::string dashes = snake_case;
  std::replace(dashes.begin(), dashes.end(), '_', '-');
  if (dashes != snake_case) flag += ",--" + dashes;
  return flag;
}

void AddSessionFlags(CLI::App& app, SessionOptions& options, bool short_region) {
  const std::string group = "Where AWS is and who asks";
  aws::ClientFlags& client = options.client;
  app.add_option(Flag("region", short_region ? "r" : ""), client.region,
                 "The AWS region of the table. Default: AWS_REGION, AWS_DEFAULT_REGION, then the "
                 "profile's region.")
      ->group(group)
      ->type_name("REGION");
  app.add_option("--profile", client.profile,
                 "The profile of ~/.aws/config and ~/.aws/credentials to use (keys, role, SSO, "
                 "process); it then goes before the keys of the environment. Default: AWS_PROFILE, "
                 "then \"default\".")
      ->group(group)
      ->type_name("NAME");
  AddEndpointFlags(app, client.endpoints, group);
  app.add_option(Flag("ca_bundle"), client.ca_bundle,
                 "The certificate authorities to trust, a PEM file. Default: AWS_CA_BUNDLE, the "
                 "profile's ca_bundle, then the system's.")
      ->group(group)
      ->type_name("FILE");
  app.add_flag(Flag("no_verify_ssl"), client.no_verify_ssl,
               "Takes any certificate: whoever sits on the line can then read and change what is "
               "sent. A warning says so.")
      ->group(group);
  app.add_flag("-v,--verbose", options.verbosity,
               "Tells each request with its answer and time (never a secret), and the progress "
               "every 5 seconds where it is not a terminal that shows it, instead of every 30.")
      ->group(group);
  app.add_flag("--debug", options.debug,
               "As -v, with the headers of each request and answer that carry no secret.")
      ->group(group);
}

std::optional<ExitCode> ParseFlags(CLI::App& app, int argc, const char* const* argv,
                                   const std::vector<std::string>& commands) {
  WrapHelp(app);
  LastValueWins(app);
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::CallForHelp&) {
    if (WriteAll(stdout, app.help())) return ExitCode::kDone;
  } catch (const CLI::CallForVersion&) {
    if (WriteAll(stdout, app.version() + "\n")) return ExitCode::kDone;
  } catch (const CLI::ParseError& error) {
    const bool unknown = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
    const std::string line = app.get_name() + ": error: " + FirstLine(error.what()) +
                             (unknown ? DidYouMean(app, commands) : "") + " (" + app.get_name() +
                             " --help lists the flags)\n";
    WriteAll(stderr, line);
    return ExitCode::kUsage;
  }
  const std::string reason = std::strerror(errno);
  WriteAll(stderr, app.get_name() + ": error: stdout did not take the text: " + reason + "\n");
  return ExitCode::kEnvironment;
}

}  // namespace tsm::apps
