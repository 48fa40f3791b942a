// Whom the transport trusts, against OpenSSL's own test server with a certificate made on the spot.
#include <curl/curl.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/own_mounts.h"
#include "tsm/http/curl_transport.h"

namespace tsm::http {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int kNoSuchProgram = 127;  // as a shell has it

// A child whose standard output the test reads; ended with its owner.
class Child {
 public:
  explicit Child(std::vector<std::string> command) {
    std::array<int, 2> output{};
    if (::pipe(output.data()) != 0) std::abort();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(output[1], STDOUT_FILENO);
      ::dup2(::open("/dev/null", O_RDWR), STDERR_FILENO);
      ::close(output[0]);
      std::vector<char*> arguments;
      arguments.reserve(command.size() + 1);
      for (std::string& one : command) arguments.push_back(one.data());
      arguments.push_back(nullptr);
      ::execvp(arguments[0], arguments.data());
      ::_exit(kNoSuchProgram);
    }
    ::close(output[1]);
    output_ = output[0];
  }
  ~Child() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(output_);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // The rest of the line that starts with `word`, "" where the output ends before it.
  std::string LineAfter(const std::string& word) {
    std::string line;
    char c = 0;
    while (::read(output_, &c, 1) == 1) {
      if (c != '\n') {
        line += c;
      } else if (line.starts_with(word)) {
        return line.substr(word.size());
      } else {
        line.clear();
      }
    }
    return {};
  }
  int Wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_ = -1;
  int output_ = -1;
};

class CurlTlsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "tsm_tls_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    certificate_ = name + "/cert.pem";
    Child made({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", name + "/key.pem", "-out",
                certificate_, "-days", "1", "-subj", "/CN=test", "-addext",
                "subjectAltName=IP:127.0.0.1"});
    const int ended = made.Wait();
    if (WIFEXITED(ended) && WEXITSTATUS(ended) == kNoSuchProgram) {
      GTEST_SKIP() << "TLS IS NOT TESTED: no openssl program on this machine";
    }
    ASSERT_EQ(ended, 0) << "openssl made no certificate";
    server_ = std::make_unique<Child>(
        std::vector<std::string>{"openssl", "s_server", "-accept", "127.0.0.1:0", "-www", "-key",
                                 name + "/key.pem", "-cert", certificate_});
    const std::string place = server_->LineAfter("ACCEPT ");
    ASSERT_TRUE(place.starts_with("127.0.0.1:")) << place;
    port_ = place.substr(place.find(':'));
  }
  void TearDown() override {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }

  Request To(const std::string& host = "127.0.0.1") const {
    Request request;
    request.method = "GET";
    request.scheme = "https";
    request.host = host + port_;
    return request;
  }
  Result<Response> Ask(const CurlOptions& options, const std::string& host = "127.0.0.1") {
    return CurlTransport(options).Send(To(host), {});
  }

  // Whether as many requests, on their way at once, all end with an answer.
  bool AllAnswer(CurlTransport& transport, std::uint64_t count,
                 const std::string& host = "127.0.0.1") const {
    const auto multi = transport.OpenMulti(count);
    for (std::uint64_t id = 0; id < count; ++id) multi->Start(id, To(host));
    std::uint64_t answers = 0;
    while (multi->under_way() > 0) {
      for (const auto& one : multi->Wait(std::chrono::seconds(60), {})) {
        if (one.outcome && one.outcome->status == 200) ++answers;
      }
    }
    return answers == count;
  }

  // Makes a folder as libcurl's directory of authorities is, with the test's own one in it, and
  // `file` in the place of the system's file.
  std::filesystem::path Authorities(const std::string& file) {
    const curl_version_info_data* built = ::curl_version_info(CURLVERSION_NOW);
    std::filesystem::path made = folder_ / "authorities";
    std::filesystem::create_directory(made);
    std::filesystem::copy(certificate_, made);
    EXPECT_EQ(Child({"openssl", "rehash", made.string()}).Wait(), 0);
    if (built->cainfo != nullptr) {
      std::filesystem::copy(file, made / std::filesystem::path(built->cainfo).filename());
    }
    return made;
  }
  // What `look` gives that sees `authorities` in the place of the system's.
  static test::Seen SeeingAsTheSystems(const std::filesystem::path& authorities,
                                       const std::function<int()>& look) {
    const char* system = ::curl_version_info(CURLVERSION_NOW)->capath;
    if (system == nullptr) return {std::nullopt, "this libcurl has no directory of authorities"};
    return test::WithInPlaceOf(system, authorities, look);
  }

  std::filesystem::path folder_;
  std::string certificate_;
  std::unique_ptr<Child> server_;
  std::string port_;
};

TEST_F(CurlTlsTest, OnlyWhatTheBundleVouchesForIsTrusted) {
  CurlOptions options;
  const auto unknown = Ask(options);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().kind, ErrorKind::kConfiguration);
  EXPECT_THAT(unknown.error().message,
              AllOf(HasSubstr("https://127.0.0.1" + port_), HasSubstr("is not trusted"),
                    HasSubstr("the system's certificate store"), HasSubstr("AWS_CA_BUNDLE")));

  options.ca_bundle = certificate_;
  const auto vouched = Ask(options);
  ASSERT_TRUE(vouched) << vouched.error().Text();
  EXPECT_EQ(vouched->status, 200);

  const auto other_name = Ask(options, "localhost");
  ASSERT_FALSE(other_name);
  EXPECT_EQ(other_name.error().kind, ErrorKind::kConfiguration);
  EXPECT_THAT(other_name.error().message, HasSubstr(certificate_));
}

TEST_F(CurlTlsTest, ABundleTakesThePlaceOfTheSystemsStore) {
  const std::string other = folder_ / "other.pem";
  ASSERT_EQ(
      Child({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
             "-nodes", "-keyout", "/dev/null", "-out", other, "-days", "1", "-subj", "/CN=other"})
          .Wait(),
      0);
  enum Outcome { kRefused, kTrusted, kNotInPlace };
  const test::Seen seen = SeeingAsTheSystems(Authorities(other), [&]() -> int {
    CurlOptions options;
    if (!Ask(options)) return kNotInPlace;
    options.ca_bundle = other;
    return Ask(options) ? kTrusted : kRefused;
  });
  if (!seen.outcome) GTEST_SKIP() << "THE BUNDLE'S PLACE IS NOT TESTED: " << seen.why_not;
  EXPECT_EQ(*seen.outcome, kRefused);
}

// What is gone after the first connection was not read again for the others: to read the system's
// authorities for each took ten times as long as the copies of small files.
TEST_F(CurlTlsTest, TheAuthoritiesAreReadOnce) {
  CurlOptions options;
  options.ca_bundle = certificate_;
  CurlTransport transport(options);
  ASSERT_TRUE(transport.Send(To(), {}));
  std::filesystem::remove(certificate_);
  EXPECT_TRUE(AllAnswer(transport, 3)) << "read again";
}

TEST_F(CurlTlsTest, SoAreTheSystems) {
  const std::filesystem::path authorities = Authorities(certificate_);
  enum Outcome { kReadOnce, kNotInPlace, kReadAgain, kReadAgainByTheMulti };
  const test::Seen seen = SeeingAsTheSystems(authorities, [&]() -> int {
    CurlTransport transport;
    if (!transport.Send(To(), {})) return kNotInPlace;
    for (const auto& entry : std::filesystem::directory_iterator(authorities)) {
      std::filesystem::remove(entry.path());
    }
    Request another = To();
    another.fresh_connection = true;
    if (!transport.Send(another, {})) return kReadAgain;
    return AllAnswer(transport, 3) ? kReadOnce : kReadAgainByTheMulti;
  });
  if (!seen.outcome) GTEST_SKIP() << "THE SYSTEM'S AUTHORITIES ARE NOT TESTED: " << seen.why_not;
  EXPECT_EQ(*seen.outcome, kReadOnce);
}

TEST_F(CurlTlsTest, ManyAtOnceTrustTheSameAndCheckAsMuch) {
  CurlOptions options;
  options.ca_bundle = certificate_;
  CurlTransport transport(options);
  EXPECT_TRUE(AllAnswer(transport, 5));
  EXPECT_FALSE(AllAnswer(transport, 1, "localhost")) << "the name is not the certificate's";
  CurlTransport distrustful;
  EXPECT_FALSE(AllAnswer(distrustful, 1));
}

TEST_F(CurlTlsTest, WithoutVerificationAnyCertificateIsTaken) {
  CurlOptions options;
  options.verify_tls = false;
  for (const char* host : {"127.0.0.1", "localhost"}) {
    const auto response = Ask(options, host);
    ASSERT_TRUE(response) << response.error().Text();
    EXPECT_EQ(response->status, 200);
  }
}

}  // namespace
}  // namespace tsm::http
