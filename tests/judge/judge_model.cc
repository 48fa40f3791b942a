// The data model that the library makes of a table, asked of a Timestream that is reached by the
// environment's settings (AWS_ENDPOINT_URL and credentials).
//
//   judge_model DATABASE TABLE TIME_COLUMN [timestamp COLUMN ALIAS]... [left_out COLUMN]...
//
// Prints {"model": <as the file>, "notes": [...], "measures": [[name, type, [dimension, ...]],
// ...]}. Exits 1 with the error on stderr where the model can't be made, 2 for wrong arguments, 3
// where the configuration is no good.
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tsm/aws/client.h"
#include "tsm/aws/credentials/chain.h"
#include "tsm/aws/settings.h"
#include "tsm/http/curl_transport.h"
#include "tsm/model/data_model_generate.h"
#include "tsm/timestream/query_client.h"

namespace tsm {
namespace {

bool ReadArguments(const std::vector<std::string>& arguments, timestream::TableRef* table,
                   model::ModelSource* source) {
  if (arguments.size() < 3) return false;
  *table = {.database = arguments[0], .table = arguments[1]};
  source->time_column = arguments[2];
  for (std::size_t i = 3; i < arguments.size();) {
    if (arguments[i] == "timestamp" && i + 2 < arguments.size()) {
      source->timestamp_aliases[arguments[i + 1]] = arguments[i + 2];
      i += 3;
    } else if (arguments[i] == "left_out" && i + 1 < arguments.size()) {
      source->left_out.push_back(arguments[i + 1]);
      i += 2;
    } else {
      return false;
    }
  }
  return true;
}

Status Print(timestream::QueryClient& query, const timestream::TableRef& table,
             model::ModelSource source) {
  Result<timestream::TableSchema> schema = timestream::DescribeSchema(query, table, {});
  if (!schema) return schema.error();
  Result<std::vector<timestream::Measure>> measures = timestream::ShowMeasures(query, table, {});
  if (!measures) return measures.error();
  source.schema = *std::move(schema);
  source.measures = *std::move(measures);
  const Result<model::GeneratedModel> generated = model::GenerateDataModel(source);
  if (!generated) return generated.error();
  nlohmann::json out = {{"model", nlohmann::json::parse(model::ToJson(generated->model))},
                        {"notes", generated->notes},
                        {"measures", nlohmann::json::array()}};
  for (const timestream::Measure& measure : source.measures) {
    nlohmann::json dimensions = nlohmann::json::array();
    for (const auto& dimension : measure.dimensions) dimensions.push_back(dimension.name);
    out["measures"].push_back({measure.name, measure.data_type, dimensions});
  }
  std::printf("%s\n", out.dump().c_str());
  return Ok();
}

int Run(const std::vector<std::string>& arguments) {
  timestream::TableRef table;
  model::ModelSource source;
  if (!ReadArguments(arguments, &table, &source)) {
    std::fprintf(stderr,
                 "usage: judge_model DATABASE TABLE TIME_COLUMN [timestamp COLUMN ALIAS]... "
                 "[left_out COLUMN]...\n");
    return 2;
  }
  const Result<aws::ClientSettings> settings =
      aws::ResolveSettings({}, aws::Environment::OfProcess());
  if (!settings) {
    std::fprintf(stderr, "judge_model: %s\n", settings.error().Text().c_str());
    return 3;
  }
  SystemClock clock;
  SystemRandom random;
  http::CurlTransport transport(settings->http);
  aws::CredentialsContext context;
  context.transport = &transport;
  context.clock = &clock;
  context.random = &random;
  context.endpoints = settings->endpoints;
  context.region = settings->region;
  aws::ClientParts parts;
  parts.transport = &transport;
  parts.clock = &clock;
  parts.random = &random;
  parts.credentials = aws::MakeCredentialsProvider(settings->credentials, context);
  parts.user_agent = "judge-model/1";
  aws::Client client(std::move(parts));
  timestream::QueryClient query(
      client, settings->endpoints.Resolve(aws::Service::kTimestreamQuery, settings->region),
      settings->region);
  const Status printed = Print(query, table, std::move(source));
  if (printed) return 0;
  std::fprintf(stderr, "judge_model: %s\n", printed.error().Text().c_str());
  return 1;
}

}  // namespace
}  // namespace tsm

int main(int argc, char** argv) {
  return tsm::Run(std::vector<std::string>(argv + 1, argv + argc));
}
