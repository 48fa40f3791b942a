// The flags that both programs share: where AWS is and who asks.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/exit_code.h"
#include "tsm/aws/settings.h"

namespace CLI {
class App;
}

namespace tsm::apps {

struct SessionOptions {
  aws::ClientFlags client;
  // ts-batchload's other side, of the bucket that is read from: its region, and whose credentials
  // read it, "" where they are those that write.
  std::string source_region;
  std::string source_profile;
  std::string source_role_arn;
  int verbosity = 0;   // -v: requests and answers are told, progress more often
  bool debug = false;  // --debug: their harmless headers too

  bool tells_requests() const { return debug || verbosity > 0; }
};

// "--s3_uri" with the spelling of dashes beside it, short form first where given:
// Flag("s3_uri", "s") -> "-s,--s3_uri,--s3-uri".
std::string Flag(const std::string& snake_case, const std::string& short_form = "");

void AddSessionFlags(CLI::App& app, SessionOptions& options, bool short_region);

// Reads argv into what the app's flags are bound to. Nothing where the program shall go on; else
// the code to end with: --help or --version were printed to stdout (kDone), or one line on stderr
// says which flag is wrong (kUsage).
// `commands`: the words that go before all flags where the app is the whole program, so that one
// that stands elsewhere or is misspelled is told as what it is.
std::optional<ExitCode> ParseFlags(CLI::App& app, int argc, const char* const* argv,
                                   const std::vector<std::string>& commands = {});

// A program's commands beside its main job, each with its word: the first argument is one of them,
// or belongs to the main job.
template <typename Command>
class CommandWords {
 public:
  CommandWords(Command main_job, std::vector<std::pair<std::string, Command>> commands)
      : main_job_(main_job), commands_(std::move(commands)) {}
  Command Of(int argc, const char* const* argv) const {
    for (const auto& [word, command] : commands_) {
      if (argc > 1 && word == argv[1]) return command;
    }
    return main_job_;
  }
  std::vector<std::string> words() const {
    std::vector<std::string> words;
    for (const auto& [word, command] : commands_) words.push_back(word);
    return words;
  }

 private:
  Command main_job_;
  std::vector<std::pair<std::string, Command>> commands_;
};

}  // namespace tsm::apps
