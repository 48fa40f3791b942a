#include "ts_local/sql_lexer.h"

#include <array>
#include <cctype>
#include <charconv>
#include <optional>

#include "ts_local/value_text.h"

namespace ts_local {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsWordStart(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool IsWordPart(char c) { return IsWordStart(c) || IsDigit(c); }

struct IntervalUnit {
  std::string_view name;
  std::int64_t ns;
};
constexpr std::array<IntervalUnit, 14> kUnits{{{"ns", 1},
                                               {"nanosecond", 1},
                                               {"us", 1'000},
                                               {"microsecond", 1'000},
                                               {"ms", 1'000'000},
                                               {"millisecond", 1'000'000},
                                               {"s", kNsPerSecond},
                                               {"second", kNsPerSecond},
                                               {"m", 60 * kNsPerSecond},
                                               {"minute", 60 * kNsPerSecond},
                                               {"h", 3'600 * kNsPerSecond},
                                               {"hour", 3'600 * kNsPerSecond},
                                               {"d", kNsPerDay},
                                               {"day", kNsPerDay}}};

class Lexer {
 public:
  explicit Lexer(std::string_view sql) : sql_(sql) {}

  std::vector<Token> Run() {
    std::vector<Token> tokens;
    for (SkipBlanks(); at_ < sql_.size(); SkipBlanks()) tokens.push_back(Next());
    Token end;
    end.at = Position();
    tokens.push_back(std::move(end));
    return tokens;
  }

 private:
  char Peek(std::size_t ahead = 0) const {
    return at_ + ahead < sql_.size() ? sql_[at_ + ahead] : '\0';
  }
  SqlPosition Position() const { return {line_, static_cast<int>(at_ - line_start_) + 1}; }
  void Advance() {
    if (sql_[at_] == '\n') {
      ++line_;
      line_start_ = at_ + 1;
    }
    ++at_;
  }

  void SkipBlanks() {
    while (at_ < sql_.size()) {
      if (std::isspace(static_cast<unsigned char>(Peek())) != 0) {
        Advance();
      } else if (Peek() == '-' && Peek(1) == '-') {
        while (at_ < sql_.size() && Peek() != '\n') Advance();
      } else if (Peek() == '/' && Peek(1) == '*') {
        SkipBlockComment();
      } else {
        return;
      }
    }
  }

  void SkipBlockComment() {
    const SqlPosition start = Position();
    while (at_ < sql_.size() && !(Peek() == '*' && Peek(1) == '/')) Advance();
    if (at_ >= sql_.size()) throw SqlError(start, "comment is not closed");
    Advance();
    Advance();
  }

  Token Next() {
    const char c = Peek();
    if (IsWordStart(c)) return Word();
    if (c == '"') return Delimited('"', TokenKind::kQuoted, "quoted identifier is not closed");
    if (c == '\'') return Delimited('\'', TokenKind::kString, "string literal is not closed");
    if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) return Number();
    return Operator();
  }

  void TakeWord(std::string* text) {
    while (IsWordPart(Peek())) {
      text->push_back(Peek());
      Advance();
    }
  }

  Token Word() {
    Token token{TokenKind::kWord, Position(), {}, {}, 0, 0};
    TakeWord(&token.text);
    if (Peek() == ':' && Peek(1) == ':' && IsWordStart(Peek(2))) {
      token.text += "::";
      Advance();
      Advance();
      TakeWord(&token.text);
    }
    token.upper = AsciiUpper(token.text);
    return token;
  }

  Token Delimited(char quote, TokenKind kind, const char* unclosed) {
    Token token{kind, Position(), {}, {}, 0, 0};
    Advance();
    while (true) {
      if (at_ >= sql_.size()) throw SqlError(token.at, unclosed);
      const char c = Peek();
      Advance();
      if (c == quote) {
        if (Peek() != quote) break;
        Advance();
      }
      token.text.push_back(c);
    }
    if (kind == TokenKind::kQuoted && token.text.empty()) {
      throw SqlError(token.at, "Zero-length delimited identifier not allowed");
    }
    return token;
  }

  Token Number() {
    Token token{TokenKind::kBigint, Position(), {}, {}, 0, 0};
    const std::size_t start = at_;
    while (IsDigit(Peek())) Advance();
    if (Peek() == '.' && !(IsWordStart(Peek(1)))) {
      token.kind = TokenKind::kDouble;
      Advance();
      while (IsDigit(Peek())) Advance();
    }
    const std::size_t sign = Peek(1) == '+' || Peek(1) == '-' ? 2 : 1;
    if ((Peek() == 'e' || Peek() == 'E') && IsDigit(Peek(sign))) {
      token.kind = TokenKind::kDouble;
      for (std::size_t i = 0; i < sign; ++i) Advance();
      while (IsDigit(Peek())) Advance();
    }
    token.text = std::string(sql_.substr(start, at_ - start));
    if (IsWordStart(Peek())) {
      Interval(&token);
    } else if (token.kind == TokenKind::kDouble) {
      token.number = ParseDouble(token.text).value_or(0);
    } else if (const auto number = ParseBigint(token.text)) {
      token.integer = *number;
    } else {
      throw SqlError(token.at, "Invalid numeric literal: " + token.text);
    }
    return token;
  }

  void Interval(Token* token) {
    std::string unit;
    TakeWord(&unit);
    const auto count = ParseBigint(token->text);
    const std::string lower = AsciiLower(unit);
    token->text += unit;
    for (const IntervalUnit& known : kUnits) {
      if (known.name != lower || !count || token->kind != TokenKind::kBigint) continue;
      if (__builtin_mul_overflow(*count, known.ns, &token->integer)) break;
      token->kind = TokenKind::kInterval;
      return;
    }
    throw SqlError(token->at,
                   "'" + token->text + "' is neither a number nor an interval such as 1h");
  }

  Token Operator() {
    static constexpr std::array<std::string_view, 20> kOperators{
        "<>", "!=", "<=", ">=", "||", "=", "<", ">", "+", "-",
        "*",  "/",  "%",  "(",  ")",  ",", ".", ";", "[", "]"};
    Token token{TokenKind::kOperator, Position(), {}, {}, 0, 0};
    for (const std::string_view candidate : kOperators) {
      if (sql_.substr(at_, candidate.size()) != candidate) continue;
      token.text = std::string(candidate);
      at_ += candidate.size();
      return token;
    }
    throw SqlError(token.at, "unexpected character '" + std::string(1, Peek()) + "'");
  }

  std::string_view sql_;
  std::size_t at_ = 0;
  std::size_t line_start_ = 0;
  int line_ = 1;
};

}  // namespace

ApiError SqlError(SqlPosition at, const std::string& message) {
  return ApiError(
      400, "ValidationException",
      "line " + std::to_string(at.line) + ":" + std::to_string(at.column) + ": " + message);
}

std::string AsciiUpper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return upper;
}

std::string AsciiLower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::vector<Token> Tokenize(std::string_view sql) { return Lexer(sql).Run(); }

}  // namespace ts_local
