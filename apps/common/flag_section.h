// Sections of a program's help, and the flags that both programs' run commands share. Included by
// the files that define flags and by no others: CLI11 takes seconds to compile.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/session_options.h"

namespace tsm::apps {

template <typename Value>
struct IsOptional : std::false_type {};
template <typename Value>
struct IsOptional<std::optional<Value>> : std::true_type {};

class Section {
 public:
  Section(CLI::App& app, std::string title) : app_(app), title_(std::move(title)) {}

  template <typename Value>
  CLI::Option* Text(const std::string& names, Value& value, const std::string& type,
                    const std::string& help) {
    CLI::Option* option = app_.add_option(names, value, help)->group(title_)->type_name(type);
    if constexpr (std::is_arithmetic_v<Value> || IsOptional<Value>::value) {
      // CLI11 reads an empty value as 0, and as none: a script's unset variable would go unnoticed.
      option->check(CLI::Validator(
          [](const std::string& given) {
            return given.empty() ? std::string("the value is empty") : std::string();
          },
          ""));
    }
    return option;
  }

  // May be given several times, with one value each.
  void List(const std::string& names, std::vector<std::string>& values, const std::string& type,
            const std::string& help) {
    Text(names, values, type, help)->allow_extra_args(false);
  }

  void Switch(const std::string& names, bool& value, const std::string& help) {
    app_.add_flag(names, value, help)->group(title_);
  }

 private:
  CLI::App& app_;
  std::string title_;
};

inline void AddStateDir(Section& section, std::string& state_dir) {
  section.Text(Flag("state_dir"), state_dir, "DIR",
               "Where runs keep their journals on this machine. Default: "
               "$XDG_STATE_HOME/ts-migration, else ~/.local/state/ts-migration.");
}

inline void AddJsonFlag(CLI::App& app, bool& json, const std::string& what) {
  Section(app, "What it tells")
      .Switch("--json", json, "Prints " + what + " as JSON to stdout, one document a line.");
}

inline void AddRun(CLI::App& app, std::string& run) {
  app.add_option("RUN", run,
                 "The run: its id, a beginning of one that no other run has, or \"last\" for the "
                 "latest.")
      ->required()
      ->type_name("ID|last");
}

}  // namespace tsm::apps
