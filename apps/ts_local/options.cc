#include "ts_local/options.h"

#include <CLI/CLI.hpp>
#include <iostream>

namespace ts_local {

std::variant<Options, int> ParseOptions(int argc, const char* const* argv) {
  Options options;
  std::vector<std::string> ids;
  std::vector<std::string> secrets;
  CLI::App app("A local stand-in for Amazon Timestream, S3, STS and SNS on one port", "ts-local");
  app.add_option("--port", options.port, "Port to listen on; 0 takes a free one")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  app.add_option("--host", options.host, "Address to listen on")->capture_default_str();
  app.add_option("--dir", options.dir, "Directory of tables, objects and messages")->required();
  app.add_option("--access_key,--access-key", ids,
                 "Access key id that is accepted; repeat it, each with its --secret_key "
                 "(default test/test)")
      ->allow_extra_args(false);
  app.add_option("--secret_key,--secret-key", secrets, "Secret of the access key before it")
      ->allow_extra_args(false);
  app.add_option("--account", options.account_id, "Account id, 12 digits")
      ->check([](const std::string& text) {
        const bool digits = text.find_first_not_of("0123456789") == std::string::npos;
        return text.size() == 12 && digits ? "" : "an account id has 12 digits, not '" + text + "'";
      })
      ->capture_default_str();
  app.add_flag("--sample", options.sample, "Fill sourcedb.myTable with several days of readings");
  app.add_option("--region", options.sample_regions,
                 "Region of --sample; may be repeated (default us-east-1)")
      ->allow_extra_args(false);
  app.add_option("--port_file,--port-file", options.port_file,
                 "Write the port to this file when ready");
  try {
    app.parse(argc, argv);
    if (ids.size() != secrets.size()) {
      throw CLI::ValidationError("--access_key", "each needs its own --secret_key");
    }
    if (!options.sample && !options.sample_regions.empty()) {
      throw CLI::ValidationError("--region", "it says where --sample goes, and --sample is absent");
    }
  } catch (const CLI::ParseError& error) {
    return app.exit(error, std::cout, std::cerr) == 0 ? 0 : 2;
  }
  for (std::size_t i = 0; i < ids.size(); ++i) options.keys.push_back({ids[i], secrets[i]});
  if (options.keys.empty()) options.keys.push_back({"test", "test"});
  if (options.sample_regions.empty()) options.sample_regions.emplace_back("us-east-1");
  return options;
}

}  // namespace ts_local
