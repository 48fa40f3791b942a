#include "ts_local/table_rows.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <stdexcept>

#include "ts_local/record_rules.h"
#include "ts_local/table_rows_statements.h"

namespace ts_local {
namespace {

constexpr std::uint32_t kNotWanted = std::numeric_limits<std::uint32_t>::max();

constexpr const char* kTables = R"(
CREATE TABLE IF NOT EXISTS dimensions(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS columns(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
                                   type INTEGER NOT NULL, multi INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS measures(name TEXT PRIMARY KEY, type TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS series(id INTEGER PRIMARY KEY, key BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS rows(day INTEGER, series INTEGER, time INTEGER,
                                version INTEGER NOT NULL, data BLOB NOT NULL,
                                source INTEGER NOT NULL DEFAULT 0,
                                PRIMARY KEY(day, series, time)) WITHOUT ROWID;
)";

// What one scan carries from row to row.
struct Cursor {
  std::vector<ScalarType> types;         // by column id
  std::vector<std::uint32_t> positions;  // by column id: place in the schema or kNotWanted
  std::vector<std::uint32_t> dimension_positions;  // by dimension id
  std::vector<std::optional<std::string>> dimensions;
  std::string measure_name;
  std::vector<Value> values;
  std::vector<std::uint64_t> stamps;  // the row that last set the value
  std::uint64_t row = 0;

  void SetSeries(const std::string& key) {
    for (auto& dimension : dimensions) dimension.reset();
    Series series = DecodeSeries(key);
    measure_name = std::move(series.measure_name);
    for (auto& [id, value] : series.dimensions) {
      const std::uint32_t position = dimension_positions[id];
      if (position != kNotWanted) dimensions[position] = std::move(value);
    }
  }

  void SetValues(std::string_view data) {
    ++row;
    for (RowReader reader(data); !reader.AtEnd();) {
      const std::uint32_t id = reader.NextColumn();
      const std::uint32_t position = positions.at(id);
      reader.ReadValue(types[id], position == kNotWanted ? nullptr : &values[position]);
      if (position != kNotWanted) stamps[position] = row;
    }
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (stamps[i] != row) values[i] = std::monostate{};
    }
  }
};

}  // namespace

// A connection for scans with its statement.
struct TableRows::Reader {
  explicit Reader(const std::string& file)
      : connection(file),
        scan(connection,
             "SELECT series, time, data, source FROM rows WHERE day BETWEEN ?1 AND ?2 "
             "AND time >= ?3 AND time < ?4"),
        first_day(connection, DayFrom("day >= ?1 AND day <= ?2 ORDER BY day LIMIT 1")),
        last_day(connection, DayFrom("day >= ?1 AND day <= ?2 ORDER BY day DESC LIMIT 1")),
        next_series(
            connection,
            "SELECT series FROM rows WHERE day = ?1 AND series > ?2 ORDER BY series LIMIT 1"),
        first_time(connection, TimeFrom("ORDER BY time LIMIT 1")),
        last_time(connection, TimeFrom("ORDER BY time DESC LIMIT 1")) {}

  static std::string DayFrom(const char* tail) {
    return std::string("SELECT day FROM rows WHERE ") + tail;
  }
  static std::string TimeFrom(const char* tail) {
    return std::string(
               "SELECT time FROM rows WHERE day = ?1 AND series = ?2 AND time >= ?3 AND "
               "time < ?4 ") +
           tail;
  }

  // The first value of the statement's only row, if it has one.
  static std::optional<std::int64_t> First(Statement& bound) {
    std::optional<std::int64_t> value;
    if (bound.Step()) value = bound.Int(0);
    bound.Reset();
    return value;
  }

  // The extreme time of one day, series by series: rows lie by (day, series, time), so that each
  // costs two descents of the tree and none of its rows is read.
  std::optional<std::int64_t> Extreme(bool least, std::int64_t day, std::int64_t from_ns,
                                      std::int64_t to_ns) {
    std::optional<std::int64_t> best;
    std::optional<std::int64_t> series = 0;
    while ((series = First(next_series.Bind(1, day).Bind(2, *series)))) {
      Statement& statement = least ? first_time : last_time;
      statement.Bind(1, day).Bind(2, *series).Bind(3, from_ns).Bind(4, to_ns);
      const auto time = First(statement);
      if (!time) continue;
      if (!best || (least ? *time < *best : *time > *best)) best = time;
    }
    return best;
  }

  Connection connection;
  Statement scan;
  Statement first_day;
  Statement last_day;
  Statement next_series;
  Statement first_time;
  Statement last_time;
};

// An idle reader, or a new one, for the length of one scan.
class TableRows::Lease {
 public:
  explicit Lease(const TableRows& rows) : rows_(rows) {
    {
      const std::lock_guard lock(rows_.readers_mutex_);
      if (!rows_.readers_.empty()) {
        reader_ = std::move(rows_.readers_.back());
        rows_.readers_.pop_back();
      }
    }
    if (reader_ == nullptr) reader_ = std::make_unique<Reader>(rows_.file_);
  }
  ~Lease() {
    reader_->scan.Reset();
    const std::lock_guard lock(rows_.readers_mutex_);
    rows_.readers_.push_back(std::move(reader_));
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  Statement& scan() { return reader_->scan; }
  Reader& reader() { return *reader_; }

 private:
  const TableRows& rows_;
  std::unique_ptr<Reader> reader_;
};

TableRows::TableRows(const std::string& file) : file_(file), writer_(file) {
  writer_.Exec(kTables);
  AddMissingColumns();
  Load();
  statements_ = std::make_unique<Statements>(writer_);
}

TableRows::~TableRows() = default;

// Files of an earlier ts-local have no source.
void TableRows::AddMissingColumns() {
  Statement there(writer_, "SELECT 1 FROM pragma_table_info('rows') WHERE name = 'source'");
  if (there.Step()) return;
  writer_.Exec("ALTER TABLE rows ADD COLUMN source INTEGER NOT NULL DEFAULT 0");
}

void TableRows::Load() {
  Statement dimensions(writer_, "SELECT name FROM dimensions ORDER BY id");
  while (dimensions.Step()) {
    const std::string name(dimensions.Text(0));
    dimension_ids_.emplace(name, static_cast<std::uint32_t>(dimension_names_.size()));
    dimension_names_.push_back(name);
  }
  Statement columns(writer_, "SELECT name, type, multi FROM columns ORDER BY id");
  while (columns.Step()) {
    const std::string name(columns.Text(0));
    column_ids_.emplace(name, static_cast<std::uint32_t>(columns_.size()));
    columns_.push_back({name, static_cast<ScalarType>(columns.Int(1)), columns.Int(2) != 0});
  }
  Statement measures(writer_, "SELECT name, type FROM measures");
  while (measures.Step()) {
    measure_types_.emplace(std::string(measures.Text(0)), std::string(measures.Text(1)));
  }
  Statement series(writer_, "SELECT id, key FROM series ORDER BY id");
  while (series.Step()) {
    const auto entry = series_ids_.emplace(std::string(series.Blob(1)), series.Int(0)).first;
    series_keys_.push_back(&entry->first);
  }
}

TableSchema TableRows::Schema() const {
  const std::shared_lock lock(memory_mutex_);
  return {dimension_names_, columns_};
}

std::vector<TableStore::MeasureInfo> TableRows::Measures() const {
  const std::shared_lock lock(memory_mutex_);
  std::map<std::string, std::set<std::uint32_t>> dimensions;
  for (const std::string* key : series_keys_) {
    const Series series = DecodeSeries(*key);
    auto& ids = dimensions[series.measure_name];
    for (const auto& dimension : series.dimensions) ids.insert(dimension.first);
  }
  std::vector<TableStore::MeasureInfo> measures;
  for (const auto& [name, ids] : dimensions) {
    TableStore::MeasureInfo info{name, measure_types_.at(name), {}};
    for (const std::uint32_t id : ids) info.dimensions.push_back(dimension_names_[id]);
    measures.push_back(std::move(info));
  }
  return measures;
}

void TableRows::Scan(const TableSchema& schema, std::int64_t from_ns, std::int64_t to_ns,
                     const Sources& hidden,
                     const std::function<bool(const RowView&)>& visit) const {
  from_ns = std::max<std::int64_t>(from_ns, 0);
  if (to_ns <= from_ns) return;
  Lease lease(*this);
  Statement& scan = lease.scan();
  scan.Bind(1, from_ns / kDayNs).Bind(2, (to_ns - 1) / kDayNs).Bind(3, from_ns).Bind(4, to_ns);
  // The first step fixes what the scan sees; the memory read after it knows at least that much.
  if (!scan.Step()) return;

  Cursor cursor;
  cursor.dimensions.resize(schema.dimensions.size());
  cursor.values.resize(schema.measures.size());
  cursor.stamps.resize(schema.measures.size());
  {
    const std::shared_lock lock(memory_mutex_);
    for (const MeasureColumn& column : columns_) cursor.types.push_back(column.type);
    cursor.positions.resize(columns_.size(), kNotWanted);
    cursor.dimension_positions.resize(dimension_names_.size(), kNotWanted);
    for (std::uint32_t i = 0; i < schema.measures.size(); ++i) {
      const auto found = column_ids_.find(schema.measures[i].name);
      if (found != column_ids_.end()) cursor.positions[found->second] = i;
    }
    for (std::uint32_t i = 0; i < schema.dimensions.size(); ++i) {
      const auto found = dimension_ids_.find(schema.dimensions[i]);
      if (found != dimension_ids_.end()) cursor.dimension_positions[found->second] = i;
    }
  }

  std::int64_t current = -1;
  do {
    if (!hidden.empty() && std::find(hidden.begin(), hidden.end(), scan.Int(3)) != hidden.end()) {
      continue;
    }
    const std::int64_t series = scan.Int(0);
    if (series != current) {
      const std::string* key = nullptr;
      {
        const std::shared_lock lock(memory_mutex_);
        key = series_keys_.at(static_cast<std::size_t>(series - 1));
      }
      cursor.SetSeries(*key);
      current = series;
    }
    cursor.SetValues(scan.Blob(2));
    if (!visit({cursor.dimensions, cursor.measure_name, scan.Int(1), cursor.values})) return;
  } while (scan.Step());
}

std::optional<TimeBounds> TableRows::Bounds(std::int64_t from_ns, std::int64_t to_ns) const {
  from_ns = std::max<std::int64_t>(from_ns, 0);
  if (to_ns <= from_ns) return std::nullopt;
  Lease lease(*this);
  Reader& reader = lease.reader();
  const Transaction snapshot(reader.connection, false);
  TimeBounds bounds;
  for (const bool least : {true, false}) {
    std::int64_t low = from_ns / kDayNs;
    std::int64_t high = (to_ns - 1) / kDayNs;
    std::optional<std::int64_t> found;
    // A day that holds rows may hold none of the range: the first and the last day are cut by it.
    while (!found) {
      Statement& days = least ? reader.first_day : reader.last_day;
      const auto day = Reader::First(days.Bind(1, low).Bind(2, high));
      if (!day) return std::nullopt;
      found = reader.Extreme(least, *day, from_ns, to_ns);
      (least ? low : high) = least ? *day + 1 : *day - 1;
    }
    (least ? bounds.min_ns : bounds.max_ns) = *found;
  }
  return bounds;
}

void TableRows::Purge(std::int64_t cutoff_ns) {
  const std::lock_guard lock(write_mutex_);
  PurgeLocked(cutoff_ns);
}

}  // namespace ts_local
