#include "tsm/unload/bucket_policy.h"

#include <nlohmann/json.hpp>
#include <set>

namespace tsm::unload {

namespace {

// Keeps the members' order, so that people find their policy as they wrote it.
using Json = nlohmann::ordered_json;

// A statement as it acts: without its Sid, and with ["x"] as "x", which S3 makes of it when it
// stores a policy. Of the unordered kind, so that the order of members does not count.
nlohmann::json Meaning(const Json& statement) {
  nlohmann::json meaning = nlohmann::json::parse(statement.dump());
  meaning.erase("Sid");
  auto single = [](nlohmann::json& value) {
    if (value.is_array() && value.size() == 1) value = nlohmann::json(value.front());
  };
  for (auto& [name, value] : meaning.items()) {
    single(value);
    if (name == "Principal" && value.is_object()) {
      for (auto& item : value.items()) single(item.value());
    }
  }
  return meaning;
}

std::string FreeSid(const Json& statements, const std::string& wanted) {
  std::set<std::string> taken;
  for (const Json& statement : statements) {
    if (statement.contains("Sid") && statement["Sid"].is_string()) {
      taken.insert(statement["Sid"].get<std::string>());
    }
  }
  std::string sid = wanted;
  for (int suffix = 2; taken.contains(sid); ++suffix) sid = wanted + std::to_string(suffix);
  return sid;
}

Json ReadStatement(const std::string& action, const std::string& resource,
                   const std::string& role_arn) {
  return Json{{"Effect", "Allow"},
              {"Principal", {{"AWS", role_arn}}},
              {"Action", action},
              {"Resource", resource}};
}

// True where it had to be added.
bool AddStatement(Json& statements, const std::string& sid, const Json& statement) {
  const nlohmann::json wanted = Meaning(statement);
  for (const Json& present : statements) {
    if (Meaning(present) == wanted) return false;
  }
  Json named = {{"Sid", FreeSid(statements, sid)}};
  named.update(statement);
  statements.push_back(named);
  return true;
}

Error Unreadable(const s3::BucketName& bucket, const std::string& why) {
  return MakeError(ErrorKind::kBadReply,
                   "the policy of bucket " + bucket.str() + " " + why + "; it is left as it is");
}

// The statements as an array; the grammar also allows one object in its place.
Result<Json> StatementsOf(const Json& policy, const s3::BucketName& bucket) {
  if (!policy.contains("Statement")) return Unreadable(bucket, "has no Statement");
  Json statements = policy["Statement"];
  if (statements.is_object()) statements = Json::array({statements});
  if (!statements.is_array()) return Unreadable(bucket, "has a Statement that is no list");
  for (const Json& statement : statements) {
    if (!statement.is_object()) return Unreadable(bucket, "has a statement that is no object");
  }
  return statements;
}

}  // namespace

std::string PartitionOfRegion(const std::string& region) {
  if (region.starts_with("cn-")) return "aws-cn";
  if (region.starts_with("us-gov-")) return "aws-us-gov";
  return "aws";
}

Result<std::optional<std::string>> AddReadStatements(const std::string& existing,
                                                     const s3::BucketName& bucket,
                                                     const std::string& role_arn,
                                                     const std::string& partition) {
  Json policy = {{"Version", "2012-10-17"}, {"Statement", Json::array()}};
  if (!existing.empty()) {
    policy = Json::parse(existing, nullptr, /*allow_exceptions=*/false);
    if (policy.is_discarded()) return Unreadable(bucket, "is not JSON");
    if (!policy.is_object()) return Unreadable(bucket, "is no JSON object");
  }
  Result<Json> statements = StatementsOf(policy, bucket);
  if (!statements) return statements.error();

  const std::string arn = "arn:" + partition + ":s3:::" + bucket.str();
  const bool get = AddStatement(*statements, "PermissionS3CopyGetObj",
                                ReadStatement("s3:GetObject", arn + "/*", role_arn));
  const bool list = AddStatement(*statements, "PermissionS3CopyListBucket",
                                 ReadStatement("s3:ListBucket", arn, role_arn));
  if (!get && !list) return std::optional<std::string>();
  policy["Statement"] = *statements;
  return std::optional<std::string>(policy.dump());
}

}  // namespace tsm::unload
