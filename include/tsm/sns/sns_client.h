// Amazon SNS. Thread-safe. https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
#pragma once

#include <stop_token>
#include <string>

#include "tsm/aws/client.h"
#include "tsm/aws/config.h"

namespace tsm::sns {

// arn:<partition>:sns:<region>:<account>:<name>
struct TopicArn {
  std::string text;
  std::string region;
  static Result<TopicArn> Parse(std::string_view text);  // kInvalidInput
};

class SnsClient {
 public:
  SnsClient(aws::Client& client, aws::Endpoint endpoint, std::string region);
  // A plain message (no MessageStructure). The subject is cut to the service's limit, under 100
  // characters of ASCII without line breaks; the message to 256 KiB. Gives the MessageId.
  Result<std::string> Publish(const TopicArn& topic, const std::string& subject,
                              const std::string& message, std::stop_token stop);

 private:
  aws::Client& client_;
  aws::Endpoint endpoint_;
  std::string region_;
};

}  // namespace tsm::sns
