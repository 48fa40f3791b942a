#include "tsm/run/stored_object.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tsm::test {
namespace {

using run::StoredObject;
using testing::ElementsAre;
using testing::Pair;

enum class Colour { kRed, kBlue };
constexpr std::array kColours = {Colour::kRed, Colour::kBlue};
std::string_view Name(Colour colour) { return colour == Colour::kRed ? "red" : "blue"; }

StoredObject Parsed(std::string_view text) { return StoredObject::Parse(text).value(); }

TEST(StoredObjectTest, MembersByNameAndType) {
  const StoredObject object = Parsed(R"({"text": "a", "flag": true, "count": 18446744073709551615,
      "number": -9223372036854775808, "huge": 18446744073709551615, "texts": ["x", ""], "counts": [1, 2],
      "named": {"b": 2, "a": 1}, "pairs": [[-5, 7], [6, 0]], "array": [1, {"b": null}],
      "null": null, "colour": "blue", "inner": {"text": "b"}})");
  EXPECT_EQ(object.Text("text"), "a");
  EXPECT_TRUE(object.Flag("flag"));
  EXPECT_EQ(object.Count("count"), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(object.Number("number"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(object.Digits("huge"), "18446744073709551615");
  EXPECT_THAT(object.Texts("texts"), ElementsAre("x", ""));
  EXPECT_THAT(object.Counts("counts"), ElementsAre(1U, 2U));
  EXPECT_THAT(object.NamedCounts("named"), ElementsAre(Pair("a", 1U), Pair("b", 2U)));
  EXPECT_THAT(object.CountedNumbers("pairs"), ElementsAre(Pair(-5, 7U), Pair(6, 0U)));
  EXPECT_EQ(object.ArrayText("array"), R"([1,{"b":null}])");
  EXPECT_EQ(object.OneOf(kColours, "colour"), Colour::kBlue);
  EXPECT_EQ(object.Object("inner").Text("text"), "b");
  EXPECT_TRUE(object.IsNull("null"));
  EXPECT_FALSE(object.IsNull("absent"));
  EXPECT_EQ(object.OptionalCount("null"), std::nullopt);
  EXPECT_EQ(object.OptionalNumber("number"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(object.missing(), "");
}

TEST(StoredObjectTest, AnythingElseIsNone) {
  for (const char* text : {"", "[]", "1", "null", "{", "{\"a\":1}}", "\"a\""}) {
    EXPECT_FALSE(StoredObject::Parse(text)) << text;
  }
}

TEST(StoredObjectTest, EachKindMissesWhatIsOfAnother) {
  const std::string text = R"({"a": {"b": 1}, "n": 9223372036854775808, "big": 5000000000})";
  const auto missing = [&](const auto& ask) {
    const StoredObject object = Parsed(text);
    ask(object);
    return object.missing();
  };
  EXPECT_EQ(missing([](const StoredObject& o) { EXPECT_EQ(o.Text("a"), ""); }), "a");
  EXPECT_EQ(missing([](const StoredObject& o) { EXPECT_FALSE(o.Flag("a")); }), "a");
  EXPECT_EQ(missing([](const StoredObject& o) { EXPECT_EQ(o.Count("a"), 0U); }), "a");
  EXPECT_EQ(missing([](const StoredObject& o) { EXPECT_EQ(o.Count("big", 4294967295U), 0U); }),
            "big");
  EXPECT_EQ(missing([](const StoredObject& o) { EXPECT_EQ(o.Number("n"), 0); }), "n");
  EXPECT_EQ(missing([](const StoredObject& o) { EXPECT_TRUE(o.Texts("a").empty()); }), "a");
  EXPECT_EQ(missing([](const StoredObject& o) { EXPECT_TRUE(o.Counts("none").empty()); }), "none");
  EXPECT_EQ(missing([](const StoredObject& o) { EXPECT_TRUE(o.NamedCounts("n").empty()); }), "n");
  EXPECT_EQ(missing([](const StoredObject& o) { EXPECT_TRUE(o.CountedNumbers("a").empty()); }),
            "a");
  EXPECT_EQ(missing([](const StoredObject& o) { EXPECT_EQ(o.ArrayText("a"), "[]"); }), "a");
  EXPECT_EQ(missing([](const StoredObject& o) { EXPECT_EQ(o.OneOf(kColours, "a"), Colour::kRed); }),
            "a");
  EXPECT_EQ(missing([](const StoredObject& o) { EXPECT_EQ(o.OptionalCount("none"), 0U); }), "none");
  EXPECT_EQ(missing([](const StoredObject& o) { EXPECT_EQ(o.Object("n").Text("x"), ""); }), "n");
}

TEST(StoredObjectTest, TheFirstMissIsToldByItsPlace) {
  const StoredObject object =
      Parsed(R"({"tables": [{"slices": [{"from": 1}, {"from": "2"}]}, 3], "x": 1})");
  int visited = 0;
  object.ForEach("tables", [&](const StoredObject& table) {
    table.ForEach("slices", [&](const StoredObject& slice) {
      ++visited;
      (void)slice.Number("from");
    });
  });
  EXPECT_EQ(visited, 2);
  object.Miss("x");
  EXPECT_EQ(object.missing(), "tables[0].slices[1].from");
  const StoredObject other = Parsed(R"({"tables": [3]})");
  other.ForEach("tables", [](const StoredObject& table) { (void)table.Text("name"); });
  EXPECT_EQ(other.missing(), "tables[0].name");
}

TEST(OpenPlanTest, FormatAndWholeness) {
  const auto plan = run::OpenPlan(R"({"format": 3, "a": "b"})", 3, "ts-tool");
  ASSERT_TRUE(plan);
  EXPECT_TRUE(run::CheckPlan(*plan, "ts-tool"));
  (void)plan->Text("c");
  EXPECT_EQ(run::CheckPlan(*plan, "ts-tool").error().message,
            "this is no plan of ts-tool: c is missing or malformed");
  const auto message = [](std::string_view text) {
    const auto opened = run::OpenPlan(text, 3, "ts-tool");
    return opened ? "" : opened.error().message;
  };
  EXPECT_EQ(message("[]"), "this is no plan of ts-tool: it holds no JSON object");
  EXPECT_EQ(message(R"({"format": "3"})"), "this is no plan of ts-tool: format is missing");
  EXPECT_EQ(message(R"({"format": 4})"),
            "the plan has format 4, this program reads format 3: go on with the version of "
            "ts-tool that planned it");
}

}  // namespace
}  // namespace tsm::test
