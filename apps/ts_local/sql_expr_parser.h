// Expressions of the SQL parser, and the cursor over tokens that both halves of it share. A cursor
// belongs to one parse. Errors are ApiError ValidationException with line and column.
#pragma once

#include <string_view>
#include <vector>

#include "ts_local/sql_ast.h"

namespace ts_local {

class TokenCursor {
 public:
  // `tokens` ends in kEnd, as Tokenize returns them.
  explicit TokenCursor(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  const Token& Peek(std::size_t ahead = 0) const;
  const Token& Take();
  bool AtEnd() const { return Peek().kind == TokenKind::kEnd; }
  // `word` in upper case; quoted names are never keywords.
  bool AtWord(std::string_view word) const;
  bool AtOperator(std::string_view text) const;
  // A quoted name, or a word that SQL does not reserve.
  bool AtName() const;
  bool TakeWord(std::string_view word);
  bool TakeOperator(std::string_view text);
  void ExpectWord(std::string_view word);
  void ExpectOperator(std::string_view text);
  [[noreturn]] void Refuse(const std::string& expected) const;

 private:
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
};

// Consumes the longest expression at the cursor. Nesting deeper than 200 levels is refused.
ExprPtr ParseExpr(TokenCursor* cursor);

}  // namespace ts_local
