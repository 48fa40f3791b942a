#include "ts_local/operation_names.h"

#include <algorithm>
#include <array>

#include "ts_local/query_protocol.h"
#include "ts_local/s3_service.h"

namespace ts_local {
namespace {

constexpr std::array<std::string_view, 19> kTimestream = {"Query",
                                                          "CancelQuery",
                                                          "PrepareQuery",
                                                          "CreateDatabase",
                                                          "DescribeDatabase",
                                                          "UpdateDatabase",
                                                          "DeleteDatabase",
                                                          "ListDatabases",
                                                          "CreateTable",
                                                          "DescribeTable",
                                                          "UpdateTable",
                                                          "DeleteTable",
                                                          "ListTables",
                                                          "WriteRecords",
                                                          "CreateBatchLoadTask",
                                                          "DescribeBatchLoadTask",
                                                          "ListBatchLoadTasks",
                                                          "ResumeBatchLoadTask",
                                                          "DescribeEndpoints"};

constexpr std::array<std::string_view, 7> kForms = {"GetCallerIdentity",
                                                    "AssumeRole",
                                                    "AssumeRoleWithWebIdentity",
                                                    "GetSessionToken",
                                                    "CreateTopic",
                                                    "ListTopics",
                                                    "Publish"};

template <typename Names>
bool Contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Protocol ProtocolOf(const Request& request) {
  if (!request.Header("x-amz-target").empty()) return Protocol::kJson;
  const bool form = request.Header("content-type").starts_with("application/x-www-form-urlencoded");
  return request.method == "POST" && request.path == "/" && form ? Protocol::kQuery : Protocol::kS3;
}

std::string OperationOf(const Request& request, Protocol protocol) {
  if (protocol == Protocol::kS3) return S3Service::OperationOf(request);
  std::string name;
  if (protocol == Protocol::kJson) {
    const std::string_view target = request.Header("x-amz-target");
    const std::size_t dot = target.rfind('.');
    name = dot == std::string_view::npos ? "" : target.substr(dot + 1);
  } else {
    const QueryForm form(request.body);
    const std::string* action = form.Find("Action");
    if (action != nullptr) name = *action;
  }
  return IsOperation(name, protocol) ? name : "";
}

bool IsOperation(std::string_view name, Protocol protocol) {
  if (protocol == Protocol::kJson) return Contains(kTimestream, name);
  if (protocol == Protocol::kQuery) return Contains(kForms, name);
  return S3Service::IsOperation(name);
}

}  // namespace ts_local
