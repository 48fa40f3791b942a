#include "tsm/batchload/failure_notifier.h"

namespace tsm::batchload {

namespace {

// As the original tool has it, whose subscribers may filter by it.
constexpr const char* kSubject = "timestream batchload status";

}  // namespace

void FailureNotifier::Notify(const std::string& message, std::stop_token stop) {
  const int number = ++failures_;
  if (number > kMostFailures) return;
  Publish(kSubject,
          number < kMostFailures
              ? message
              : message + "\nFurther failures are not sent one by one: the end of the run is.",
          std::move(stop));
}

void FailureNotifier::NotifyEnd(const std::string& outcome, const std::string& message,
                                std::stop_token stop) {
  Publish(std::string(kSubject) + ": " + outcome, message, std::move(stop));
}

// The client cuts the subject to what SNS takes and sends no MessageStructure.
void FailureNotifier::Publish(const std::string& subject, const std::string& message,
                              std::stop_token stop) {
  if (!topic_ || stop.stop_requested()) return;
  const Result<std::string> sent = client_.Publish(*topic_, subject, message, std::move(stop));
  if (!sent) {
    sink_.Warn("a message was not sent to " + topic_->text + ": " + sent.error().Text());
  }
}

}  // namespace tsm::batchload
