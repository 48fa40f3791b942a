#include "tsm/unload/unload_options.h"

#include "tsm/core/flag_values.h"
#include "tsm/core/text.h"
#include "tsm/core/time_text.h"
#include "unload_place.h"

namespace tsm::unload {

namespace {

// Below 262,144 bytes, the longest statement, with room for the columns of any table.
// https://docs.aws.amazon.com/timestream/latest/developerguide/API_query_Query.html
constexpr std::size_t kMaxWhereBytes = 65'536;

// What one UNLOAD may hold: AWS recommends 60 GB; its own tool goes to 80.
// https://docs.aws.amazon.com/timestream/latest/developerguide/export-unload-best-practices.html
constexpr std::uint64_t kMinTargetBytes = 16'000'000;
constexpr std::uint64_t kMaxTargetBytes = 80'000'000'000;

// No limit of the service is documented. Each UNLOAD in flight is held by a thread of its own and
// takes from what one account may scan at a time; at one start a second more would only wait.
constexpr std::uint64_t kMaxParallel = 32;
constexpr std::chrono::hours kMaxStartInterval{1};
constexpr std::chrono::hours kMaxGiveUpAfter{30 * 24};

Result<std::optional<UnixNanos>> CheckTime(std::string_view flag, const std::string& text) {
  if (text.empty()) return std::optional<UnixNanos>();
  Result<UnixNanos> time = ParseTimestamp(text);
  if (!time) return InvalidFlag(flag, time.error().message);
  return std::optional<UnixNanos>(*time);
}

Status CheckRange(const UnloadInput& input, UnloadOptions& options) {
  Result<std::optional<UnixNanos>> from = CheckTime("from_time", input.from_time);
  if (!from) return from.error();
  Result<std::optional<UnixNanos>> end = CheckTime("end_time", input.end_time);
  if (!end) return end.error();
  options.from = *from;
  options.end = *end;
  if (!options.from || !options.end || *options.from < *options.end) return Ok();
  return InvalidFlag("end_time", FormatTimestamp(*options.end) + " is not after --from_time, " +
                                     FormatTimestamp(*options.from) +
                                     "; the end is not included in the range");
}

Result<PartitionUnit> CheckPartition(const std::string& text) {
  if (const std::optional<PartitionUnit> unit = timestream::ParsePartitionUnit(text)) return *unit;
  return InvalidValue("partition", text, "is not one of hour, day, month, year");
}

// Columns, each with an optional direction; whether the table has them is seen later.
Result<std::vector<std::string>> CheckOrder(const std::string& text) {
  Result<std::vector<std::string>> order = ParseList("order_by", text);
  if (!order) return order.error();
  for (const std::string& item : *order) {
    const std::string lower = ToLowerAscii(item);
    if (lower == "asc" || lower == "desc") {
      return InvalidValue("order_by", text,
                          "names no column before " + item + "; write it behind the column");
    }
  }
  return order;
}

Status CheckRows(const UnloadInput& input, UnloadOptions& options) {
  if (Status range = CheckRange(input, options); !range) return range;
  Result<PartitionUnit> partition = CheckPartition(input.partition);
  if (!partition) return partition.error();
  options.partition = *partition;

  const auto list = [](std::string_view flag, const std::string& text,
                       std::vector<std::string>& to) -> Status {
    if (text.empty()) return Ok();
    Result<std::vector<std::string>> names = ParseList(flag, text);
    if (!names) return names.error();
    to = *std::move(names);
    return Ok();
  };
  if (Status s = list("partitioned_by", input.partitioned_by, options.partitioned_by); !s) return s;
  if (Status s = list("columns", input.columns, options.columns); !s) return s;

  if (!input.where.empty()) {
    if (input.where.size() > kMaxWhereBytes) {
      return InvalidFlag("where", "has " + WithThousands(input.where.size()) + " bytes; at most " +
                                      WithThousands(kMaxWhereBytes) +
                                      " are taken, so that the statement fits in Timestream's "
                                      "262,144");
    }
    if (const std::optional<std::string> why = WhyNoPredicate(input.where)) {
      return InvalidValue("where", input.where,
                          *why + "; give one predicate, such as city = 'Oslo'");
    }
    options.where = std::string(TrimAscii(input.where));
  }
  if (!input.order_by.empty()) {
    Result<std::vector<std::string>> order = CheckOrder(input.order_by);
    if (!order) return order.error();
    options.order_by = *std::move(order);
  }
  return Ok();
}

Status CheckSlices(const UnloadInput& input, UnloadOptions& options) {
  SliceSettings& slices = options.slices;
  slices.survey = input.survey;
  slices.recent_first = input.recent_first;
  if (!input.max_partitions.empty()) {
    if (options.partition == PartitionUnit::kNone && options.partitioned_by.empty()) {
      return InvalidValue("max_partitions", input.max_partitions,
                          "has no effect without --partition or --partitioned_by; give one of "
                          "them, or leave it away");
    }
    Result<std::uint64_t> count =
        ParseCount("max_partitions", input.max_partitions, 1, kMaxPartitionsPerUnload,
                   ": the service takes no more in one UNLOAD");
    if (!count) return count.error();
    slices.max_partitions = *count;
  }
  if (!input.target_size.empty()) {
    if (!input.survey) {
      return InvalidValue("target_size", input.target_size,
                          "needs --survey, which counts the rows of each partition: without it "
                          "nothing is known about sizes");
    }
    Result<std::uint64_t> bytes =
        ParseSize("target_size", input.target_size, kMinTargetBytes, kMaxTargetBytes,
                  "is not X[MB|GB] from 16MB to 80GB; AWS recommends no more than 60 GB per query");
    if (!bytes) return bytes.error();
    slices.target_bytes = *bytes;
  }
  return Ok();
}

Status CheckPrices(const UnloadInput& input, PriceAssumptions& prices) {
  struct Flag {
    std::string_view name;
    const std::string& text;
    double& price;
  };
  const Flag flags[] = {
      {"price_query_gb", input.price_query_gb, prices.query_gb},
      {"price_put_1000", input.price_put_1000, prices.put_1000},
      {"price_storage_gb_month", input.price_storage_gb_month, prices.storage_gb_month}};
  for (const Flag& flag : flags) {
    if (flag.text.empty()) continue;
    Result<double> price = ParsePrice(flag.name, flag.text);
    if (!price) return price.error();
    flag.price = *price;
  }
  return Ok();
}

template <typename Value>
Result<Value> Choose(std::string_view flag, const std::string& text,
                     const std::vector<std::pair<std::string_view, Value>>& values) {
  std::string known;
  for (const auto& [name, value] : values) {
    if (text == name) return value;
    known += (known.empty() ? "" : ", ") + std::string(name);
  }
  return InvalidValue(flag, text, "is not one of " + known);
}

}  // namespace

Result<RunSettings> CheckRunSettings(const UnloadInput& input) {
  RunSettings run;
  run.append = input.append;
  run.keep_partial = input.keep_partial;
  if (!input.parallel.empty()) {
    Result<std::uint64_t> parallel =
        ParseCount("parallel", input.parallel, 1, kMaxParallel,
                   " UNLOADs at once: the service starts one a second, and those that run side by "
                   "side share what one account may use");
    if (!parallel) return parallel.error();
    run.parallel = static_cast<std::size_t>(*parallel);
  }
  if (!input.start_interval.empty()) {
    Result<std::chrono::nanoseconds> interval =
        ParseSeconds("start_interval", input.start_interval, kMaxStartInterval);
    if (!interval) return interval.error();
    run.start_interval = *interval;
  }
  if (!input.give_up_after.empty()) {
    Result<std::chrono::nanoseconds> patience =
        ParseDuration("give_up_after", input.give_up_after, kMaxGiveUpAfter);
    if (!patience) return patience.error();
    run.give_up_after = *patience;
  }
  if (!input.verify.empty()) {
    Result<Verify> verify = Choose<Verify>(
        "verify", input.verify,
        {{"none", Verify::kNone}, {"count", Verify::kCount}, {"content", Verify::kContent}});
    if (!verify) return verify.error();
    run.verify = *verify;
  }
  if (!input.state.empty()) {
    Result<StateStore> state = Choose<StateStore>(
        "state", input.state, {{"local", StateStore::kLocal}, {"s3", StateStore::kS3}});
    if (!state) return state.error();
    run.state = *state;
  }
  return run;
}

Result<UnloadOptions> UnloadOptions::Check(const UnloadInput& input) {
  UnloadOptions options;
  Result<TableScope> scope = CheckScope(input);
  if (!scope) return scope.error();
  options.scope = *std::move(scope);
  if (Status rows = CheckRows(input, options); !rows) return rows.error();
  if (Status place = CheckDestination(input, options); !place) return place.error();
  Result<UnloadFormat> format = UnloadFormat::Check(input.format);
  if (!format) return format.error();
  options.format = *std::move(format);
  if (Status slices = CheckSlices(input, options); !slices) return slices.error();
  Result<RunSettings> run = CheckRunSettings(input);
  if (!run) return run.error();
  options.run = *run;
  if (input.redo_changed) {
    return InvalidFlag("redo_changed",
                       "is for ts-unload resume RUN: a new run has nothing to do again");
  }
  if (Status prices = CheckPrices(input, options.prices); !prices) return prices.error();
  if (!input.data_model_out.empty() && !options.scope.NamesOneTable()) {
    return InvalidValue("data_model_out", input.data_model_out,
                        "is one file for one table's data model; name one table with --table");
  }
  options.state_dir = input.state_dir;
  options.data_model_out = input.data_model_out;
  options.dry_run = input.dry_run;
  return options;
}

}  // namespace tsm::unload
