#include "ts_local/dispatcher.h"

#include <iostream>
#include <nlohmann/json.hpp>

#include "ts_local/api_error.h"
#include "ts_local/digest.h"
#include "ts_local/fault_control.h"
#include "ts_local/operation_names.h"
#include "ts_local/row_control.h"
#include "ts_local/s3_call.h"
#include "ts_local/task_control.h"
#include "ts_local/time_text.h"
#include "ts_local/xml_writer.h"

namespace ts_local {
namespace {

constexpr std::string_view kTarget = "Timestream_20181101.";

std::string NewRequestId() {
  return RandomHex(8) + "-" + RandomHex(4) + "-4" + RandomHex(3) + "-a" + RandomHex(3) + "-" +
         RandomHex(12);
}

Response JsonResponse(int status, std::string body) {
  Response response;
  response.status = status;
  response.headers.emplace_back("Content-Type", "application/x-amz-json-1.0");
  response.body = std::move(body);
  return response;
}

Response JsonError(const ApiError& error) {
  if (std::string whole = error.body_json(); !whole.empty()) {
    return JsonResponse(error.status(), std::move(whole));
  }
  const bool unknown = error.code() == "UnknownOperationException";
  const nlohmann::json body = {
      {"__type", (unknown ? "com.amazon.coral.service#" : "com.amazonaws.timestream.v20181101#") +
                     error.code()},
      {"message", error.what()}};
  // A message may repeat bytes of the request that are no UTF-8.
  return JsonResponse(error.status(),
                      body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

Response S3ErrorResponse(const ApiError& error, const Request& request,
                         const std::string& request_id) {
  XmlWriter xml("Error");
  xml.Text("Code", error.code());
  xml.Text("Message", error.what());
  const auto* detailed = dynamic_cast<const S3Error*>(&error);
  if (detailed != nullptr) {
    for (const auto& [name, value] : detailed->elements()) xml.Text(name, value);
  }
  xml.Text("Resource", request.path);
  xml.Text("RequestId", request_id);
  Response response = XmlResponse(xml);
  response.status = error.status();
  if (detailed != nullptr) {
    response.headers.insert(response.headers.end(), detailed->headers().begin(),
                            detailed->headers().end());
  }
  if (request.method == "HEAD") response.body.clear();
  return response;
}

Response QueryError(const ApiError& error, const std::string& request_id) {
  XmlWriter xml("ErrorResponse");
  xml.Open("Error");
  xml.Text("Type", error.status() < 500 ? "Sender" : "Receiver");
  xml.Text("Code", error.code());
  xml.Text("Message", error.what());
  xml.Close();
  xml.Text("RequestId", request_id);
  Response response = XmlResponse(xml);
  response.status = error.status();
  return response;
}

Response ErrorResponse(const ApiError& error, Protocol protocol, const Request& request,
                       const std::string& request_id) {
  if (protocol == Protocol::kJson) return JsonError(error);
  if (protocol == Protocol::kQuery) return QueryError(error, request_id);
  return S3ErrorResponse(error, request, request_id);
}

// A failure of ts-local itself, in the protocol's words.
ApiError Internal(Protocol protocol, const std::string& what) {
  std::cerr << ("ts-local: internal error: " + what + "\n");
  const char* code = protocol == Protocol::kS3     ? "InternalError"
                     : protocol == Protocol::kJson ? "InternalServerException"
                                                   : "InternalFailure";
  return {500, code, what};
}

}  // namespace

Response Dispatcher::Handle(Request& request) noexcept {
  if (faults_ != nullptr && IsFaultControl(request)) return ControlFaults(request, faults_);
  const Protocol protocol = ProtocolOf(request);
  const std::string request_id = NewRequestId();
  Response response;
  std::int64_t delay_ms = 0;
  try {
    if (services_.tables != nullptr && IsRowControl(request)) {
      return LoadRows(request, *services_.tables);
    }
    if (IsTaskControl(request)) return ControlTasks(request, &services_.write.batch_load());
    response = RouteOrFail(request, protocol, request_id, &delay_ms);
  } catch (const ApiError& error) {
    response = ErrorResponse(error, protocol, request, request_id);
  } catch (const std::exception& error) {
    response = ErrorResponse(Internal(protocol, error.what()), protocol, request, request_id);
  }
  response.delay_ms = delay_ms;
  const bool s3 = protocol == Protocol::kS3;
  response.headers.emplace_back(s3 ? "x-amz-request-id" : "x-amzn-RequestId", request_id);
  if (s3) response.headers.emplace_back("x-amz-id-2", "ts-local/" + request_id);
  response.headers.emplace_back("Date", HttpTime(now_()));
  response.headers.emplace_back("Server", "ts-local");
  return response;
}

Response Dispatcher::RouteOrFail(Request& request, Protocol protocol, const std::string& request_id,
                                 std::int64_t* delay_ms) {
  const auto fault =
      faults_ == nullptr ? std::nullopt : faults_->Next(OperationOf(request, protocol), protocol);
  if (!fault) return Route(request, protocol, request_id);
  *delay_ms = fault->slow_ms;
  Response response;
  if (fault->after || fault->kind == Fault::Kind::kSlow) {
    response = Route(request, protocol, request_id);  // a call that fails anyway has no effect
  }
  switch (fault->kind) {
    case Fault::Kind::kError:
      if (!fault->in_200) throw fault->Error();
      response = ErrorResponse(fault->Error(), protocol, request, request_id);
      response.status = 200;
      break;
    case Fault::Kind::kReset:
      response.delivery = Response::Delivery::kReset;
      break;
    case Fault::Kind::kHang:
      response.delivery = Response::Delivery::kHang;
      break;
    case Fault::Kind::kSlow:
    case Fault::Kind::kStopTask:  // of steps, never of calls
    case Fault::Kind::kFailTask:
      break;
  }
  return response;
}

Response Dispatcher::Route(Request& request, Protocol protocol, const std::string& request_id) {
  if (protocol == Protocol::kJson) return HandleTimestream(request);
  if (protocol == Protocol::kQuery) return HandleQueryProtocol(request, request_id);
  const Caller caller = verifier_.Verify(request, protocol, {"s3"});
  if (services_.s3 == nullptr) {
    throw ApiError(501, "NotImplemented",
                   "This ts-local keeps no objects (--s3_endpoint): its Timestream works on the S3 "
                   "at " +
                       services_.s3_endpoint +
                       ". Send S3 requests there, for instance by AWS_ENDPOINT_URL_S3.");
  }
  return services_.s3->Handle(caller, request);
}

Response Dispatcher::HandleTimestream(Request& request) {
  const Caller caller = verifier_.Verify(request, Protocol::kJson, {"timestream"});
  const std::string_view target = request.Header("x-amz-target");
  if (request.method != "POST" || request.path != "/" || !target.starts_with(kTarget)) {
    throw ApiError(404, "UnknownOperationException", "");
  }
  const std::string operation(target.substr(kTarget.size()));
  if (operation == "DescribeEndpoints") {
    // With the scheme: clients put https:// before an address without one.
    const nlohmann::json endpoints = {
        {"Endpoints",
         {{{"Address", "http://" + std::string(request.Header("host"))},
           {"CachePeriodInMinutes", 1440}}}}};
    return JsonResponse(200, endpoints.dump());
  }
  if (operation == "Query" || operation == "CancelQuery" || operation == "PrepareQuery") {
    return JsonResponse(200, services_.query.Handle(caller, operation, request.body));
  }
  return JsonResponse(200, services_.write.Handle(caller, operation, request.body));
}

Response Dispatcher::HandleQueryProtocol(Request& request, const std::string& request_id) {
  const QueryForm form(request.body);
  Response response;
  response.headers.emplace_back("Content-Type", "text/xml");
  if (StsService::IsUnsigned(form)) {
    response.body = services_.sts.Handle(nullptr, form, request_id);
    return response;
  }
  const Caller caller = verifier_.Verify(request, Protocol::kQuery, {"sts", "sns"});
  response.body = caller.service == "sts" ? services_.sts.Handle(&caller, form, request_id)
                                          : services_.sns.Handle(caller, form, request_id);
  return response;
}

}  // namespace ts_local
