#include "json_call.h"

#include <utility>

namespace tsm::timestream {

aws::Operation MakeJsonOperation(const aws::Endpoint& endpoint, const std::string& region,
                                 const std::string& operation, std::string body,
                                 const std::string& subject) {
  aws::Operation made;
  made.name = subject.empty() ? operation : operation + " " + subject;
  made.protocol = aws::Protocol::kJson;
  made.scope = {.region = region, .service = "timestream"};
  made.request.method = "POST";
  made.request.scheme = endpoint.scheme;
  made.request.host = endpoint.host;
  made.request.path = endpoint.base_path + "/";
  made.request.headers = {{"content-type", "application/x-amz-json-1.0"},
                          {"x-amz-target", "Timestream_20181101." + operation}};
  made.request.body = std::move(body);
  return made;
}

}  // namespace tsm::timestream
