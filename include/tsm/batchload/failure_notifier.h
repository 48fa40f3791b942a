// Tells an SNS topic that a group failed. A topic that does not take the message is a warning: the
// load matters more than the mail about it. Thread-safe; what it refers to outlives it.
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "tsm/core/progress.h"
#include "tsm/sns/sns_client.h"

namespace tsm::batchload {

class FailureNotifier {
 public:
  // Without a topic it does nothing.
  FailureNotifier(sns::SnsClient& client, std::optional<sns::TopicArn> topic, ProgressSink& sink)
      : client_(client), topic_(std::move(topic)), sink_(sink) {}

  void Notify(const std::string& message, std::stop_token stop);

 private:
  sns::SnsClient& client_;
  std::optional<sns::TopicArn> topic_;
  ProgressSink& sink_;
};

}  // namespace tsm::batchload
