#include "ts_local/sql_expr_parser.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "ts_local/value_text.h"

namespace ts_local {
namespace {

// Bounds of one expression, so that no query can exhaust the stack of the thread that runs it.
constexpr int kMaxDepth = 200;
constexpr int kMaxOperators = 3000;

// Words that can't be a column or an alias unless quoted; the part of Timestream's list that this
// grammar gives a meaning to.
constexpr std::array<std::string_view, 37> kReserved{
    "ALL",   "AND",      "AS",    "ASC",       "BETWEEN", "BY",     "CASE",   "CAST",
    "DESC",  "DISTINCT", "ELSE",  "END",       "ESCAPE",  "EXCEPT", "FALSE",  "FROM",
    "GROUP", "HAVING",   "IN",    "INTERSECT", "IS",      "JOIN",   "LIKE",   "LIMIT",
    "NOT",   "NULL",     "NULLS", "ON",        "OR",      "ORDER",  "SELECT", "THEN",
    "TRUE",  "UNION",    "WHEN",  "WHERE",     "WITH"};

ExprPtr MakeExpr(ExprKind kind, SqlPosition at, std::string text) {
  auto expr = std::make_unique<Expr>();
  expr->kind = kind;
  expr->at = at;
  expr->text = std::move(text);
  return expr;
}

ExprPtr MakeOperator(SqlPosition at, std::string text, ExprPtr left, ExprPtr right = nullptr) {
  ExprPtr expr = MakeExpr(ExprKind::kOperator, at, std::move(text));
  expr->args.push_back(std::move(left));
  if (right) expr->args.push_back(std::move(right));
  return expr;
}

class ExprParser {
 public:
  explicit ExprParser(TokenCursor* cursor) : cursor_(*cursor) {}

  ExprPtr Or() {
    const Depth depth(this);
    ExprPtr left = And();
    while (cursor_.AtWord("OR")) {
      const SqlPosition at = cursor_.Take().at;
      left = Chain(at, "or", std::move(left), And());
    }
    return left;
  }

 private:
  // Counts nesting.
  struct Depth {
    explicit Depth(ExprParser* owner) : parser(owner) {
      if (++parser->depth_ > kMaxDepth) {
        throw SqlError(parser->cursor_.Peek().at, "expression is nested too deeply");
      }
    }
    ~Depth() { --parser->depth_; }
    Depth(const Depth&) = delete;
    Depth& operator=(const Depth&) = delete;
    ExprParser* parser;
  };

  // An operator of a chain `a AND b AND c`: the tree grows one level deeper with each.
  ExprPtr Chain(SqlPosition at, std::string text, ExprPtr left, ExprPtr right) {
    if (++operators_ > kMaxOperators) throw SqlError(at, "expression has too many operators");
    return MakeOperator(at, std::move(text), std::move(left), std::move(right));
  }

  ExprPtr And() {
    ExprPtr left = Not();
    while (cursor_.AtWord("AND")) {
      const SqlPosition at = cursor_.Take().at;
      left = Chain(at, "and", std::move(left), Not());
    }
    return left;
  }

  ExprPtr Not() {
    const Depth depth(this);
    if (!cursor_.AtWord("NOT")) return Predicate();
    const SqlPosition at = cursor_.Take().at;
    return MakeOperator(at, "not", Not());
  }

  ExprPtr Predicate() {
    ExprPtr left = Concat();
    while (true) {
      const Token& token = cursor_.Peek();
      const SqlPosition at = token.at;
      if (token.kind == TokenKind::kOperator && IsComparison(token.text)) {
        std::string op = cursor_.Take().text;
        if (op == "!=") op = "<>";
        left = Chain(at, std::move(op), std::move(left), Concat());
        continue;
      }
      if (cursor_.TakeWord("IS")) {
        const bool negated = cursor_.TakeWord("NOT");
        cursor_.ExpectWord("NULL");
        left = Negate(at, negated, Chain(at, "is_null", std::move(left), nullptr));
        continue;
      }
      const bool negated = cursor_.AtWord("NOT") && IsRangeWord(cursor_.Peek(1));
      if (negated) cursor_.Take();
      if (!IsRangeWord(cursor_.Peek())) return left;
      left = Negate(at, negated, Range(at, std::move(left)));
    }
  }

  static bool IsComparison(std::string_view op) {
    return op == "=" || op == "<>" || op == "!=" || op == "<" || op == "<=" || op == ">" ||
           op == ">=";
  }
  static bool IsRangeWord(const Token& token) {
    return token.kind == TokenKind::kWord &&
           (token.upper == "BETWEEN" || token.upper == "IN" || token.upper == "LIKE");
  }
  static ExprPtr Negate(SqlPosition at, bool negated, ExprPtr expr) {
    return negated ? MakeOperator(at, "not", std::move(expr)) : std::move(expr);
  }

  ExprPtr Range(SqlPosition at, ExprPtr left) {
    if (cursor_.TakeWord("BETWEEN")) {
      ExprPtr between = MakeOperator(at, "between", std::move(left), Concat());
      cursor_.ExpectWord("AND");
      between->args.push_back(Concat());
      return between;
    }
    if (cursor_.TakeWord("LIKE")) {
      ExprPtr like = MakeOperator(at, "like", std::move(left), Concat());
      if (cursor_.TakeWord("ESCAPE")) like->args.push_back(Concat());
      return like;
    }
    cursor_.ExpectWord("IN");
    cursor_.ExpectOperator("(");
    ExprPtr in = MakeOperator(at, "in", std::move(left));
    do {
      in->args.push_back(Or());
    } while (cursor_.TakeOperator(","));
    cursor_.ExpectOperator(")");
    return in;
  }

  using Level = ExprPtr (ExprParser::*)();
  ExprPtr LeftAssociative(std::initializer_list<std::string_view> operators, Level next) {
    ExprPtr left = (this->*next)();
    while (std::any_of(operators.begin(), operators.end(),
                       [this](std::string_view op) { return cursor_.AtOperator(op); })) {
      const Token& token = cursor_.Take();
      left = Chain(token.at, token.text, std::move(left), (this->*next)());
    }
    return left;
  }
  ExprPtr Concat() { return LeftAssociative({"||"}, &ExprParser::Additive); }
  ExprPtr Additive() { return LeftAssociative({"+", "-"}, &ExprParser::Multiplicative); }
  ExprPtr Multiplicative() { return LeftAssociative({"*", "/", "%"}, &ExprParser::Unary); }

  ExprPtr Unary() {
    const Depth depth(this);
    const SqlPosition at = cursor_.Peek().at;
    if (cursor_.TakeOperator("+")) return Unary();
    if (cursor_.TakeOperator("-")) return MakeOperator(at, "neg", Unary());
    return Primary();
  }

  ExprPtr Primary() {
    const Token& token = cursor_.Peek();
    switch (token.kind) {
      case TokenKind::kString:
        return Literal(SqlType::kVarchar);
      case TokenKind::kBigint:
        return Literal(SqlType::kBigint);
      case TokenKind::kDouble:
        return Literal(SqlType::kDouble);
      case TokenKind::kInterval:
        return Literal(SqlType::kInterval);
      case TokenKind::kQuoted:
        return Column();
      case TokenKind::kWord:
        return Word();
      case TokenKind::kOperator:
        if (cursor_.TakeOperator("(")) {
          ExprPtr inner = Or();
          cursor_.ExpectOperator(")");
          return inner;
        }
        break;
      case TokenKind::kEnd:
        break;
    }
    cursor_.Refuse("an expression");
  }

  ExprPtr Literal(SqlType type) {
    const Token& token = cursor_.Take();
    ExprPtr literal = MakeExpr(ExprKind::kLiteral, token.at, {});
    literal->type = type;
    if (type == SqlType::kVarchar) literal->text = token.text;
    literal->integer = token.integer;
    literal->number = token.number;
    return literal;
  }

  ExprPtr Column() {
    const Token& token = cursor_.Take();
    ExprPtr column = MakeExpr(ExprKind::kColumn, token.at, token.text);
    column->quoted = token.kind == TokenKind::kQuoted;
    return column;
  }

  ExprPtr Word() {
    const Token& token = cursor_.Peek();
    if (token.upper == "NULL" || token.upper == "TRUE" || token.upper == "FALSE") {
      ExprPtr literal = Literal(token.upper == "NULL" ? SqlType::kNull : SqlType::kBoolean);
      literal->integer = token.upper == "TRUE" ? 1 : 0;
      return literal;
    }
    if (token.upper == "CAST") return Cast();
    if (token.upper == "CASE") return Case();
    if (token.upper == "TIMESTAMP" && cursor_.Peek(1).kind == TokenKind::kString) {
      return TimestampLiteral();
    }
    if (!cursor_.AtName()) cursor_.Refuse("an expression");
    const Token& next = cursor_.Peek(1);
    if (next.kind == TokenKind::kOperator && next.text == "(") return Call();
    return Column();
  }

  ExprPtr TimestampLiteral() {
    const SqlPosition at = cursor_.Take().at;
    const Token& token = cursor_.Take();
    const auto ns = ParseTimestamp(token.text);
    if (!ns) throw SqlError(token.at, "'" + token.text + "' is not a valid timestamp literal");
    ExprPtr literal = MakeExpr(ExprKind::kLiteral, at, {});
    literal->type = SqlType::kTimestamp;
    literal->integer = *ns;
    return literal;
  }

  ExprPtr Cast() {
    const SqlPosition at = cursor_.Take().at;
    cursor_.ExpectOperator("(");
    ExprPtr cast = MakeExpr(ExprKind::kCast, at, {});
    cast->args.push_back(Or());
    cursor_.ExpectWord("AS");
    static constexpr std::array<std::pair<std::string_view, SqlType>, 5> kTypes{
        {{"VARCHAR", SqlType::kVarchar},
         {"BIGINT", SqlType::kBigint},
         {"DOUBLE", SqlType::kDouble},
         {"BOOLEAN", SqlType::kBoolean},
         {"TIMESTAMP", SqlType::kTimestamp}}};
    const auto known = std::find_if(kTypes.begin(), kTypes.end(), [this](const auto& type) {
      return cursor_.AtWord(type.first);
    });
    if (known == kTypes.end()) cursor_.Refuse("varchar, bigint, double, boolean or timestamp");
    cursor_.Take();
    cast->type = known->second;
    cursor_.ExpectOperator(")");
    return cast;
  }

  // The searched form only: `CASE WHEN condition THEN value ... END`.
  ExprPtr Case() {
    const SqlPosition at = cursor_.Take().at;
    ExprPtr result = MakeExpr(ExprKind::kCase, at, {});
    if (!cursor_.AtWord("WHEN")) cursor_.Refuse("WHEN");
    while (cursor_.TakeWord("WHEN")) {
      result->args.push_back(Or());
      cursor_.ExpectWord("THEN");
      result->args.push_back(Or());
    }
    if (cursor_.TakeWord("ELSE")) {
      result->has_else = true;
      result->args.push_back(Or());
    }
    cursor_.ExpectWord("END");
    return result;
  }

  ExprPtr Call() {
    const Token& name = cursor_.Take();
    ExprPtr call = MakeExpr(ExprKind::kCall, name.at, AsciiLower(name.text));
    cursor_.ExpectOperator("(");
    if (cursor_.TakeOperator("*")) {
      call->star = true;
      cursor_.ExpectOperator(")");
      return call;
    }
    if (cursor_.TakeOperator(")")) return call;
    call->distinct = cursor_.TakeWord("DISTINCT");
    do {
      call->args.push_back(Or());
    } while (cursor_.TakeOperator(","));
    cursor_.ExpectOperator(")");
    return call;
  }

  TokenCursor& cursor_;
  int depth_ = 0;
  int operators_ = 0;
};

}  // namespace

const Token& TokenCursor::Peek(std::size_t ahead) const {
  return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
}

const Token& TokenCursor::Take() {
  const Token& token = Peek();
  if (at_ + 1 < tokens_.size()) ++at_;
  return token;
}

bool TokenCursor::AtWord(std::string_view word) const {
  return Peek().kind == TokenKind::kWord && Peek().upper == word;
}

bool TokenCursor::AtOperator(std::string_view text) const {
  return Peek().kind == TokenKind::kOperator && Peek().text == text;
}

bool TokenCursor::AtName() const {
  if (Peek().kind == TokenKind::kQuoted) return true;
  return Peek().kind == TokenKind::kWord &&
         std::find(kReserved.begin(), kReserved.end(), Peek().upper) == kReserved.end();
}

bool TokenCursor::TakeWord(std::string_view word) {
  if (!AtWord(word)) return false;
  Take();
  return true;
}

bool TokenCursor::TakeOperator(std::string_view text) {
  if (!AtOperator(text)) return false;
  Take();
  return true;
}

void TokenCursor::ExpectWord(std::string_view word) {
  if (!TakeWord(word)) Refuse(std::string(word));
}

void TokenCursor::ExpectOperator(std::string_view text) {
  if (!TakeOperator(text)) Refuse("'" + std::string(text) + "'");
}

void TokenCursor::Refuse(const std::string& expected) const {
  const Token& token = Peek();
  const std::string shown = token.kind == TokenKind::kEnd ? "<EOF>" : token.text;
  throw SqlError(token.at, "mismatched input '" + shown + "'. Expecting: " + expected);
}

ExprPtr ParseExpr(TokenCursor* cursor) { return ExprParser(cursor).Or(); }

}  // namespace ts_local
