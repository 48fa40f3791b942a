// --fail: which rules are read and refused, which calls they strike, and how rules change at run
// time.

#include "ts_local/fault_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "ts_local/fault_control.h"
#include "ts_local/operation_names.h"

namespace ts_local {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string ParseProblem(const std::string& text) {
  try {
    (void)FaultRule::Parse(text);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "accepted";
}

// '!' for each struck call of ten.
std::string TenCalls(const std::string& rule, const std::string& operation = "Query",
                     Protocol protocol = Protocol::kJson) {
  FaultRules rules;
  rules.Add(FaultRule::Parse(rule));
  std::string out;
  for (int i = 0; i < 10; ++i) out += rules.Next(operation, protocol) ? '!' : '.';
  return out;
}

TEST(FaultRules, StrikeTheCallsTheyName) {
  EXPECT_EQ(TenCalls("Query:1:reset"), "!.........");
  EXPECT_EQ(TenCalls("Query:3:hang"), "..!.......");
  EXPECT_EQ(TenCalls("Query:2-4:ThrottlingException"), ".!!!......");
  EXPECT_EQ(TenCalls("Query:8-:slow=5"), ".......!!!");
  EXPECT_EQ(TenCalls("Query:*:reset+after"), "!!!!!!!!!!");
  EXPECT_EQ(TenCalls("*:2:ThrottlingException"), ".!........");
  EXPECT_EQ(TenCalls("CancelQuery:*:reset"), "..........");
  EXPECT_EQ(TenCalls("*:*:SlowDown"), "..........") << "Timestream has no SlowDown";
  EXPECT_EQ(TenCalls("*:1:SlowDown", "PutObject", Protocol::kS3), "!.........");
  EXPECT_EQ(TenCalls("*:1:reset", ""), "!.........") << "a call that is no known operation";
  EXPECT_EQ(TenCalls("Query:100%:reset"), "!!!!!!!!!!");
  EXPECT_EQ(TenCalls("Query:0%:reset"), "..........");
}

TEST(FaultRules, ARunOfATaskStopsOrFailsAtAShareOfIt) {
  FaultRules rules;
  for (const char* rule : {"Task:1:stop", "Task:2:stop=0", "Task:3:fail=99.5", "*:*:reset"}) {
    rules.Add(FaultRule::Parse(rule));
  }
  auto fault = rules.Next(kTaskStep, Protocol::kJson);
  EXPECT_EQ(fault->kind, Fault::Kind::kStopTask);
  EXPECT_FALSE(fault->share.has_value());
  EXPECT_EQ(rules.Next(kTaskStep, Protocol::kJson)->share, 0.0);
  fault = rules.Next(kTaskStep, Protocol::kJson);
  EXPECT_EQ(fault->kind, Fault::Kind::kFailTask);
  EXPECT_DOUBLE_EQ(*fault->share, 0.995);
  EXPECT_FALSE(rules.Next(kTaskStep, Protocol::kJson)) << "* is for calls alone";
  for (const char* rule : {"Task:1:reset", "Task:1:stop=", "Task:1:stop=100", "Task:1:fail=x"}) {
    EXPECT_THAT(ParseProblem(rule), Not("accepted")) << rule;
  }
  EXPECT_TRUE(FaultRule::Parse("CopyObject:1:SlowDown+in200").fault.in_200);
  for (const char* rule : {"PutObject:1:SlowDown+in200", "CopyObject:1:reset+in200"}) {
    EXPECT_THAT(ParseProblem(rule), Not("accepted")) << rule;
  }
  EXPECT_THAT(ParseProblem("Task:1:hang"), HasSubstr("neither stop, stop=PERCENT, fail"));
}

TEST(FaultRules, AChanceIsTheSameSequenceEachTime) {
  const auto strikes = [](const std::string& when) {
    FaultRules rules;
    rules.Add(FaultRule::Parse("Query:" + when + ":reset"));
    std::string out;
    for (int i = 0; i < 2000; ++i) out += rules.Next("Query", Protocol::kJson) ? '!' : '.';
    return out;
  };
  const std::string once = strikes("25%/7");
  EXPECT_EQ(once, strikes("25%/7"));
  EXPECT_NE(once, strikes("25%/8"));
  EXPECT_EQ(strikes("25%"), strikes("25%/1"));
  const auto count = std::count(once.begin(), once.end(), '!');
  EXPECT_GT(count, 400);
  EXPECT_LT(count, 600);
}

TEST(FaultRules, TheFirstThatStrikesCountsAndAllKeepCounting) {
  FaultRules rules;
  rules.Add(FaultRule::Parse("Query:1-2:ThrottlingException"));
  rules.Add(FaultRule::Parse("Query:2-3:InternalServerException+after"));
  std::vector<std::string> codes;
  for (int i = 0; i < 4; ++i) {
    const auto fault = rules.Next("Query", Protocol::kJson);
    codes.push_back(fault ? std::to_string(fault->status) + " " + fault->code +
                                (fault->after ? " after" : "")
                          : "none");
  }
  EXPECT_THAT(codes, ElementsAre("400 ThrottlingException", "400 ThrottlingException",
                                 "500 InternalServerException after", "none"));
  EXPECT_EQ(rules.Json(),
            R"({"rules":[{"rule":"Query:1-2:ThrottlingException","calls":4,"struck":2},)"
            R"({"rule":"Query:2-3:InternalServerException+after","calls":4,"struck":1}]})");
}

TEST(FaultRules, EachProtocolHasItsStatus) {
  const auto status = [](const std::string& code, const std::string& operation, Protocol protocol) {
    FaultRules rules;
    rules.Add(FaultRule::Parse(operation + ":1:" + code));
    return rules.Next(operation, protocol)->Error().status();
  };
  EXPECT_EQ(status("ExpiredToken", "PutObject", Protocol::kS3), 400);
  EXPECT_EQ(status("ExpiredToken", "Publish", Protocol::kQuery), 403);
  EXPECT_EQ(status("ExpiredTokenException", "Query", Protocol::kJson), 400);
  EXPECT_EQ(status("SlowDown", "CopyObject", Protocol::kS3), 503);
  EXPECT_EQ(status("AccessDenied", "ListObjectsV2", Protocol::kS3), 403);
  EXPECT_EQ(status("InternalServerException", "CreateBatchLoadTask", Protocol::kJson), 500);
}

TEST(FaultRules, RefuseWithThePlace) {
  struct Case {
    const char* text;
    const char* place;
    const char* why;
  };
  for (const Case& c : std::vector<Case>{
           {"", "character 1:", "three parts"},
           {"Query:1", "character 8:", "three parts"},
           {"PutObjct:1:SlowDown", "character 1:", "'PutObjct' is no operation"},
           {"Query:0:reset", "character 7:", "'0' is no number from 1"},
           {"Query:4-2:reset", "character 9:", "'2' is no number from 4"},
           {"Query::reset", "character 7:", "'' is no number"},
           {"Query:x:reset", "character 7:", "'x' is no number"},
           {"Query:101%:reset", "character 7:", "'101' is no number from 0"},
           {"Query:nan%:reset", "character 7:", "'nan' is no number"},
           {"Query:5%7:reset", "character 9:", "/SEED"},
           {"Query:5%/:reset", "character 10:", "'' is no number"},
           {"Query:1:slow=0", "character 14:", "'0' is no number from 1"},
           {"Query:1:slow=5+after", "character 14:", "'5+after' is no number"},
           {"Query:1:SlowDown", "character 9:", "nor an error of Query's: ThrottlingException"},
           {"PutObject:1:Nope", "character 13:", "SlowDown"},
           {"*:1:reset+later", "character 5:", "'reset+later' is neither"}}) {
    EXPECT_THAT(ParseProblem(c.text), AllOf(HasSubstr(c.place), HasSubstr(c.why))) << c.text;
  }
  EXPECT_THAT(ParseProblem("Query:1:SlowDown"), Not(HasSubstr("InternalError")));
}

TEST(FaultRules, StepsOfAnUnloadAreStruckByTheirNameAlone) {
  EXPECT_EQ(TenCalls("Unload:2:QueryExecutionException", "Unload"), ".!........");
  EXPECT_EQ(TenCalls("UnloadWrite:3-4:SlowDown", "UnloadWrite", Protocol::kS3), "..!!......");
  EXPECT_EQ(TenCalls("*:*:SlowDown", "UnloadWrite", Protocol::kS3), "..........");
  EXPECT_EQ(TenCalls("*:*:reset", "Unload"), "..........");
  EXPECT_EQ(TenCalls("Unload:*:QueryExecutionException"), "..........") << "a Query is no step";
  for (const char* wrong : {"Unload:1:reset", "Unload:1:slow=5", "Unload:1:SlowDown",
                            "Unload:1:QueryExecutionException+after", "Unload:1:"}) {
    EXPECT_THAT(ParseProblem(wrong), AllOf(HasSubstr("character 10:"), HasSubstr("Unload can end "
                                                                                 "with: Query")));
  }
  EXPECT_THAT(ParseProblem("UnloadWrite:1:hang"), HasSubstr("SlowDown, ServiceUnavailable"));
}

TEST(OperationOf, NamesWhatTheRequestAsksFor) {
  struct Case {
    const char* method;
    const char* path;
    std::vector<std::pair<std::string, std::string>> query;
    const char* header;  // one that matters
    const char* name;
  };
  for (const Case& c : std::vector<Case>{
           {"PUT", "/b/k", {}, "", "PutObject"},
           {"PUT", "/b/k", {}, "x-amz-copy-source", "CopyObject"},
           {"PUT", "/b/k", {{"partNumber", "1"}, {"uploadId", "u"}}, "", "UploadPart"},
           {"PUT",
            "/b/k",
            {{"partNumber", "1"}, {"uploadId", "u"}},
            "x-amz-copy-source",
            "UploadPartCopy"},
           {"GET", "/b", {{"list-type", "2"}}, "", "ListObjectsV2"},
           {"GET", "/b/k", {}, "", "GetObject"},
           {"HEAD", "/b/k", {}, "", "HeadObject"},
           {"HEAD", "/b", {}, "", "HeadBucket"},
           {"POST", "/b", {{"delete", ""}}, "", "DeleteObjects"},
           {"GET", "/", {}, "", "ListBuckets"},
           {"PATCH", "/b/k", {}, "", ""}}) {
    Request request;
    request.method = c.method;
    request.path = c.path;
    request.query = c.query;
    if (*c.header != '\0') request.headers.emplace(c.header, "x");
    const Protocol protocol = ProtocolOf(request);
    EXPECT_EQ(OperationOf(request, protocol), c.name) << c.method << " " << c.path;
    EXPECT_EQ(IsOperation(c.name, protocol), *c.name != '\0') << c.name;
  }
  Request form;
  form.method = "POST";
  form.path = "/";
  form.headers.emplace("content-type", "application/x-www-form-urlencoded; charset=utf-8");
  form.body = "Action=Publish&Version=2010-03-31";
  EXPECT_EQ(OperationOf(form, ProtocolOf(form)), "Publish");
  Request json;
  json.headers.emplace("x-amz-target", "Timestream_20181101.CreateBatchLoadTask");
  EXPECT_EQ(OperationOf(json, ProtocolOf(json)), "CreateBatchLoadTask");
}

TEST(ControlFaults, AddsAllOrNothingAndOnlyFromThisMachine) {
  FaultRules rules;
  Request request;
  request.path = "/ts-local/fail";
  request.from_this_machine = true;
  const auto answer = [&](const std::string& method, const std::string& body = "") {
    request.method = method;
    request.body = body;
    const Response response = ControlFaults(request, &rules);
    return std::to_string(response.status) + " " + response.body;
  };
  EXPECT_TRUE(IsFaultControl(request));
  EXPECT_THAT(answer("POST", R"({"rules":["Query:1:reset"]})"),
              HasSubstr("200 {\"rules\":[{\"rule\""));
  EXPECT_THAT(answer("POST", R"({"rules":["Query:2:reset","Query:x:reset"]})"),
              AllOf(HasSubstr("400 "), HasSubstr("character 7")));
  for (const char* wrong : {"", "[]", "{}", R"({"rules":[1]})", R"({"rules":[],"more":1})"}) {
    EXPECT_THAT(answer("POST", wrong), HasSubstr("400 {\"error\":\"the body must be")) << wrong;
  }
  EXPECT_THAT(answer("PUT"), HasSubstr("405 "));
  EXPECT_EQ(answer("GET"),
            "200 {\"rules\":[{\"rule\":\"Query:1:reset\",\"calls\":0,\"struck\":0}]}\n");
  request.from_this_machine = false;
  EXPECT_THAT(answer("DELETE"), HasSubstr("403 "));
  request.from_this_machine = true;
  EXPECT_EQ(answer("DELETE"), "200 {\"rules\":[]}\n");
  request.headers.emplace("authorization", "AWS4-HMAC-SHA256 ...");
  EXPECT_FALSE(IsFaultControl(request)) << "a bucket may be called ts-local";
}

}  // namespace
}  // namespace ts_local
