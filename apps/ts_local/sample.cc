#include "ts_local/sample.h"

#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "ts_local/api_error.h"
#include "ts_local/record_rules.h"

namespace ts_local {
namespace {

constexpr std::int64_t kStepNs = 300'000'000'000;  // a reading every five minutes
constexpr std::int64_t kDays = 4;

struct City {
  std::string_view name;
  double mean;  // degrees Celsius
};
constexpr std::array<City, 8> kCities{{{"Oslo", 6.5},
                                       {"Lisbon", 17.25},
                                       {"São Paulo", 20.125},
                                       {"Zürich", 10.0},
                                       {"New York, NY", 12.75},
                                       {"Nairobi", 19.0},
                                       {"東京", 16.5},
                                       {"St. John's", 5.5}}};

// What makes a CSV round trip go wrong, beside plain words.
constexpr std::array<std::string_view, 12> kNotes{"calm",
                                                  "gusty, then calm",
                                                  "said \"ok\" twice",
                                                  "C:\\logs\\today",
                                                  "first line\nsecond line",
                                                  "Grüße aus Zürich",
                                                  "ends with a backslash\\",
                                                  "\"",
                                                  "crlf\r\ninside, with \\\" mixed",
                                                  " padded ",
                                                  "雨のち晴れ",
                                                  ",\n\\,"};
constexpr std::array<std::string_view, 3> kStates{"on", "off", "stand-by"};

// Spreads bits evenly (the finalizer of splitmix64, public domain): the sample's only "chance".
std::uint64_t Mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15U;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31U);
}

void Put(Record* record, const char* name, ScalarType type, Value value) {
  record->measures.emplace_back(MeasureColumn{name, type, true}, std::move(value));
}

Record Base(std::size_t city, std::int64_t step_ns, std::uint64_t chance) {
  Record record;
  record.multi = true;
  // Readings do not fall on whole milliseconds.
  record.time_ns = step_ns + static_cast<std::int64_t>(chance % 1'000'000'000) * 7 + 1;
  record.dimensions.emplace_back("city", kCities[city].name);
  return record;
}

Record Climate(std::size_t city, std::int64_t step_ns) {
  const std::uint64_t chance = Mix(static_cast<std::uint64_t>(step_ns) + city);
  Record record = Base(city, step_ns, chance);
  record.measure_name = "climate";
  record.dimensions.emplace_back("device", "thermo-" + std::to_string(city + 1));
  if (city % 2 == 1) record.dimensions.emplace_back("floor", std::to_string(city / 2));
  const double phase =
      2 * M_PI * static_cast<double>(step_ns % kDayNs) / static_cast<double>(kDayNs);
  const double lag = static_cast<double>(city) * 0.7;
  if (chance % 29 != 0) {
    Put(&record, "temperature", ScalarType::kDouble,
        kCities[city].mean + 6.5 * std::sin(phase - lag) + 0.3 * std::sin(17 * phase));
  }
  if (chance % 31 != 0) {
    Put(&record, "humidity", ScalarType::kDouble, 55.0 + 30.0 * std::cos(phase - lag));
  }
  // Now and then a count that a double cannot hold.
  Put(&record, "samples", ScalarType::kBigint,
      chance % 101 == 0 ? (std::int64_t{1} << 53) + 1
                        : static_cast<std::int64_t>(chance >> 40U) - 8'000'000);
  if (chance % 13 != 0) Put(&record, "ok", ScalarType::kBoolean, chance % 5 != 0);
  if (chance % 3 != 0) {
    Put(&record, "note", ScalarType::kVarchar, std::string(kNotes[(chance >> 8U) % kNotes.size()]));
  }
  return record;
}

Record Power(std::size_t city, std::int64_t step_ns) {
  const std::uint64_t chance = Mix(static_cast<std::uint64_t>(step_ns) * 31 + city);
  Record record = Base(city, step_ns, chance);
  record.measure_name = "power";
  record.dimensions.emplace_back("device", "meter-" + std::to_string(city + 1));
  const double phase =
      2 * M_PI * static_cast<double>(step_ns % kDayNs) / static_cast<double>(kDayNs);
  Put(&record, "load", ScalarType::kDouble,
      1e3 * (1.0 + static_cast<double>(city)) * (1.5 + std::sin(2 * phase)));
  if (chance % 7 != 0) {
    Put(&record, "status", ScalarType::kVarchar,
        std::string(kStates[(chance >> 8U) % kStates.size()]));
  }
  return record;
}

// The table, created where it is missing; whether it holds rows.
bool PrepareTable(TableStore& tables, const TableName& name) {
  try {
    tables.CreateDatabase(name.region, name.database, "");
  } catch (const ApiError& error) {
    if (error.code() != "ConflictException") throw;
  }
  TableProperties properties;
  properties.memory_hours = 24;
  properties.magnetic_days = 3655;
  properties.magnetic_writes = true;
  try {
    tables.CreateTable(name, properties);
  } catch (const ApiError& error) {
    if (error.code() != "ConflictException") throw;
  }
  bool filled = false;
  tables.Scan(name, tables.Schema(name), 0, std::numeric_limits<std::int64_t>::max(),
              [&](const RowView&) {
                filled = true;
                return false;
              });
  return filled;
}

}  // namespace

void FillSample(TableStore& tables, std::int64_t now_ns, const std::string& region) {
  const TableName name{region, "sourcedb", "myTable"};
  if (PrepareTable(tables, name)) return;
  std::vector<Record> records;
  const std::int64_t today = now_ns / kDayNs * kDayNs;
  for (std::int64_t step = today - kDays * kDayNs; step < now_ns; step += kStepNs) {
    for (std::size_t city = 0; city < kCities.size(); ++city) {
      for (Record record : {Climate(city, step), Power(city, step)}) {
        if (record.time_ns < now_ns) records.push_back(std::move(record));
      }
    }
  }
  // One batch is one transaction: a sample is there whole or not at all.
  const WriteResult result = tables.Write(name, records);
  if (!result.rejections.empty()) {
    throw std::runtime_error("sample row refused: " + result.rejections.front().reason);
  }
}

}  // namespace ts_local
