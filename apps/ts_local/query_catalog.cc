#include "ts_local/query_catalog.h"

#include "ts_local/api_error.h"
#include "ts_local/query_json.h"
#include "ts_local/sql_eval.h"
#include "ts_local/value_text.h"

namespace ts_local {
namespace {

bool Matches(const ShowStatement& show, const std::string& name) {
  return !show.like || LikeMatches(name, *show.like, "");
}

std::string VarcharColumns(const std::vector<std::string>& names) {
  std::vector<OutputColumn> columns;
  columns.reserve(names.size());
  for (const std::string& name : names) columns.push_back({name, ScalarType::kVarchar});
  return ColumnInfoJson(columns);
}

std::vector<TableInfo> TablesOf(const TableStore& store, const std::string& region,
                                const std::string& database) {
  try {
    store.GetDatabase(region, database);
    return store.Tables(region, database);
  } catch (const ApiError& error) {
    if (error.code() != "ResourceNotFoundException") throw;
    throw ApiError(400, "ValidationException", "Database " + database + " does not exist");
  }
}

CatalogResult ShowDatabases(const TableStore& store, const std::string& region,
                            const ShowStatement& show) {
  CatalogResult result{VarcharColumns({"Database"}), {}};
  for (const DatabaseInfo& database : store.Databases(region)) {
    if (Matches(show, database.name)) result.rows.push_back(TextRowJson({database.name}));
  }
  return result;
}

CatalogResult ShowTables(const TableStore& store, const std::string& region,
                         const ShowStatement& show) {
  CatalogResult result{VarcharColumns({"Table"}), {}};
  std::vector<std::string> databases;
  if (!show.name.database.empty()) {
    databases.push_back(show.name.database);
  } else {
    for (const DatabaseInfo& database : store.Databases(region)) databases.push_back(database.name);
  }
  for (const std::string& database : databases) {
    for (const TableInfo& table : TablesOf(store, region, database)) {
      if (Matches(show, table.name.table)) result.rows.push_back(TextRowJson({table.name.table}));
    }
  }
  return result;
}

// {"Data":[name, type, [(dimension_name, data_type), ...]]}
std::string MeasureRow(const TableStore::MeasureInfo& measure) {
  std::string row = TextRowJson({measure.measure_name, measure.data_type});
  row.resize(row.size() - 2);  // reopen "]}"
  row += ",{\"ArrayValue\":[";
  for (std::size_t i = 0; i < measure.dimensions.size(); ++i) {
    if (i > 0) row.push_back(',');
    row += "{\"RowValue\":" + TextRowJson({measure.dimensions[i], "varchar"}) + "}";
  }
  return row + "]}]}";
}

CatalogResult ShowMeasures(const TableStore& store, const TableName& name,
                           const ShowStatement& show) {
  CatalogResult result;
  QuerySchema(store, name);
  const std::string dimension_row = "[" + ColumnJson("dimension_name", ScalarType::kVarchar) + "," +
                                    ColumnJson("data_type", ScalarType::kVarchar) + "]";
  result.columns_json = VarcharColumns({"measure_name", "data_type"});
  result.columns_json.pop_back();
  result.columns_json +=
      ",{\"Name\":\"dimensions\",\"Type\":{\"ArrayColumnInfo\":{\"Type\":{\"RowColumnInfo\":" +
      dimension_row + "}}}}]";
  for (const TableStore::MeasureInfo& measure : store.Measures(name)) {
    if (Matches(show, measure.measure_name)) result.rows.push_back(MeasureRow(measure));
  }
  return result;
}

CatalogResult Describe(const TableStore& store, const TableName& name) {
  CatalogResult result{VarcharColumns({"Column", "Type", "Timestream attribute type"}), {}};
  const TableSchema schema = QuerySchema(store, name);
  for (const std::string& dimension : schema.dimensions) {
    result.rows.push_back(TextRowJson({dimension, "varchar", "DIMENSION"}));
  }
  result.rows.push_back(TextRowJson({"measure_name", "varchar", "MEASURE_NAME"}));
  result.rows.push_back(TextRowJson({"time", "timestamp", "TIMESTAMP"}));
  for (const MeasureColumn& measure : schema.measures) {
    result.rows.push_back(TextRowJson({measure.name, std::string(TypeName(measure.type)),
                                       measure.multi ? "MULTI" : "MEASURE_VALUE"}));
  }
  return result;
}

}  // namespace

TableSchema QuerySchema(const TableStore& store, const TableName& name) {
  try {
    store.GetTable(name);
    return store.Schema(name);
  } catch (const ApiError& error) {
    if (error.code() != "ResourceNotFoundException") throw;
    throw ApiError(400, "ValidationException",
                   "Table " + name.database + "." + name.table + " does not exist");
  }
}

CatalogResult RunShow(const TableStore& store, const std::string& region,
                      const ShowStatement& show) {
  const TableName name{region, show.name.database, show.name.table};
  switch (show.kind) {
    case ShowStatement::Kind::kDatabases:
      return ShowDatabases(store, region, show);
    case ShowStatement::Kind::kTables:
      return ShowTables(store, region, show);
    case ShowStatement::Kind::kMeasures:
      return ShowMeasures(store, name, show);
    case ShowStatement::Kind::kDescribe:
      return Describe(store, name);
  }
  return {};
}

}  // namespace ts_local
