#include "ts_local/options.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <stdexcept>

#include "ts_local/batch_load_options.h"

namespace ts_local {
namespace {

// Flags as they were given, where they need more than CLI11 to be read.
struct Texts {
  std::vector<std::string> ids;
  std::vector<std::string> secrets;
  std::vector<std::string> principals;
  std::vector<std::string> faults;
  std::string s3_url;
  AccessKey s3_key;
};

// What a parser throws, as CLI11 wants to be told.
template <typename Parsed>
std::string WhyNot(const std::string& text) {
  try {
    (void)Parsed::Parse(text);
    return {};
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}

void AddPlace(CLI::App* app, Options* options) {
  app->add_option("--port", options->port, "Port to listen on; 0 takes a free one")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  app->add_option("--host", options->host, "Address to listen on")->capture_default_str();
  app->add_option("--dir", options->dir, "Directory of tables, objects and messages")->required();
}

void AddUsers(CLI::App* app, Options* options, Texts* texts) {
  app->add_option("--access_key,--access-key", texts->ids,
                  "Access key id that is accepted; repeat it, each with its --secret_key "
                  "(default test/test)")
      ->allow_extra_args(false);
  app->add_option("--secret_key,--secret-key", texts->secrets, "Secret of the access key before it")
      ->allow_extra_args(false);
  app->add_option("--principal", texts->principals,
                  "A further user with an access key of its own, may be repeated; PRINCIPAL is " +
                      std::string(Principal::kGrammar))
      ->type_name("PRINCIPAL")
      ->allow_extra_args(false)
      ->check(WhyNot<Principal>);
  app->add_option("--account", options->account_id, "Account id, 12 digits")
      ->check([](const std::string& text) {
        const bool digits = text.find_first_not_of("0123456789") == std::string::npos;
        return text.size() == 12 && digits ? "" : "an account id has 12 digits, not '" + text + "'";
      })
      ->capture_default_str();
  app->add_option("--session_seconds,--session-seconds", options->session_seconds,
                  "Temporary credentials that STS gives end this many seconds later, whatever "
                  "Expiration they carry: to see ExpiredToken in the middle of a run")
      ->check(CLI::Range(1, 129'600));
}

void AddMishaps(CLI::App* app, Options* options, Texts* texts) {
  app->add_option("--fail", texts->faults,
                  "Make calls fail, may be repeated; RULE is " + std::string(FaultRule::kGrammar) +
                      ". While ts-local runs, unsigned and from this machine: POST /ts-local/fail "
                      "{\"rules\": [RULE, ...]} adds, GET lists with counts, DELETE drops all")
      ->type_name("RULE")
      ->allow_extra_args(false)
      ->check(WhyNot<FaultRule>);
  app->add_option("--latency_ms,--latency-ms", options->latency_ms,
                  "Every answer is held back until so many milliseconds after its request")
      ->check(CLI::Range(0, 3'600'000))
      ->capture_default_str();
}

void AddUnload(CLI::App* app, Options* options) {
  app->add_option(
         "--time_scale,--time-scale", options->unload.time_scale,
         "Seconds of the service in one real second, for the limits and durations of UNLOAD "
         "and batch load")
      ->check(CLI::Range(0.001, 1e9))
      ->capture_default_str();
  app->add_option(
         "--unload_rate,--unload-rate", options->unload.starts_per_second,
         "UNLOADs that may start per second and region; the service's limit is 1. One too many "
         "gets ThrottlingException. 0: any number")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  app->add_option("--unload_seconds,--unload-seconds", options->unload.seconds,
                  "How long an UNLOAD takes, few rows or many, with its percentage growing; after "
                  "60 minutes it fails. 0: as long as it really takes")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  app->add_option("--unload_seconds_per_million_rows,--unload-seconds-per-million-rows",
                  options->unload.seconds_per_million_rows,
                  "How long an UNLOAD takes by its rows, added to --unload_seconds")
      ->check(CLI::Range(0.0, 1e12))
      ->capture_default_str();
  app->add_option("--memory_partitions,--memory-partitions", options->memory_partitions,
                  "An UNLOAD with more partitions than this fails: its computation exceeds the "
                  "maximum available memory; 0: no such limit")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
}

void AddSample(CLI::App* app, Options* options) {
  app->add_flag("--sample", options->sample, "Fill sourcedb.myTable with several days of readings");
  app->add_option("--region", options->sample_regions,
                  "Region of --sample; may be repeated (default us-east-1)")
      ->allow_extra_args(false);
  app->add_option("--port_file,--port-file", options->port_file,
                  "Write the port to this file when ready");
}

void AddForeignS3(CLI::App* app, Texts* texts) {
  app->add_option(
         "--s3_endpoint,--s3-endpoint", texts->s3_url,
         "URL of another S3 (LocalStack, MinIO, moto), http:// or https://: UNLOAD then writes "
         "its files there, batch load reads from there and writes its reports there, in "
         "path style and signed for the caller's region. ts-local's own S3 is off: it "
         "refuses S3 requests and names this URL")
      ->check([](const std::string& text) {
        const auto parsed = ParseS3Endpoint(text);
        const auto* wrong = std::get_if<std::string>(&parsed);
        return wrong == nullptr ? std::string() : *wrong;
      });
  app->add_option("--s3_access_key,--s3-access-key", texts->s3_key.id,
                  "Access key id for --s3_endpoint (default: the first --access_key with its "
                  "secret)");
  app->add_option("--s3_secret_key,--s3-secret-key", texts->s3_key.secret,
                  "Secret of --s3_access_key");
}

// Beside --s3_endpoint; the first --access_key stands in for a key that is not given.
void ReadForeignS3(const Texts& texts, Options* options) {
  const AccessKey& key = texts.s3_key;
  if (key.id.empty() != key.secret.empty()) {
    throw CLI::ValidationError("--s3_access_key", "it and --s3_secret_key need each other");
  }
  if (texts.s3_url.empty() && !key.id.empty()) {
    throw CLI::ValidationError("--s3_access_key", "it is for --s3_endpoint, which is absent");
  }
  if (texts.s3_url.empty()) return;
  options->s3_endpoint = std::get<S3Endpoint>(ParseS3Endpoint(texts.s3_url));
  options->s3_key = key.id.empty() ? options->keys.front() : key;
}

void ReadTexts(const Texts& texts, Options* options) {
  if (texts.ids.size() != texts.secrets.size()) {
    throw CLI::ValidationError("--access_key", "each needs its own --secret_key");
  }
  if (!options->sample && !options->sample_regions.empty()) {
    throw CLI::ValidationError("--region", "it says where --sample goes, and --sample is absent");
  }
  for (std::size_t i = 0; i < texts.ids.size(); ++i) {
    options->keys.push_back({texts.ids[i], texts.secrets[i]});
  }
  if (options->keys.empty()) options->keys.push_back({"test", "test"});
  for (const auto& text : texts.principals) {
    options->principals.push_back(Principal::Parse(text));
    options->keys.push_back(options->principals.back().key);
  }
  options->batch_load.time_scale = options->unload.time_scale;
  for (const auto& text : texts.faults) options->faults.push_back(FaultRule::Parse(text));
  ReadForeignS3(texts, options);
  if (options->sample_regions.empty()) options->sample_regions.emplace_back("us-east-1");
}

}  // namespace

std::variant<Options, int> ParseOptions(int argc, const char* const* argv) {
  Options options;
  Texts texts;
  CLI::App app("A local stand-in for Amazon Timestream, S3, STS and SNS on one port", "ts-local");
  app.footer(
      "Rows in bulk into a table that exists, unsigned and from this machine: POST a CSV to "
      "/ts-local/rows?database=D&table=T[&region=R]. Its first line names time (nanoseconds), "
      "measure_name, NAME for a dimension, NAME:TYPE for an attribute (bigint, double, varchar, "
      "boolean, timestamp); an empty field leaves it out.");
  AddPlace(&app, &options);
  AddUsers(&app, &options, &texts);
  AddMishaps(&app, &options, &texts);
  AddUnload(&app, &options);
  AddBatchLoadOptions(&app, &options.batch_load);
  AddSample(&app, &options);
  AddForeignS3(&app, &texts);
  try {
    app.parse(argc, argv);
    ReadTexts(texts, &options);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, std::cout, std::cerr) == 0 ? 0 : 2;
  }
  return options;
}

}  // namespace ts_local
