// What judge_calls counts and prints, and the keys that it asks for. One thread.
#pragma once

#include <array>
#include <cstdio>
#include <functional>
#include <string>

#include "tsm/core/result.h"
#include "tsm/s3/s3_client.h"

namespace tsm {

// Keys that a client gets wrong which decodes, normalizes or encodes twice.
inline constexpr auto kOddKeys = std::to_array<const char*>(
    {"a//b", "../x", "./y/.", " lead", "trail ", "ü", "a+b", "a%20b", "/lead", "a:b", "part=1/x",
     "part=1/x:y", "q?a=1&b#c", "til~de_(1)'*!", "日本/語.csv", "tab\there"});

class Judge {
 public:
  void Check(const std::string& call, const Status& status) {
    if (status) {
      std::printf("ok %s\n", call.c_str());
    } else {
      Fail(call, status.error().Text());
    }
  }

  // For calls whose answer is known: `right` says whether it is.
  template <typename T>
  void Check(const std::string& call, const Result<T>& result,
             const std::function<bool(const T&)>& right = nullptr) {
    if (!result) {
      Fail(call, result.error().Text());
    } else if (right && !right(*result)) {
      Fail(call, "the answer is not what was put there");
    } else {
      std::printf("ok %s\n", call.c_str());
    }
  }

  void CheckFails(const std::string& call, const Status& status, ErrorKind kind) {
    if (!status && status.error().kind == kind) {
      std::printf("ok %s\n", call.c_str());
    } else {
      Fail(call, status ? "accepted" : status.error().Text());
    }
  }

  int failures() const { return failures_; }

 private:
  void Fail(const std::string& call, const std::string& why) {
    ++failures_;
    std::printf("FAILED %s: %s\n", call.c_str(), why.c_str());
  }
  int failures_ = 0;
};

template <typename T>
Status AsStatus(const Result<T>& result) {
  if (result) return Ok();
  return result.error();
}

// The calls of a run with its state in S3, and of its cleaning up, in a bucket that exists.
void JudgeState(Judge& judge, s3::S3Client& s3, const s3::BucketName& bucket);

}  // namespace tsm
