#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <thread>

#include "../../src/aws/credentials/child_process.h"
#include "aws/credentials/scratch_files.h"
#include "support/fake_clock.h"
#include "tsm/aws/credentials/sources.h"

namespace tsm::aws {
namespace {

using std::chrono::milliseconds;

constexpr const char* kSource = "credential_process of profile dev";

std::string Document(const std::string& members) {
  return R"({"Version":1,"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"abc")" + members + "}";
}

// Scripts of a test's own and what the source makes of them.
struct Bench {
  Result<Credentials> Run(const std::string& command, std::stop_token stop = {}) {
    ProcessSource source({.profile = "dev", .command = command}, clock);
    return source.Fetch(std::move(stop));
  }
  Result<Credentials> RunScript(const std::string& body) { return Run(files.Script("get", body)); }
  std::string Failure(const std::string& body, ErrorKind kind) {
    const auto failed = RunScript(body);
    if (failed) return "it worked";
    EXPECT_EQ(failed.error().kind, kind);
    return failed.error().Text();
  }

  test::FakeClock clock;
  test::ScratchFiles files;
};

bool HasChildren() {
  int status = 0;
  return ::waitpid(-1, &status, WNOHANG) != -1 || errno != ECHILD;
}

std::size_t OpenFiles() {
  const std::filesystem::directory_iterator files("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

TEST(ProcessSourceTest, ReadsWhatTheCommandPrints) {
  Bench bench;
  bench.files.Write("out", Document(R"(,"SessionToken":"FQoG","Expiration":"2024-02-26T18:24:38Z",
                                       "AccountId":"123456789012")"));
  const auto credentials = bench.Run("cat '" + bench.files.Path("out") + "'");  // from PATH
  ASSERT_TRUE(credentials) << credentials.error().Text();
  EXPECT_EQ(credentials->access_key_id, "ASIAEXAMPLE");
  EXPECT_EQ(credentials->session_token, "FQoG");
  EXPECT_EQ(credentials->expiration, bench.clock.Now() + std::chrono::hours(1));
  EXPECT_EQ(credentials->account_id, "123456789012");
  EXPECT_EQ(credentials->source, kSource);

  bench.files.Write("out", Document(""));
  const auto lasting = bench.Run("cat '" + bench.files.Path("out") + "'");
  ASSERT_TRUE(lasting) << lasting.error().Text();
  EXPECT_EQ(lasting->session_token, "");
  EXPECT_FALSE(lasting->expiration);
}

TEST(ProcessSourceTest, HandsTheWordsOnWithoutAShell) {
  Bench bench;
  bench.files.Write("out", Document(""));
  const std::string script = bench.files.Script(
      "print args", "for a; do echo \"<$a>\"; done > \"$0.args\"; cat \"${0%/*}/out\"");
  ASSERT_TRUE(bench.Run("\"" + script + "\" 'a b' $HOME ~ \\\"c \"\" * ';' x=$(y)"));
  EXPECT_EQ(bench.files.Read("print args.args"),
            "<a b>\n<$HOME>\n<~>\n<\"c>\n<>\n<*>\n<;>\n<x=$(y)>\n");
}

TEST(ProcessSourceTest, ACommandThatCannotRunIsAConfigurationError) {
  Bench bench;
  struct Case {
    std::string command;
    std::string text;
  };
  const std::string plain = bench.files.Write("plain", "x");
  const std::vector<Case> cases = {
      {"", " names no command"},
      {"  ", " names no command"},
      {"''", " names no command"},
      {"get 'secret", ": nothing closes the quote at character 5 of the command"},
      {"/no/such/program secret", ": '/no/such/program' can't be run: No such file or directory"},
      {"no-such-program-anywhere",
       ": 'no-such-program-anywhere' can't be run: No such file or "
       "directory"},
      {plain + " secret", ": '" + plain + "' can't be run: Permission denied"},
  };
  for (const Case& c : cases) {
    const auto failed = bench.Run(c.command);
    ASSERT_FALSE(failed) << c.command;
    EXPECT_EQ(failed.error().kind, ErrorKind::kConfiguration) << c.command;
    EXPECT_EQ(failed.error().Text(), kSource + c.text);
  }
}

TEST(ProcessSourceTest, AFailureShowsWhatItComplainedOf) {
  Bench bench;
  const std::string at = kSource;
  EXPECT_EQ(
      bench.Failure("echo secret; echo 'token expired' >&2; echo >&2; printf ' run\\tx \\n' >&2; "
                    "exit 3",
                    ErrorKind::kCredentials),
      at + " failed with exit status 3: token expired / run\\tx");
  EXPECT_EQ(bench.Failure("echo '" + Document("") + "'; exit 1", ErrorKind::kCredentials),
            at + " failed with exit status 1 and said nothing on stderr");
  EXPECT_EQ(bench.Failure("kill -9 $$", ErrorKind::kCredentials),
            at + " was ended by signal 9 and said nothing on stderr");
  // A long one is cut in its middle.
  const std::string cut = bench.Failure(
      "echo Traceback >&2; for i in 1 2 3 4 5 6 7 8 9; do printf '%060dü\\n' $i >&2; done; "
      "echo 'TokenError: expired' >&2; exit 1",
      ErrorKind::kCredentials);
  const std::string before = at + " failed with exit status 1: Traceback / 000";
  EXPECT_EQ(cut.substr(0, before.size()), before);
  EXPECT_NE(cut.find("…"), std::string::npos) << cut;
  EXPECT_TRUE(cut.ends_with("9ü / TokenError: expired")) << cut;
  EXPECT_LE(cut.size(), at.size() + std::string(" failed with exit status 1: ").size() + 300);
}

TEST(ProcessSourceTest, ADocumentThatIsWrongIsNamedAndNotQuoted) {
  Bench bench;
  const std::string at = std::string(kSource) + ": ";
  struct Case {
    std::string output;
    std::string text;
  };
  const std::vector<Case> cases = {
      {"", "the answer is no JSON document"},
      {"secret", "the answer is no JSON document"},
      {"[]", "the answer is no JSON object"},
      {R"({"AccessKeyId":"secret","SecretAccessKey":"secret"})",
       "in the answer Version is missing (1 is the known one)"},
      {R"({"Version":2,"AccessKeyId":"secret","SecretAccessKey":"secret"})",
       "in the answer Version is not 1, the only one that is known"},
      {R"({"Version":"1","AccessKeyId":"secret","SecretAccessKey":"secret"})",
       "in the answer Version is not 1, the only one that is known"},
      {R"({"Version":1,"AccessKeyId":"secret"})", "in the answer SecretAccessKey is missing"},
      {R"({"Version":1,"SecretAccessKey":"secret"})", "in the answer AccessKeyId is missing"},
      {R"({"Version":1,"AccessKeyId":"secret","SecretAccessKey":"secret","Expiration":"soon"})",
       "in the answer Expiration is no time of the form YYYY-MM-DDThh:mm:ssZ"},
  };
  for (const Case& c : cases) {
    bench.files.Write("out", c.output);
    const auto failed = bench.Run("cat " + bench.files.Path("out"));
    ASSERT_FALSE(failed) << c.output;
    EXPECT_EQ(failed.error().kind, ErrorKind::kCredentials);
    EXPECT_EQ(failed.error().Text(), at + c.text);
  }
}

TEST(ProcessSourceTest, ExpiredOnesAreAnError) {
  Bench bench;
  bench.files.Write("out", Document(R"(,"Expiration":"2024-02-26T17:24:38Z")"));
  const auto failed = bench.Run("cat " + bench.files.Path("out"));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::kExpiredCredentials);
  EXPECT_EQ(failed.error().Text(),
            std::string(kSource) +
                " gave credentials that had expired at 2024-02-26T17:24:38Z; sign in anew with the "
                "tool that it calls");
}

TEST(ProcessSourceTest, BothPipesAreReadHoweverMuchComes) {
  Bench bench;
  bench.files.Write("out", std::string(300'000, ' ') + Document(""));
  bench.files.Write("err", std::string(3'000'000, 'e'));
  const auto credentials = bench.RunScript("cd \"${0%/*}\"; cat err >&2; cat out; cat err >&2");
  ASSERT_TRUE(credentials) << credentials.error().Text();
  EXPECT_EQ(credentials->access_key_id, "ASIAEXAMPLE");
}

TEST(ProcessSourceTest, EndlessOutputIsRefused) {
  Bench bench;
  EXPECT_EQ(bench.Failure("exec cat /dev/zero", ErrorKind::kCredentials),
            std::string(kSource) + ": '" + bench.files.Path("get") + "' printed more than 1.0 MB");
  EXPECT_FALSE(HasChildren());
}

TEST(ProcessSourceTest, ReadsNothingAndInheritsNothingButTheEnvironment) {
  Bench bench;
  bench.files.Write("out", Document(""));
  ::setenv("TSM_TEST_OF_THE_CHILD", "handed on", 1);
  // Without O_CLOEXEC, as libraries open files, and where no shell has one of its own.
  const int leaky = ::fcntl(STDERR_FILENO, F_DUPFD, 77);
  ASSERT_EQ(leaky, 77);
  const auto credentials = bench.RunScript(
      "cd \"${0%/*}\"; read line && echo \"read $line\" > report; "
      "echo \"$TSM_TEST_OF_THE_CHILD\" >> report; [ -e /proc/$$/fd/77 ] && echo leaked >> report; "
      "cat out");
  ::close(leaky);
  ::unsetenv("TSM_TEST_OF_THE_CHILD");
  ASSERT_TRUE(credentials) << credentials.error().Text();
  EXPECT_EQ(bench.files.Read("report"), "handed on\n");
}

TEST(ProcessSourceTest, LeavesNoFilesAndNoChildren) {
  Bench bench;
  bench.files.Write("out", Document(""));
  const std::size_t before = OpenFiles();
  ASSERT_TRUE(bench.RunScript("cat \"${0%/*}/out\""));
  ASSERT_FALSE(bench.RunScript("exit 1"));
  ASSERT_FALSE(bench.Run("/no/such/program"));
  EXPECT_EQ(OpenFiles(), before);
  EXPECT_FALSE(HasChildren());
}

// A command may start an agent that outlives it and keeps its stdout.
TEST(ProcessSourceTest, DoesNotWaitForWhatItLeavesBehind) {
  Bench bench;
  bench.files.Write("out", Document(""));
  const auto credentials = bench.RunScript("cd \"${0%/*}\"; sleep 600 & echo $! > agent; cat out");
  const int agent = std::stoi(bench.files.Read("agent"));
  EXPECT_EQ(::kill(agent, SIGKILL), 0);  // it still ran
  ASSERT_TRUE(credentials) << credentials.error().Text();
}

TEST(ProcessSourceTest, AStopEndsIt) {
  Bench bench;
  std::stop_source stop;
  const std::string fifo = bench.files.Path("started");
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  std::jthread stopping([&] {
    const int started = ::open(fifo.c_str(), O_RDONLY);  // until the script opens it too
    stop.request_stop();
    ::close(started);
  });
  const auto stopped = bench.Run(
      bench.files.Script("get", ": > \"${0%/*}/started\"; exec sleep 600"), stop.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().kind, ErrorKind::kCancelled);
  EXPECT_FALSE(HasChildren());
}

TEST(RunChildTest, EndsAtTheLimitEvenWhatIgnoresTheFirstSignal) {
  const ChildLimits limits{.time = milliseconds(20), .grace = milliseconds(20), .output = 100};
  for (const std::string body :
       {"exec sleep 600", "trap '' TERM; while :; do :; done", "exec >&- 2>&-; exec sleep 600"}) {
    const auto ended = RunChild({"/bin/sh", "-c", body}, limits, {});
    ASSERT_FALSE(ended) << body;
    EXPECT_EQ(ended.error().kind, ErrorKind::kCredentials);
    EXPECT_EQ(ended.error().Text(), "'/bin/sh' did not end within 20 ms");
    EXPECT_FALSE(HasChildren()) << body;
  }
}

TEST(RunChildTest, AfterAStopNothingIsStarted) {
  const test::ScratchFiles files;
  std::stop_source stop;
  stop.request_stop();
  const auto stopped =
      RunChild({"/bin/sh", "-c", ": > " + files.Path("started")}, ChildLimits{}, stop.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().kind, ErrorKind::kCancelled);
  EXPECT_FALSE(std::filesystem::exists(files.Path("started")));
}

// With this program's mask it could not be ended, with its ignored SIGPIPE it would write on and
// on.
TEST(RunChildTest, TheChildsSignalsAreNotThisPrograms) {
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  const auto handler = ::signal(SIGPIPE, SIG_IGN);
  const auto output = RunChild({"grep", "^Sig[BI]", "/proc/self/status"}, ChildLimits{}, {});
  ::signal(SIGPIPE, handler);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ASSERT_TRUE(output) << output.error().Text();
  EXPECT_TRUE(output->out.starts_with("SigBlk:\t0000000000000000\nSigIgn:\t")) << output->out;
  const unsigned long long ignored = std::stoull(output->out.substr(33), nullptr, 16);
  EXPECT_EQ(ignored >> (SIGPIPE - 1) & 1U, 0U) << output->out;  // others are the test runner's
}

TEST(RunChildTest, GivesStatusAndBothOutputs) {
  const auto output =
      RunChild({"/bin/sh", "-c", "echo out; echo err >&2; exit 7"}, ChildLimits{}, {});
  ASSERT_TRUE(output);
  EXPECT_EQ(output->out, "out\n");
  EXPECT_EQ(output->err, "err\n");
  EXPECT_EQ(output->exit_status, 7);
  EXPECT_EQ(output->signal, 0);
}

}  // namespace
}  // namespace tsm::aws
