#include "ts_local/batch_load_file.h"

#include <algorithm>
#include <stdexcept>

#include "ts_local/rejected_data.h"
#include "ts_local/value_text.h"

namespace ts_local {
namespace {

constexpr std::size_t kBatchRecords = 20'000;
constexpr std::size_t kBatchBytes = 8U << 20U;

// Reading failed, as opposed to what the file holds: a row that is cut short must not be loaded.
struct Unreadable : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The first bytes are those of gzip (RFC 1952): no line of it can be told to the customer.
struct Compressed : std::runtime_error {
  Compressed() : std::runtime_error("The file is not CSV text: it is compressed with gzip.") {}
};

std::size_t ReadOrThrow(Storage::Download* bytes, char* buffer, std::size_t size) {
  try {
    return bytes->Read(buffer, size);
  } catch (const ApiError& error) {
    throw Unreadable(error.code() + ": " + error.what());
  } catch (const std::runtime_error& error) {
    throw Unreadable(error.what());
  }
}

// Whether the bytes are well-formed UTF-8 (Unicode 15, table 3-7).
bool IsUtf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
    const unsigned char lead = byte(i);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || i + length > text.size()) return false;
    const unsigned char second = byte(i + 1);
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
        (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) {
      return false;
    }
    for (std::size_t k = i + 1; k < i + length; ++k) {
      if ((byte(k) & 0xc0) != 0x80) return false;
    }
    i += length;
  }
  return true;
}

std::string_view UnitName(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::kSeconds:
      return "seconds";
    case TimeUnit::kMilliseconds:
      return "milliseconds";
    case TimeUnit::kMicroseconds:
      return "microseconds";
    case TimeUnit::kNanoseconds:
      break;
  }
  return "nanoseconds";
}

}  // namespace

BatchLoadFile::BatchLoadFile(const Target& target, const Bounds& bounds, const DataModel& model,
                             const CsvConfiguration& csv, BatchCounters* counters,
                             BatchLoadReport* report)
    : target_(target),
      bounds_(bounds),
      model_(model),
      csv_(csv),
      counters_(counters),
      report_(report) {}

BatchLoadFile::End BatchLoadFile::Load(const std::string& key, Storage::Download* bytes,
                                       const Progress& progress) {
  file_ = key;
  bool begun = false;
  const auto read = [&](char* buffer, std::size_t size) {
    const std::size_t count = ReadOrThrow(bytes, buffer, size);
    if (!begun && std::string_view(buffer, count).starts_with("\x1f\x8b")) throw Compressed();
    begun = true;
    return count;
  };
  CsvReader reader(read, csv_.options);
  const std::int64_t bytes_before = counters_->bytes;
  const Progress metered = [&] {
    counters_->bytes = bytes_before + static_cast<std::int64_t>(reader.bytes_read());
    return progress();
  };
  std::string problem;
  End end = End::kWhole;
  try {
    problem = LoadRows(&reader, metered, &end);
  } catch (const Compressed& error) {
    problem = error.what();
  } catch (const Unreadable& error) {
    problem = "The file could not be read to its end: " + std::string(error.what());
  }
  Flush();
  if (!problem.empty()) {
    ++counters_->file_failures;
    report_->AddFileError(file_, problem);
  }
  return metered() ? end : End::kInterrupted;
}

std::string BatchLoadFile::LoadRows(CsvReader* reader, const Progress& progress, End* end) {
  CsvRecord row;
  if (!reader->Next(&row)) return "The file has no header row.";
  std::string problem = row.error.empty() ? BindHeader(row) : row.error;
  if (!problem.empty()) return problem;
  const std::size_t width = row.count;
  const std::int64_t bytes_left = bounds_.stop_bytes - counters_->bytes;
  while (static_cast<std::int64_t>(reader->bytes_read()) < bytes_left) {
    if (!reader->Next(&row)) return {};
    const bool sound = row.error.empty() && row.count == width;
    if (sound && !HasPartition(row)) break;
    LoadRow(row, width);
    if (used_ < kBatchRecords && batch_bytes_ < kBatchBytes) continue;
    Flush();
    if (!progress()) {
      *end = End::kInterrupted;
      return {};
    }
  }
  *end = End::kBound;
  return {};
}

void BatchLoadFile::LoadRow(const CsvRecord& row, std::size_t width) {
  ++counters_->processed;
  std::string reason = row.error;
  if (reason.empty() && row.count != width) {
    reason = "The record does not have as many columns as the header.";
  }
  rows_.push_back({row.first_line, row.last_line, false});
  if (reason.empty()) reason = MapRow(row);
  if (reason.empty()) return;
  ++counters_->parse_failures;
  report_->AddLines(file_, reason, row.first_line, row.last_line);
  rows_.pop_back();
}

bool BatchLoadFile::HasPartition(const CsvRecord& row) {
  if (bounds_.partitions == nullptr || counters_->processed < bounds_.loaded_rows) return true;
  const auto time = ParseEpoch(row.fields[time_column_], model_.time_unit);
  return !time || *time >= bounds_.magnetic_before_ns ||
         bounds_.partitions->Use(target_.table, *time, bounds_.now_ns());
}

std::string BatchLoadFile::FindColumn(const std::string& name, std::size_t* column) const {
  const auto found = header_.find(name);
  if (found == header_.end()) {
    return "The column " + name + " of the data model is not in the file's header.";
  }
  if (std::find(doubled_.begin(), doubled_.end(), name) != doubled_.end()) {
    return "The column " + name + " is in the file's header twice.";
  }
  *column = found->second;
  return {};
}

std::string BatchLoadFile::BindHeader(const CsvRecord& header) {
  header_.clear();
  doubled_.clear();
  dimension_columns_.clear();
  mappings_.clear();
  selectors_.clear();
  if (header.fields.front().starts_with("\xef\xbb\xbf")) {
    return "The file starts with a byte order mark.";
  }
  for (std::size_t i = 0; i < header.count; ++i) {
    if (!header_.emplace(header.fields[i], i).second) doubled_.push_back(header.fields[i]);
  }
  std::string problem = FindColumn(model_.time_column, &time_column_);
  if (problem.empty() && !model_.measure_name_column.empty()) {
    problem = FindColumn(model_.measure_name_column, &name_column_);
  }
  for (const DimensionMapping& dimension : model_.dimensions) {
    std::size_t column = 0;
    if (problem.empty()) problem = FindColumn(dimension.source, &column);
    dimension_columns_.push_back(column);
  }
  for (const MeasureMapping& measure : model_.measures) {
    Mapping mapping{&measure, {}};
    for (const AttributeMapping& attribute : measure.attributes) {
      std::size_t column = 0;
      if (problem.empty()) problem = FindColumn(attribute.source, &column);
      mapping.columns.push_back(column);
    }
    if (!measure.selector.empty()) selectors_.emplace(measure.selector, mappings_.size());
    mappings_.push_back(std::move(mapping));
  }
  return problem;
}

bool BatchLoadFile::Absent(const std::string& field) const {
  return field.empty() || (!csv_.null_value.empty() && field == csv_.null_value);
}

Record* BatchLoadFile::NextRecord() {
  if (used_ == records_.size()) records_.emplace_back();
  row_of_.push_back(rows_.size() - 1);
  return &records_[used_++];
}

std::string BatchLoadFile::MapRow(const CsvRecord& row) {
  const std::size_t used_before = used_;
  const auto time = ParseEpoch(row.fields[time_column_], model_.time_unit);
  if (!time) {
    return "The value of the time column " + model_.time_column + " is not a whole number of " +
           std::string(UnitName(model_.time_unit)) + " since 1970.";
  }
  std::string reason;
  bool has_measure = false;
  if (selectors_.empty()) {
    for (const Mapping& mapping : mappings_) {
      if (reason.empty()) reason = MapRecord(row, mapping, *time, &has_measure);
    }
  } else {
    const auto chosen = selectors_.find(row.fields[name_column_]);
    reason = chosen == selectors_.end()
                 ? "The data model has no mapping for the measure name of the record."
                 : MapRecord(row, mappings_[chosen->second], *time, &has_measure);
  }
  if (reason.empty() && !has_measure) reason = "The record has no measure value.";
  if (!reason.empty()) {
    used_ = used_before;  // all of a row or nothing of it
    row_of_.resize(used_before);
  }
  return reason;
}

std::string BatchLoadFile::MapRecord(const CsvRecord& row, const Mapping& mapping,
                                     std::int64_t time_ns, bool* has_measure) {
  Record* record = NextRecord();
  record->time_ns = time_ns;
  record->version = target_.version;
  record->multi = mapping.model->multi;
  record->measure_name = mapping.model->measure_name;
  if (record->measure_name.empty()) {
    record->measure_name = row.fields[name_column_];
    if (Absent(record->measure_name)) return "The record has no measure name.";
    if (!IsUtf8(record->measure_name)) return "The measure name is not valid UTF-8.";
  }

  std::size_t count = 0;
  record->dimensions.resize(model_.dimensions.size());
  for (std::size_t i = 0; i < model_.dimensions.size(); ++i) {
    const std::string& field = row.fields[dimension_columns_[i]];
    if (Absent(field)) continue;
    if (!IsUtf8(field)) {
      return "The value of the column " + model_.dimensions[i].source + " is not valid UTF-8.";
    }
    record->dimensions[count].first = model_.dimensions[i].destination;
    record->dimensions[count++].second = field;
    batch_bytes_ += field.size();
  }
  record->dimensions.resize(count);

  count = 0;
  record->measures.resize(mapping.columns.size());
  for (std::size_t i = 0; i < mapping.columns.size(); ++i) {
    const std::string& field = row.fields[mapping.columns[i]];
    if (Absent(field)) continue;
    const AttributeMapping& attribute = mapping.model->attributes[i];
    auto value = ParseMeasure(attribute.target.type, field, model_.time_unit);
    if (!value || (attribute.target.type == ScalarType::kVarchar && !IsUtf8(field))) {
      return "The value of the column " + attribute.source + " is not a " +
             std::string(ScalarTypeName(attribute.target.type)) + ".";
    }
    record->measures[count].first = attribute.target;
    record->measures[count++].second = *std::move(value);
    batch_bytes_ += field.size();
  }
  record->measures.resize(count);
  if (count == 0) {
    --used_;
    row_of_.pop_back();
  } else {
    *has_measure = true;
  }
  return {};
}

void BatchLoadFile::Flush() {
  if (used_ > 0) {
    records_.resize(used_);
    const WriteResult result = target_.tables.Write(target_.table, records_, target_.source);
    std::vector<RowRejection> silent;
    for (const RowRejection& rejection : result.rejections) {
      if (IsSilent(rejection)) {
        silent.push_back(rejection);
        continue;
      }
      Row& row = rows_[row_of_[rejection.index]];
      if (!row.rejected) ++counters_->record_failures;
      row.rejected = true;
      // The one reason that AWS's page shows stands for every time that no store takes.
      report_->AddLines(
          file_,
          rejection.outside_window
              ? "The record timestamp is outside the time range of the data ingestion window."
              : rejection.reason,
          row.first_line, row.last_line);
    }
    if (target_.silently_rejected) target_.silently_rejected(silent);
  }
  for (const Row& row : rows_) counters_->ingested += row.rejected ? 0 : 1;
  rows_.clear();
  row_of_.clear();
  used_ = 0;
  batch_bytes_ = 0;
}

}  // namespace ts_local
