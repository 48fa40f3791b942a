// Timestream Write's requests and replies as JSON text: databases, tables, records. Pure functions.
// https://docs.aws.amazon.com/timestream/latest/developerguide/API_Operations_Amazon_Timestream_Write.html
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tsm/timestream/write_client.h"

namespace tsm::timestream {

// One page of a listing of names.
struct NamePage {
  std::vector<std::string> names;
  std::string next_token;  // "" on the last page
};

Result<std::string> EncodeDatabase(const std::string& database);
Result<std::string> EncodeTable(const TableRef& table);
Result<std::string> EncodeCreateTable(const TableRef& table, const TableSettings& settings);
// `database` "" lists databases.
Result<std::string> EncodeList(const std::string& database, const std::string& next_token);
Result<std::string> EncodeRecords(const TableRef& table, const std::vector<Record>& records);

Status CheckDatabaseReply(std::string_view body, const std::string& database);
Result<TableDescription> DecodeTable(std::string_view body);
// `list` is "Databases" or "Tables", `name` the member of each that is its name.
Result<NamePage> DecodeNames(std::string_view body, const char* list, const char* name);

}  // namespace tsm::timestream
