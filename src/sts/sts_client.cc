#include "tsm/sts/sts_client.h"

#include <pugixml.hpp>
#include <utility>

#include "tsm/core/text.h"

namespace tsm::sts {

StsClient::StsClient(aws::Client& client, aws::Endpoint endpoint, std::string region)
    : client_(client), endpoint_(std::move(endpoint)), region_(std::move(region)) {}

Result<CallerIdentity> StsClient::GetCallerIdentity(std::stop_token stop) {
  aws::Operation operation;
  operation.name = "GetCallerIdentity";
  operation.protocol = aws::Protocol::kQueryXml;
  operation.scope = {.region = region_, .service = "sts"};
  operation.request.method = "POST";
  operation.request.scheme = endpoint_.scheme;
  operation.request.host = endpoint_.host;
  operation.request.path = endpoint_.base_path + "/";
  operation.request.headers = {
      {"content-type", "application/x-www-form-urlencoded; charset=utf-8"}};
  operation.request.body = "Action=GetCallerIdentity&Version=2011-06-15";
  Result<http::Response> response = client_.Call(operation, stop);
  if (!response) return std::move(response).error();

  pugi::xml_document document;
  document.load_buffer(response->body.data(), response->body.size());
  const pugi::xml_node result =
      document.child("GetCallerIdentityResponse").child("GetCallerIdentityResult");
  CallerIdentity identity{.account = result.child_value("Account"),
                          .arn = result.child_value("Arn"),
                          .user_id = result.child_value("UserId")};
  if (identity.account.empty()) {
    return MakeError(ErrorKind::kBadReply,
                     "the answer names no account: " + OneLine(response->body, 120))
        .With(operation.name);
  }
  return identity;
}

}  // namespace tsm::sts
