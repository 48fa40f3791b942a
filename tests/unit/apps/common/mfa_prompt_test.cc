#include "common/mfa_prompt.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <string>
#include <thread>

namespace tsm::apps {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kDevice = "arn:aws:iam::123456789012:mfa/jo";

// A terminal that this side types at, and a child whose terminal it is.
class MfaPromptTest : public ::testing::Test {
 protected:
  void SetUp() override {
    keyboard_ = ::posix_openpt(O_RDWR | O_NOCTTY);
    ASSERT_GE(keyboard_, 0);
    ASSERT_EQ(::grantpt(keyboard_), 0);
    ASSERT_EQ(::unlockpt(keyboard_), 0);
    ASSERT_EQ(::pipe(stop_), 0);
    ASSERT_EQ(::pipe(result_), 0);
  }
  void TearDown() override {
    for (const int file : {keyboard_, screen_, stop_[0], stop_[1], result_[0], result_[1]}) {
      if (file >= 0) ::close(file);
    }
  }

  // The child asks for a code, is stopped by a byte of the pipe, and tells the outcome.
  void Ask(bool with_terminal = true) {
    const std::string name = ::ptsname(keyboard_);
    // Kept open here too, so that what the child leaves of the settings can be read.
    screen_ = ::open(name.c_str(), O_RDWR | O_NOCTTY);
    child_ = ::fork();
    ASSERT_GE(child_, 0);
    if (child_ != 0) return;
    ::alarm(20);  // a prompt that never ends fails the test and does not hang it
    ::setsid();
    if (with_terminal) ::ioctl(screen_, TIOCSCTTY, 0);
    std::stop_source source;
    std::thread([&] {
      char byte = 0;
      if (::read(stop_[0], &byte, 1) == 1) source.request_stop();
    }).detach();
    const Result<std::string> code = AskMfaCode(kDevice, source.get_token());
    const std::string text =
        code ? "code " + *code : std::string(Name(code.error().kind)) + " " + code.error().Text();
    ::_exit(::write(result_[1], text.data(), text.size()) > 0 ? 0 : 1);
  }

  void WaitForPrompt() {
    while (shown_.find(": ") == std::string::npos) {
      char part[256];
      const ssize_t size = ::read(keyboard_, part, sizeof part);
      ASSERT_GT(size, 0);
      shown_.append(part, static_cast<std::size_t>(size));
    }
  }
  void Type(const std::string& text) {
    ASSERT_EQ(::write(keyboard_, text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  std::string Outcome() {
    int status = 0;
    EXPECT_EQ(::waitpid(child_, &status, 0), child_);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "wait status " << status;
    ::close(result_[1]);
    result_[1] = -1;
    char text[1024];
    const ssize_t size = ::read(result_[0], text, sizeof text);
    return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
  }
  bool Echoes() const {
    termios settings{};
    EXPECT_EQ(::tcgetattr(screen_, &settings), 0);
    return (settings.c_lflag & ECHO) != 0;
  }

  int keyboard_ = -1;
  int screen_ = -1;
  int stop_[2] = {-1, -1};
  int result_[2] = {-1, -1};
  pid_t child_ = -1;
  std::string shown_;
};

TEST_F(MfaPromptTest, ACodeIsReadWithoutEcho) {
  Ask();
  WaitForPrompt();
  EXPECT_THAT(shown_, HasSubstr(kDevice));
  EXPECT_FALSE(Echoes());
  Type("123456\n");
  EXPECT_EQ(Outcome(), "code 123456");
  EXPECT_TRUE(Echoes());
}

TEST_F(MfaPromptTest, WhatIsNoCodeIsRefusedAndNotRepeated) {
  Ask();
  WaitForPrompt();
  Type("hush12\n");
  EXPECT_THAT(Outcome(), ::testing::AllOf(HasSubstr("credentials "), HasSubstr("no code of digits"),
                                          Not(HasSubstr("hush"))));
}

TEST_F(MfaPromptTest, AStopEndsThePromptAndGivesTheEchoBack) {
  Ask();
  WaitForPrompt();
  ASSERT_EQ(::write(stop_[1], "x", 1), 1);
  EXPECT_THAT(Outcome(), HasSubstr("cancelled "));
  EXPECT_TRUE(Echoes());
}

TEST_F(MfaPromptTest, WithoutATerminalNobodyIsAsked) {
  Ask(false);
  EXPECT_THAT(Outcome(),
              ::testing::AllOf(HasSubstr("credentials "), HasSubstr("there is no terminal")));
}

}  // namespace
}  // namespace tsm::apps
