#include "ts_local/sql_parser.h"

#include <algorithm>
#include <array>

#include "ts_local/sql_expr_parser.h"

namespace ts_local {
namespace {

class StatementParser {
 public:
  explicit StatementParser(std::string_view sql) : cursor_(Tokenize(sql)) {}

  Statement Parse() {
    Statement statement = ParseOne();
    cursor_.TakeOperator(";");
    if (!cursor_.AtEnd()) cursor_.Refuse("the end of the query");
    return statement;
  }

 private:
  Statement ParseOne() {
    if (cursor_.AtWord("SELECT")) return ParseSelect();
    if (cursor_.TakeWord("UNLOAD")) return ParseUnload();
    if (cursor_.TakeWord("SHOW")) return ParseShow();
    if (cursor_.TakeWord("DESCRIBE") || cursor_.TakeWord("DESC")) {
      ShowStatement describe;
      describe.kind = ShowStatement::Kind::kDescribe;
      describe.name = ParseTableName();
      return describe;
    }
    cursor_.Refuse("SELECT, UNLOAD, SHOW or DESCRIBE");
  }

  std::string ParseName(const char* what) {
    if (!cursor_.AtName()) cursor_.Refuse(what);
    return cursor_.Take().text;
  }

  SqlTableName ParseTableName() {
    SqlTableName name;
    name.at = cursor_.Peek().at;
    name.database = ParseName("a database name");
    if (!cursor_.TakeOperator(".")) cursor_.Refuse("'.' and a table name");
    name.table = ParseName("a table name");
    return name;
  }

  SelectStatement ParseSelect() {
    cursor_.ExpectWord("SELECT");
    SelectStatement select;
    if (cursor_.TakeWord("DISTINCT")) {
      select.distinct = true;
    } else {
      cursor_.TakeWord("ALL");
    }
    do {
      select.items.push_back(ParseItem());
    } while (cursor_.TakeOperator(","));
    if (cursor_.TakeWord("FROM")) select.from = ParseTableName();
    if (cursor_.TakeWord("WHERE")) select.where = ParseExpr(&cursor_);
    if (cursor_.TakeWord("GROUP")) {
      cursor_.ExpectWord("BY");
      do {
        select.group_by.push_back(ParseExpr(&cursor_));
      } while (cursor_.TakeOperator(","));
    }
    if (cursor_.TakeWord("HAVING")) select.having = ParseExpr(&cursor_);
    if (cursor_.TakeWord("ORDER")) {
      cursor_.ExpectWord("BY");
      do {
        select.order_by.push_back(ParseOrderItem());
      } while (cursor_.TakeOperator(","));
    }
    if (cursor_.TakeWord("LIMIT") && !cursor_.TakeWord("ALL")) select.limit = ParseLimit();
    return select;
  }

  SelectItem ParseItem() {
    SelectItem item;
    item.at = cursor_.Peek().at;
    if (cursor_.TakeOperator("*")) {
      item.star = true;
      return item;
    }
    item.expr = ParseExpr(&cursor_);
    if (cursor_.TakeWord("AS")) {
      item.alias = ParseName("an alias");
    } else if (cursor_.AtName()) {
      item.alias = cursor_.Take().text;
    }
    return item;
  }

  OrderItem ParseOrderItem() {
    OrderItem item;
    item.expr = ParseExpr(&cursor_);
    if (cursor_.TakeWord("DESC")) {
      item.descending = true;
    } else {
      cursor_.TakeWord("ASC");
    }
    if (cursor_.TakeWord("NULLS")) {
      item.nulls_first = cursor_.TakeWord("FIRST");
      if (!item.nulls_first) cursor_.ExpectWord("LAST");
    }
    return item;
  }

  std::int64_t ParseLimit() {
    if (cursor_.Peek().kind != TokenKind::kBigint) cursor_.Refuse("a number of rows");
    return cursor_.Take().integer;
  }

  UnloadStatement ParseUnload() {
    UnloadStatement unload;
    cursor_.ExpectOperator("(");
    if (!cursor_.AtWord("SELECT")) cursor_.Refuse("SELECT");
    unload.select = ParseSelect();
    cursor_.ExpectOperator(")");
    cursor_.ExpectWord("TO");
    unload.to_at = cursor_.Peek().at;
    unload.to = ParseString("'s3://bucket/folder'");
    if (!cursor_.TakeWord("WITH")) return unload;
    cursor_.ExpectOperator("(");
    do {
      unload.options.push_back(ParseOption());
    } while (cursor_.TakeOperator(","));
    cursor_.ExpectOperator(")");
    return unload;
  }

  std::string ParseString(const char* what) {
    if (cursor_.Peek().kind != TokenKind::kString) cursor_.Refuse(what);
    return cursor_.Take().text;
  }

  UnloadOption ParseOption() {
    UnloadOption option;
    option.at = cursor_.Peek().at;
    if (!cursor_.AtName()) cursor_.Refuse("an UNLOAD option");
    option.name = AsciiLower(cursor_.Take().text);
    cursor_.ExpectOperator("=");
    if (!cursor_.TakeWord("ARRAY")) {
      option.values.push_back(ParseString("a string"));
      return option;
    }
    option.is_array = true;
    cursor_.ExpectOperator("[");
    do {
      option.values.push_back(ParseString("a column name in single quotes"));
    } while (cursor_.TakeOperator(","));
    cursor_.ExpectOperator("]");
    return option;
  }

  ShowStatement ParseShow() {
    ShowStatement show;
    if (cursor_.TakeWord("DATABASES")) {
      show.kind = ShowStatement::Kind::kDatabases;
    } else if (cursor_.TakeWord("TABLES")) {
      show.kind = ShowStatement::Kind::kTables;
      if (cursor_.TakeWord("FROM")) {
        show.name.at = cursor_.Peek().at;
        show.name.database = ParseName("a database name");
      }
    } else if (cursor_.TakeWord("MEASURES")) {
      show.kind = ShowStatement::Kind::kMeasures;
      cursor_.ExpectWord("FROM");
      show.name = ParseTableName();
    } else {
      cursor_.Refuse("DATABASES, TABLES or MEASURES");
    }
    if (cursor_.TakeWord("LIKE")) show.like = ParseString("a pattern");
    return show;
  }

  TokenCursor cursor_;
};

}  // namespace

Statement ParseStatement(std::string_view sql) { return StatementParser(sql).Parse(); }

}  // namespace ts_local
