#include "ts_local/row_codec.h"

#include <cstring>
#include <stdexcept>

namespace ts_local {
namespace {

void AppendVarint(std::uint64_t value, std::string* out) {
  while (value >= 0x80) {
    out->push_back(static_cast<char>((value & 0x7f) | 0x80));
    value >>= 7;
  }
  out->push_back(static_cast<char>(value));
}

std::uint64_t TakeVarint(std::string_view* bytes) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !bytes->empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes->front());
    bytes->remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  throw std::runtime_error("damaged row: number");
}

std::string_view TakeBytes(std::string_view* bytes, std::uint64_t count) {
  if (count > bytes->size()) throw std::runtime_error("damaged row: length");
  const std::string_view taken = bytes->substr(0, count);
  bytes->remove_prefix(count);
  return taken;
}

// Small numbers of either sign in few bytes.
std::uint64_t ZigZag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

std::int64_t UnZigZag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

}  // namespace

void EncodeSeries(std::string_view measure_name, const std::vector<SeriesDimension>& dimensions,
                  std::string* out) {
  AppendVarint(measure_name.size(), out);
  out->append(measure_name);
  for (const SeriesDimension& dimension : dimensions) {
    AppendVarint(dimension.id, out);
    AppendVarint(dimension.value.size(), out);
    out->append(dimension.value);
  }
}

Series DecodeSeries(std::string_view bytes) {
  Series series;
  series.measure_name = TakeBytes(&bytes, TakeVarint(&bytes));
  while (!bytes.empty()) {
    const auto id = static_cast<std::uint32_t>(TakeVarint(&bytes));
    series.dimensions.emplace_back(id, TakeBytes(&bytes, TakeVarint(&bytes)));
  }
  return series;
}

void AppendValue(std::uint32_t column_id, const Value& value, std::string* out) {
  if (std::holds_alternative<std::monostate>(value)) return;
  AppendVarint(column_id, out);
  if (const auto* boolean = std::get_if<bool>(&value)) {
    out->push_back(*boolean ? '\1' : '\0');
  } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    AppendVarint(ZigZag(*integer), out);
  } else if (const auto* number = std::get_if<double>(&value)) {
    char raw[sizeof(double)];
    std::memcpy(raw, number, sizeof raw);
    out->append(raw, sizeof raw);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    AppendVarint(text->size(), out);
    out->append(*text);
  } else {
    AppendVarint(ZigZag(std::get<Timestamp>(value).ns), out);
  }
}

std::uint32_t RowReader::NextColumn() { return static_cast<std::uint32_t>(TakeVarint(&bytes_)); }

void RowReader::ReadValue(ScalarType type, Value* out) {
  switch (type) {
    case ScalarType::kBoolean: {
      const std::string_view raw = TakeBytes(&bytes_, 1);
      if (out != nullptr) *out = raw.front() != '\0';
      return;
    }
    case ScalarType::kBigint: {
      const std::uint64_t raw = TakeVarint(&bytes_);
      if (out != nullptr) *out = UnZigZag(raw);
      return;
    }
    case ScalarType::kDouble: {
      const std::string_view raw = TakeBytes(&bytes_, sizeof(double));
      double number = 0;
      std::memcpy(&number, raw.data(), sizeof number);
      if (out != nullptr) *out = number;
      return;
    }
    case ScalarType::kTimestamp: {
      const std::uint64_t raw = TakeVarint(&bytes_);
      if (out != nullptr) *out = Timestamp{UnZigZag(raw)};
      return;
    }
    case ScalarType::kVarchar: {
      const std::string_view raw = TakeBytes(&bytes_, TakeVarint(&bytes_));
      if (out == nullptr) return;
      if (auto* text = std::get_if<std::string>(out)) {
        text->assign(raw);
      } else {
        *out = std::string(raw);
      }
      return;
    }
  }
}

}  // namespace ts_local
