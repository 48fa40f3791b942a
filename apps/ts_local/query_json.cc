#include "ts_local/query_json.h"

#include <array>
#include <random>

#include "ts_local/value_text.h"

namespace ts_local {

void AppendJsonString(std::string_view text, std::string* out) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  out->push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out->push_back('\\');
      out->push_back(c);
    } else if (c == '\n') {
      out->append("\\n");
    } else if (byte < 0x20) {
      out->append("\\u00");
      out->push_back(kHex[byte >> 4]);
      out->push_back(kHex[byte & 15]);
    } else {
      out->push_back(c);
    }
  }
  out->push_back('"');
}

std::string ColumnJson(const std::string& name, ScalarType type) {
  std::string json = "{\"Name\":";
  AppendJsonString(name, &json);
  json.append(",\"Type\":{\"ScalarType\":\"").append(ScalarTypeName(type)).append("\"}}");
  return json;
}

std::string ColumnInfoJson(const std::vector<OutputColumn>& columns) {
  std::string json = "[";
  for (const OutputColumn& column : columns) {
    if (json.size() > 1) json.push_back(',');
    json.append(ColumnJson(column.name, column.type));
  }
  json.push_back(']');
  return json;
}

std::string RowJson(const Cell* cells, std::size_t count) {
  std::string json = "{\"Data\":[";
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) json.push_back(',');
    if (cells[i].is_null()) {
      json.append("{\"NullValue\":true}");
      continue;
    }
    text.clear();
    AppendCellText(cells[i], &text);
    json.append("{\"ScalarValue\":");
    AppendJsonString(text, &json);
    json.push_back('}');
  }
  json.append("]}");
  return json;
}

std::string TextRowJson(const std::vector<std::string>& values) {
  std::vector<Cell> cells;
  cells.reserve(values.size());
  for (const std::string& value : values) cells.push_back(Cell::Varchar(value));
  return RowJson(cells.data(), cells.size());
}

std::string RandomText(std::size_t count, std::string_view alphabet) {
  thread_local std::mt19937_64 generator{[] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }()};
  std::uniform_int_distribution<std::size_t> pick(0, alphabet.size() - 1);
  std::string text;
  text.reserve(count);
  for (std::size_t i = 0; i < count; ++i) text.push_back(alphabet[pick(generator)]);
  return text;
}

}  // namespace ts_local
