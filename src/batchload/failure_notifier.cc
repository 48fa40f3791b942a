#include "tsm/batchload/failure_notifier.h"

namespace tsm::batchload {

void FailureNotifier::Notify(const std::string& message, std::stop_token stop) {
  if (!topic_ || stop.stop_requested()) return;
  Result<std::string> sent = client_.Publish(*topic_, "timestream batchload status", message, stop);
  if (!sent) sink_.Warn("the failure was not sent to " + topic_->text + ": " + sent.error().Text());
}

}  // namespace tsm::batchload
