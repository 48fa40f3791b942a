#include "tsm/unload/table_scope.h"

#include <gtest/gtest.h>

#include <chrono>

namespace tsm::unload {
namespace {

timestream::TableRef Table(const std::string& database, const std::string& table) {
  return *timestream::TableRef::Make(database, table);
}

TEST(MatchesPatternTest, KnowsStarAndQuestionMark) {
  const timestream::TableRef table = Table("sourcedb", "myTable");
  for (const char* pattern :
       {"myTable", "*", "**", "my*", "*Table", "m?Table", "*T*b*", "sourcedb.*", "*.myTable",
        "source??.my*", "*db.*e", "myTable*", "*myTable"}) {
    EXPECT_TRUE(MatchesPattern(pattern, table)) << pattern;
  }
  for (const char* pattern : {"", "mytable", "my", "Table", "?", "myTable?", "otherdb.*",
                              "sourcedb", "*.", ".*", "my*x", "*X*", "sourcedb.myTable.*"}) {
    EXPECT_FALSE(MatchesPattern(pattern, table)) << pattern;
  }
}

TEST(MatchesPatternTest, APatternWithoutADotIsHeldAgainstTheTableAlone) {
  EXPECT_TRUE(MatchesPattern("a*", Table("zzz", "a.b")));
  EXPECT_FALSE(MatchesPattern("z*", Table("zzz", "a.b")));
  EXPECT_TRUE(MatchesPattern("zzz.a.?", Table("zzz", "a.b")));
}

// The same rule, written as its definition.
bool Slow(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*') {
    return Slow(pattern.substr(1), text) || (!text.empty() && Slow(pattern, text.substr(1)));
  }
  return !text.empty() && (pattern[0] == '?' || pattern[0] == text[0]) &&
         Slow(pattern.substr(1), text.substr(1));
}

TEST(MatchesPatternTest, AgreesWithTheDefinitionForEveryShortPatternAndName) {
  const auto words = [](const std::string& letters, std::size_t longest) {
    std::vector<std::string> all{""};
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i].size() == longest) break;
      for (const char c : letters) all.push_back(all[i] + c);
    }
    return all;
  };
  for (const std::string& pattern : words("ab*?", 5)) {
    for (const std::string& text : words("ab", 4)) {
      if (text.empty()) continue;
      ASSERT_EQ(MatchesPattern(pattern, Table("d", text)), Slow(pattern, text))
          << pattern << " " << text;
    }
  }
}

TEST(MatchesPatternTest, TakesNoExponentialTime) {
  std::string pattern;
  for (int i = 0; i < 100; ++i) pattern += "a*";
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(MatchesPattern(pattern + "b", Table("d", std::string(256, 'a'))));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

TEST(TableScopeTest, SelectsNamedTables) {
  TableScope scope;
  scope.tables = {Table("d", "a"), Table("d", "b")};
  EXPECT_FALSE(scope.NamesOneTable());
  EXPECT_TRUE(scope.Selects(Table("d", "b")));
  EXPECT_FALSE(scope.Selects(Table("d", "c")));
  EXPECT_FALSE(scope.Selects(Table("e", "a")));
  EXPECT_EQ(scope.str(), "d.a, d.b");
}

TEST(TableScopeTest, SelectsOfADatabaseByPatterns) {
  TableScope scope;
  scope.database = "d";
  EXPECT_TRUE(scope.Selects(Table("d", "any")));
  EXPECT_FALSE(scope.Selects(Table("D", "any")));
  EXPECT_EQ(scope.str(), "database d");
  scope.include = {"cpu*", "mem*"};
  scope.exclude = {"*_old"};
  EXPECT_TRUE(scope.Selects(Table("d", "mem_1")));
  EXPECT_FALSE(scope.Selects(Table("d", "disk")));
  EXPECT_FALSE(scope.Selects(Table("d", "cpu_old")));
  EXPECT_EQ(scope.str(), "database d, only cpu*, mem*, without *_old");
}

TEST(TableScopeTest, SelectsOfAllDatabases) {
  TableScope scope;
  scope.exclude = {"test.*"};
  EXPECT_TRUE(scope.Selects(Table("prod", "t")));
  EXPECT_FALSE(scope.Selects(Table("test", "t")));
  EXPECT_EQ(scope.str(), "all databases, without test.*");
}

}  // namespace
}  // namespace tsm::unload
