#include "tsm/sns/sns_client.h"

#include <pugixml.hpp>
#include <utility>
#include <vector>

#include "message_text.h"
#include "tsm/core/text.h"

namespace tsm::sns {

Result<TopicArn> TopicArn::Parse(std::string_view text) {
  const std::vector<std::string_view> parts = Split(text, ':');
  const bool ok = parts.size() == 6 && parts[0] == "arn" && parts[1].starts_with("aws") &&
                  parts[2] == "sns" && parts[4].size() == 12 &&
                  ParseInt64(parts[4]).value_or(-1) >= 0 && !parts[5].empty() &&
                  aws::IsRegionName(parts[3]);
  if (!ok) {
    return MakeError(ErrorKind::kInvalidInput,
                     "\"" + OneLine(text, 200) +
                         "\" is no SNS topic: arn:aws:sns:<region>:<account>:<name> is expected");
  }
  // It wants a group with each message; better said now than at the first failure, hours later.
  // https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
  if (parts[5].ends_with(".fifo")) {
    return MakeError(ErrorKind::kInvalidInput,
                     "\"" + OneLine(text, 200) + "\" is a FIFO topic: a standard one is expected");
  }
  return TopicArn{.text = std::string(text),
                  .partition = std::string(parts[1]),
                  .region = std::string(parts[3])};
}

SnsClient::SnsClient(aws::Client& client, aws::EndpointResolver endpoints, std::string region)
    : client_(client), endpoints_(std::move(endpoints)), region_(std::move(region)) {}

Result<std::string> SnsClient::Publish(const TopicArn& topic, const std::string& subject,
                                       const std::string& message, std::stop_token stop) {
  aws::Operation operation;
  operation.name = "Publish " + topic.text;
  operation.protocol = aws::Protocol::kQueryXml;
  operation.idempotency = aws::Idempotency::kUnsafe;  // a repeated Publish is a second message
  operation.scope = {.region = topic.region, .service = "sns"};
  // A topic is only known in its own region, whatever region the tables are in; but credentials
  // hold in one partition only, and elsewhere would be refused as ones that do not exist.
  const aws::Endpoint endpoint = endpoints_.Resolve(aws::Service::kSns, topic.region);
  const std::string_view partition = aws::PartitionOf(region_).id;
  if (!endpoint.custom && topic.partition != partition) {
    return MakeError(ErrorKind::kInvalidInput, "the topic is in partition " + topic.partition +
                                                   ", the run's region " + region_ +
                                                   " in partition " + std::string(partition) +
                                                   ": credentials do not hold across partitions")
        .With(operation.name);
  }
  http::Request& request = operation.request;
  request.method = "POST";
  request.scheme = endpoint.scheme;
  request.host = endpoint.host;
  request.path = endpoint.base_path + "/";
  request.headers = {{"content-type", "application/x-www-form-urlencoded; charset=utf-8"}};
  request.body = "Action=Publish&Version=2010-03-31&TopicArn=" + PercentEncode(topic.text);
  if (const std::string fitted = FitSubject(subject); !fitted.empty()) {
    request.body += "&Subject=" + PercentEncode(fitted);
  }
  request.body += "&Message=" + PercentEncode(FitMessage(message));
  Result<http::Response> response = client_.Call(operation, stop);
  if (!response) return std::move(response).error();

  pugi::xml_document document;
  document.load_buffer(response->body.data(), response->body.size());
  std::string id =
      document.child("PublishResponse").child("PublishResult").child_value("MessageId");
  if (id.empty()) {
    return MakeError(ErrorKind::kBadReply,
                     "the answer carries no MessageId: " + OneLine(response->body, 120))
        .With(operation.name);
  }
  return id;
}

}  // namespace tsm::sns
