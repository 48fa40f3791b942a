#include "common/console.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "common/hints.h"
#include "common/progress_text.h"
#include "tsm/core/text.h"

namespace tsm::apps {

namespace {

constexpr std::chrono::seconds kPlainEveryVerbose{5};
constexpr std::chrono::milliseconds kRedrawEvery{100};
constexpr std::size_t kDefaultColumns = 80;

const Clock& MachineClock() {
  static const SystemClock clock;
  return clock;
}

ConsoleOptions OptionsFor(bool talkative, Output output) {
  ConsoleOptions options;
  options.output = output;
  options.redraw = isatty(fileno(stderr)) != 0;
  if (talkative) options.plain_every = kPlainEveryVerbose;
  return options;
}

std::size_t ColumnsOf(std::FILE* stream) {
  winsize size = {};
  if (ioctl(fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col < 2) return kDefaultColumns;
  return size.ws_col;
}

spdlog::level::level_enum LevelOf(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return spdlog::level::info;
    case Severity::kWarning:
      return spdlog::level::warn;
    case Severity::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// The mutex of Impl guards the sink, so the sink needs none of its own.
using StreamSink = spdlog::sinks::stdout_sink_base<spdlog::details::console_nullmutex>;

}  // namespace

struct Console::Impl {
  explicit Impl(const ConsoleOptions& console_options)
      : options(console_options),
        clock(options.clock != nullptr ? *options.clock : MachineClock()),
        logger("tsm", std::make_shared<StreamSink>(options.err)) {
    logger.set_pattern("%H:%M:%S %l %v", spdlog::pattern_time_type::utc);
    logger.flush_on(spdlog::level::trace);
  }

  void Log(spdlog::level::level_enum level, const std::string& text) {
    Clear();
    // As an argument, never as the format: texts hold braces (JSON, SQL). In one line: a key or a
    // service's message with a line end or an escape in it must not look like a line of ours.
    constexpr std::size_t kLongest = 300'000;  // an SQL statement may have 256 KiB
    logger.log(level, "{}", OneLine(text, kLongest));
  }

  // Takes the progress line off the terminal; the next event draws it again.
  void Clear() {
    if (!drawn) return;
    std::fputs("\r\x1b[K", options.err);
    std::fflush(options.err);
    drawn = false;
  }

  void Draw(const std::string& text) {
    const std::string line = "\r" + CutToColumns(text, ColumnsOf(options.err) - 1) + "\x1b[K";
    std::fputs(line.c_str(), options.err);
    std::fflush(options.err);
    drawn = true;
  }

  // The last event of a phase is always shown, in a line that stays.
  void EndPhase() {
    if (!pending) return;
    const std::string text = *pending;
    pending.reset();
    Log(spdlog::level::info, text);
  }

  void Show(const Progress& progress) {
    if (progress.phase != phase) {
      EndPhase();
      phase = std::string(progress.phase);
      next_line.reset();
    }
    const std::string text = ProgressText(progress);
    const auto now = clock.Steady();
    const bool finished = progress.total > 0 && progress.done >= progress.total;
    const bool due = !next_line || now >= *next_line;
    if (text == last_line) return;
    if (!due && !finished) {
      pending = text;
      return;
    }
    if (options.redraw && !finished) {
      pending = text;
      Draw(text);
      next_line = now + kRedrawEvery;
      return;
    }
    pending.reset();
    last_line = text;
    Log(spdlog::level::info, text);
    next_line = now + options.plain_every;
  }

  // Text to stdout and on to its reader. A stdout that does not take it is said once and then left
  // alone.
  void Write(const std::string& text) {
    if (!taken) return;
    errno = 0;
    taken = std::fwrite(text.data(), 1, text.size(), options.out) == text.size();
    taken = std::fflush(options.out) == 0 && taken;
    if (!taken) Refused(errno);
  }

  void Refused(int reason) {
    const char* const what = options.output == Output::kJson ? "events" : "results";
    Log(spdlog::level::err,
        "stdout did not take the " + std::string(what) + ": " + std::strerror(reason));
  }

  const ConsoleOptions options;
  const Clock& clock;
  std::mutex mutex;
  spdlog::logger logger;
  std::vector<std::string> results;
  bool taken = true;  // by stdout, all that was written to it
  std::string phase;
  std::string last_line;               // of the progress lines that stayed
  std::optional<std::string> pending;  // newest progress text that has no line of its own yet
  std::optional<std::chrono::steady_clock::time_point> next_line;
  bool drawn = false;
};

Console::Console(bool talkative, Output output) : Console(OptionsFor(talkative, output)) {}
Console::Console(const ConsoleOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Console::~Console() = default;

void Console::OnNotice(const Notice& notice) {
  const std::lock_guard lock(impl_->mutex);
  impl_->Log(LevelOf(notice.severity), notice.text);
}

void Console::OnProgress(const Progress& progress) {
  const std::lock_guard lock(impl_->mutex);
  impl_->Show(progress);
}

void Console::Fail(const Error& error) {
  const std::lock_guard lock(impl_->mutex);
  impl_->EndPhase();
  impl_->Log(spdlog::level::err, error.Text());
  const std::string hint = HintOf(error);
  if (!hint.empty()) impl_->Log(spdlog::level::info, "hint: " + hint);
}

void Console::Print(const std::string& line) {
  const std::lock_guard lock(impl_->mutex);
  impl_->results.push_back(line);
}

void Console::PrintNow(const std::string& line) {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->options.output != Output::kJson) return;
  impl_->Clear();
  impl_->Write(line + "\n");
}

ExitCode Console::Finish(ExitCode code) {
  const std::lock_guard lock(impl_->mutex);
  impl_->EndPhase();
  impl_->Clear();
  if (impl_->options.output == Output::kJson) {
    for (const std::string& line : impl_->results) impl_->Log(spdlog::level::info, line);
  } else {
    std::string text;
    for (const std::string& line : impl_->results) text += line + "\n";
    impl_->Write(text);
  }
  // Some file systems report a full disk only here.
  if (std::fclose(impl_->options.out) != 0 && std::exchange(impl_->taken, false)) {
    impl_->Refused(errno);
  }
  return code == ExitCode::kDone && !impl_->taken ? ExitCode::kEnvironment : code;
}

}  // namespace tsm::apps
