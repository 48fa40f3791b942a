// Tells an SNS topic that a group failed and how a run ended. A topic that does not take a message
// is a warning: the load matters more than the mail about it. Thread-safe; what it refers to
// outlives it.
#pragma once

#include <atomic>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>

#include "tsm/core/progress.h"
#include "tsm/sns/sns_client.h"

namespace tsm::batchload {

class FailureNotifier {
 public:
  // So many failures are told one by one; the end tells of all.
  static constexpr int kMostFailures = 20;

  // Without a topic it does nothing.
  FailureNotifier(sns::SnsClient& client, std::optional<sns::TopicArn> topic, ProgressSink& sink)
      : client_(client), topic_(std::move(topic)), sink_(sink) {}

  void Notify(const std::string& message, std::stop_token stop);
  // `outcome` stands in the subject: "done", "failed", "interrupted".
  void NotifyEnd(const std::string& outcome, const std::string& message, std::stop_token stop);

 private:
  void Publish(const std::string& subject, const std::string& message, std::stop_token stop);

  sns::SnsClient& client_;
  std::optional<sns::TopicArn> topic_;
  ProgressSink& sink_;
  std::atomic<int> failures_{0};
};

}  // namespace tsm::batchload
