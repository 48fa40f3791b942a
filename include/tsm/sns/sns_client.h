// Amazon SNS. Thread-safe. https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
#pragma once

#include <stop_token>
#include <string>

#include "tsm/aws/client.h"
#include "tsm/aws/endpoints.h"

namespace tsm::sns {

// arn:<partition>:sns:<region>:<account>:<name>
struct TopicArn {
  std::string text;
  std::string partition;
  std::string region;
  static Result<TopicArn> Parse(std::string_view text);  // kInvalidInput
};

class SnsClient {
 public:
  // `endpoints` says where SNS is in a topic's region; `region` is that of the credentials' run.
  SnsClient(aws::Client& client, aws::EndpointResolver endpoints, std::string region);
  // A plain message (no MessageStructure). The subject is cut to the service's limit, under 100
  // characters of ASCII without line breaks; the message to 256 KiB. Gives the MessageId.
  // kInvalidInput for a topic of another partition (aws, aws-cn, ...) than the client's region.
  Result<std::string> Publish(const TopicArn& topic, const std::string& subject,
                              const std::string& message, std::stop_token stop);

 private:
  aws::Client& client_;
  aws::EndpointResolver endpoints_;
  std::string region_;
};

}  // namespace tsm::sns
