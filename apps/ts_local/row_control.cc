#include "ts_local/row_control.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "ts_local/api_error.h"
#include "ts_local/csv_reader.h"
#include "ts_local/measure_text.h"
#include "ts_local/sql_lexer.h"

namespace ts_local {
namespace {

constexpr std::size_t kBatchRows = 10'000;  // one transaction
constexpr std::size_t kShownRejections = 10;

Response Json(int status, const nlohmann::json& body) {
  Response response;
  response.status = status;
  response.headers.emplace_back("Content-Type", "application/json");
  response.body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  return response;
}

std::invalid_argument Wrong(std::int64_t line, const std::string& what) {
  return std::invalid_argument("line " + std::to_string(line) + ": " + what);
}

struct Column {
  enum class Role { kTime, kMeasureName, kDimension, kMeasure };
  Role role = Role::kDimension;
  MeasureColumn measure;  // its name is the dimension's too
};

std::vector<Column> ReadColumns(const CsvRecord& head) {
  std::vector<Column> columns;
  const auto has = [&columns](Column::Role role) {
    return std::any_of(columns.begin(), columns.end(),
                       [role](const Column& column) { return column.role == role; });
  };
  for (std::size_t i = 0; i < head.count; ++i) {
    const std::string& text = head.fields[i];
    Column column;
    const std::size_t colon = text.rfind(':');
    column.measure.name = text.substr(0, colon);
    if (text == "time") {
      column.role = Column::Role::kTime;
    } else if (text == "measure_name") {
      column.role = Column::Role::kMeasureName;
    } else if (colon != std::string::npos) {
      const auto type = ParseScalarType(AsciiUpper(text.substr(colon + 1)));
      if (!type) throw Wrong(1, "'" + text + "' names no type of Timestream's");
      column.role = Column::Role::kMeasure;
      column.measure.type = *type;
      column.measure.multi = true;
    }
    columns.push_back(std::move(column));
  }
  if (!has(Column::Role::kTime) || !has(Column::Role::kMeasureName) ||
      !has(Column::Role::kDimension) || !has(Column::Role::kMeasure)) {
    throw Wrong(1, "it must name time, measure_name, a dimension and a NAME:TYPE");
  }
  return columns;
}

Record ReadRecord(const std::vector<Column>& columns, const CsvRecord& line) {
  if (!line.error.empty()) throw Wrong(line.first_line, line.error);
  if (line.count != columns.size()) {
    throw Wrong(line.first_line, std::to_string(line.count) + " fields instead of " +
                                     std::to_string(columns.size()));
  }
  Record record;
  record.multi = true;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Column& column = columns[i];
    const std::string& text = line.fields[i];
    if (column.role == Column::Role::kTime) {
      const auto time = ParseEpoch(text, TimeUnit::kNanoseconds);
      if (!time) throw Wrong(line.first_line, "'" + text + "' is no time in nanoseconds");
      record.time_ns = *time;
    } else if (column.role == Column::Role::kMeasureName) {
      record.measure_name = text;
    } else if (text.empty()) {
      continue;
    } else if (column.role == Column::Role::kDimension) {
      record.dimensions.emplace_back(column.measure.name, text);
    } else {
      auto value = ParseMeasure(column.measure.type, text, TimeUnit::kNanoseconds);
      if (!value) {
        throw Wrong(line.first_line, "'" + text + "' is no value of " + column.measure.name);
      }
      record.measures.emplace_back(column.measure, *std::move(value));
    }
  }
  const bool whole =
      !record.measure_name.empty() && !record.dimensions.empty() && !record.measures.empty();
  if (whole) return record;
  throw Wrong(line.first_line, "a row needs a measure_name, a dimension and a measure value");
}

// Writes batches and counts what became of them.
class Batches {
 public:
  Batches(TableStore& tables, TableName table) : tables_(tables), table_(std::move(table)) {}

  void Add(Record record, std::int64_t line) {
    records_.push_back(std::move(record));
    lines_.push_back(line);
    if (records_.size() == kBatchRows) Write();
  }

  void Write() {
    if (records_.empty()) return;
    const WriteResult result = tables_.Write(table_, records_);
    ingested_ += result.ingested;
    rejected_ += result.rejections.size();
    for (const RowRejection& rejection : result.rejections) {
      if (shown_.size() == kShownRejections) break;
      shown_.push_back({{"line", lines_[rejection.index]}, {"reason", rejection.reason}});
    }
    records_.clear();
    lines_.clear();
  }

  Response Answer() const {
    return Json(rejected_ == 0 ? 200 : 400,
                {{"ingested", ingested_}, {"rejected", rejected_}, {"rejections", shown_}});
  }

 private:
  TableStore& tables_;
  const TableName table_;
  std::vector<Record> records_;
  std::vector<std::int64_t> lines_;
  std::int64_t ingested_ = 0;
  std::size_t rejected_ = 0;
  nlohmann::json shown_ = nlohmann::json::array();
};

std::string Parameter(const Request& request, const char* name, const char* otherwise) {
  const std::string* given = request.Query(name);
  if (given != nullptr && !given->empty()) return *given;
  if (otherwise == nullptr) {
    throw std::invalid_argument(std::string("the parameter ") + name + " is missing");
  }
  return otherwise;
}

Response Load(const Request& request, TableStore& tables) {
  const TableName table{Parameter(request, "region", "us-east-1"),
                        Parameter(request, "database", nullptr),
                        Parameter(request, "table", nullptr)};
  (void)tables.GetTable(table);
  std::size_t read = 0;
  CsvReader reader(
      [&](char* buffer, std::size_t size) {
        const std::size_t count = std::min(size, request.body.size() - read);
        std::copy_n(request.body.data() + read, count, buffer);
        read += count;
        return count;
      },
      {});
  CsvRecord line;
  if (!reader.Next(&line)) throw Wrong(1, "the body is empty");
  const std::vector<Column> columns = ReadColumns(line);
  Batches batches(tables, table);
  while (reader.Next(&line)) batches.Add(ReadRecord(columns, line), line.first_line);
  batches.Write();
  return batches.Answer();
}

}  // namespace

bool IsRowControl(const Request& request) {
  return request.path == "/ts-local/rows" && request.Header("authorization").empty();
}

Response LoadRows(const Request& request, TableStore& tables) {
  if (!request.from_this_machine) {
    return Json(403, {{"error", "only this machine may load rows"}});
  }
  if (request.method != "POST") return Json(405, {{"error", "POST is known here"}});
  try {
    return Load(request, tables);
  } catch (const std::invalid_argument& error) {
    return Json(400, {{"error", error.what()}});
  } catch (const ApiError& error) {
    const bool absent = error.code() == "ResourceNotFoundException";
    return Json(absent ? 404 : 400, {{"error", error.code() + ": " + error.what()}});
  }
}

}  // namespace ts_local
