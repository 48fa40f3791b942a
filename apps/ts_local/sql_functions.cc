#include "ts_local/sql_functions.h"

#include <locale.h>  // NOLINT: newlocale is POSIX and not in <clocale>

#include <clocale>
#include <cwchar>
#include <cwctype>
#include <utility>

#include "ts_local/sql_date_format.h"
#include "ts_local/value_text.h"

namespace ts_local {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;

Cell TimeFrom(std::int64_t count, std::int64_t unit) {
  std::int64_t ns = 0;
  if (count < 0 || __builtin_mul_overflow(count, unit, &ns)) {
    throw ExecutionError("Value cannot be cast to timestamp: " + std::to_string(count));
  }
  return Cell::Time(ns);
}

Cell ToNanoseconds(const Cell* arguments, const EvalContext&) {
  return Cell::Bigint(arguments[0].integer());
}
Cell ToMilliseconds(const Cell* arguments, const EvalContext&) {
  return Cell::Bigint(arguments[0].integer() / kNsPerMs);
}
Cell FromNanoseconds(const Cell* arguments, const EvalContext&) {
  return TimeFrom(arguments[0].integer(), 1);
}
Cell FromMilliseconds(const Cell* arguments, const EvalContext&) {
  return TimeFrom(arguments[0].integer(), kNsPerMs);
}

Cell DateFormat(const Cell* arguments, const EvalContext& context) {
  std::string& text = context.scratch->New();
  AppendDateFormat(arguments[0].integer(), arguments[1].text(), &text);
  return Cell::Varchar(text);
}

Cell DateTrunc(const Cell* arguments, const EvalContext&) {
  return Cell::Time(TruncateTime(arguments[0].text(), arguments[1].integer()));
}

Cell Bin(const Cell* arguments, const EvalContext&) {
  const std::int64_t width = arguments[1].integer();
  if (width <= 0) throw ExecutionError("bin: the interval must be positive");
  const std::int64_t ns = arguments[0].integer();
  return Cell::Time(ns - ns % width);
}

template <int CivilTime::*kField>
Cell CivilPart(const Cell* arguments, const EvalContext&) {
  return Cell::Bigint(ToCivil(arguments[0].integer()).*kField);
}

Cell Length(const Cell* arguments, const EvalContext&) {
  std::int64_t characters = 0;
  for (const char c : arguments[0].text()) {
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) ++characters;  // not a continuation byte
  }
  return Cell::Bigint(characters);
}

// The UTF-8 locale of the C library; upper() and lower() are by Unicode's simple case mapping.
locale_t Utf8Locale() {
  static const locale_t locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return locale;
}

void AppendUtf8(std::uint32_t code, std::string* out) {
  if (code < 0x80) {
    out->push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out->push_back(static_cast<char>(0xC0 | (code >> 6)));
    out->push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else if (code < 0x10000) {
    out->push_back(static_cast<char>(0xE0 | (code >> 12)));
    out->push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (code & 0x3F)));
  } else {
    out->push_back(static_cast<char>(0xF0 | (code >> 18)));
    out->push_back(static_cast<char>(0x80 | ((code >> 12) & 0x3F)));
    out->push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3F)));
    out->push_back(static_cast<char>(0x80 | (code & 0x3F)));
  }
}

// Decodes the character at `*at` and moves past it; a malformed byte stands for itself, false.
bool TakeUtf8(std::string_view text, std::size_t* at, std::uint32_t* code) {
  const auto lead = static_cast<unsigned char>(text[*at]);
  const std::size_t size = lead < 0x80   ? 1
                           : lead < 0xC0 ? 0
                           : lead < 0xE0 ? 2
                           : lead < 0xF0 ? 3
                                         : 4;
  if (size == 0 || *at + size > text.size()) {
    ++*at;
    return false;
  }
  std::uint32_t value = size == 1 ? lead : lead & (0x7Fu >> size);
  for (std::size_t i = 1; i < size; ++i) {
    value = (value << 6) | (static_cast<unsigned char>(text[*at + i]) & 0x3Fu);
  }
  *at += size;
  *code = value;
  return true;
}

Cell MapCase(std::string_view text, wint_t (*map)(wint_t, locale_t), const EvalContext& context) {
  std::string& out = context.scratch->New();
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    std::uint32_t code = 0;
    if (TakeUtf8(text, &at, &code) && Utf8Locale() != nullptr) {
      AppendUtf8(static_cast<std::uint32_t>(map(code, Utf8Locale())), &out);
    } else {
      out.append(text.substr(start, at - start));
    }
  }
  return Cell::Varchar(out);
}

Cell Lower(const Cell* arguments, const EvalContext& context) {
  return MapCase(arguments[0].text(), &towlower_l, context);
}
Cell Upper(const Cell* arguments, const EvalContext& context) {
  return MapCase(arguments[0].text(), &towupper_l, context);
}

const std::vector<ScalarFunction>& Functions() {
  static const auto* functions = new std::vector<ScalarFunction>{
      {"to_nanoseconds", {SqlType::kTimestamp}, SqlType::kBigint, &ToNanoseconds},
      {"to_milliseconds", {SqlType::kTimestamp}, SqlType::kBigint, &ToMilliseconds},
      {"from_nanoseconds", {SqlType::kBigint}, SqlType::kTimestamp, &FromNanoseconds},
      {"from_milliseconds", {SqlType::kBigint}, SqlType::kTimestamp, &FromMilliseconds},
      {"date_format", {SqlType::kTimestamp, SqlType::kVarchar}, SqlType::kVarchar, &DateFormat},
      {"date_trunc", {SqlType::kVarchar, SqlType::kTimestamp}, SqlType::kTimestamp, &DateTrunc},
      {"bin", {SqlType::kTimestamp, SqlType::kInterval}, SqlType::kTimestamp, &Bin},
      {"year", {SqlType::kTimestamp}, SqlType::kBigint, &CivilPart<&CivilTime::year>},
      {"month", {SqlType::kTimestamp}, SqlType::kBigint, &CivilPart<&CivilTime::month>},
      {"day", {SqlType::kTimestamp}, SqlType::kBigint, &CivilPart<&CivilTime::day>},
      {"hour", {SqlType::kTimestamp}, SqlType::kBigint, &CivilPart<&CivilTime::hour>},
      {"minute", {SqlType::kTimestamp}, SqlType::kBigint, &CivilPart<&CivilTime::minute>},
      {"second", {SqlType::kTimestamp}, SqlType::kBigint, &CivilPart<&CivilTime::second>},
      {"length", {SqlType::kVarchar}, SqlType::kBigint, &Length},
      {"lower", {SqlType::kVarchar}, SqlType::kVarchar, &Lower},
      {"upper", {SqlType::kVarchar}, SqlType::kVarchar, &Upper},
  };
  return *functions;
}

class ScalarCall final : public BoundExpr {
 public:
  ScalarCall(const ScalarFunction& function, std::vector<BoundPtr> arguments)
      : BoundExpr(function.result), run_(function.run), arguments_(std::move(arguments)) {}
  Cell Eval(const EvalContext& context) const override {
    Cell values[2];
    for (std::size_t i = 0; i < arguments_.size(); ++i) {
      values[i] = arguments_[i]->Eval(context);
      if (values[i].is_null()) return {};
    }
    return run_(values, context);
  }

 private:
  Cell (*run_)(const Cell*, const EvalContext&);
  std::vector<BoundPtr> arguments_;
};

}  // namespace

const ScalarFunction* FindScalarFunction(std::string_view name) {
  for (const ScalarFunction& function : Functions()) {
    if (function.name == name) return &function;
  }
  return nullptr;
}

BoundPtr MakeScalarCall(const ScalarFunction& function, std::vector<BoundPtr> arguments) {
  return std::make_unique<ScalarCall>(function, std::move(arguments));
}

}  // namespace ts_local
