#include "json_call.h"

#include <utility>

namespace tsm::timestream {

aws::Operation MakeJsonOperation(const std::string& region, const std::string& operation,
                                 std::string body, const std::string& subject) {
  aws::Operation made;
  made.name = subject.empty() ? operation : operation + " " + subject;
  made.protocol = aws::Protocol::kJson;
  made.scope = {.region = region, .service = "timestream"};
  made.request.method = "POST";
  made.request.headers = {{"content-type", "application/x-amz-json-1.0"},
                          {"x-amz-target", "Timestream_20181101." + operation}};
  made.request.body = std::move(body);
  return made;
}

void PointAt(aws::Operation& operation, const aws::Endpoint& endpoint) {
  operation.request.scheme = endpoint.scheme;
  operation.request.host = endpoint.host;
  operation.request.path = endpoint.base_path + "/";
}

Result<http::Response> CallDiscovered(aws::Client& client, EndpointDiscovery& discovery,
                                      aws::Operation operation, std::stop_token stop) {
  Result<aws::Endpoint> endpoint = discovery.Get(stop);
  if (!endpoint) return std::move(endpoint).error().With(operation.name);
  PointAt(operation, *endpoint);
  Result<http::Response> response = client.Call(operation, stop);
  const bool moved = !response && response.error().kind == ErrorKind::kWrongEndpoint;
  if (!moved || endpoint->custom) return response;

  discovery.Forget(*endpoint);
  Result<aws::Endpoint> again = discovery.Get(stop);
  if (!again) return std::move(again).error().With(operation.name);
  PointAt(operation, *again);
  return client.Call(operation, stop);
}

}  // namespace tsm::timestream
