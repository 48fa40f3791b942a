// A sink that keeps what it is told. Thread-safe.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "tsm/core/progress.h"

namespace tsm::test {

class RecordingSink final : public ProgressSink {
 public:
  void OnNotice(const Notice& notice) override {
    const std::lock_guard lock(mutex_);
    notices_.push_back(notice);
  }
  void OnProgress(const Progress& progress) override {
    const std::lock_guard lock(mutex_);
    last_ = progress;
  }
  // How many notices hold the text.
  std::size_t Count(const std::string& text) {
    const std::lock_guard lock(mutex_);
    std::size_t count = 0;
    for (const Notice& notice : notices_) count += notice.text.find(text) != std::string::npos;
    return count;
  }
  Progress last() {
    const std::lock_guard lock(mutex_);
    return last_;
  }

 private:
  std::mutex mutex_;
  std::vector<Notice> notices_;
  Progress last_;
};

}  // namespace tsm::test
