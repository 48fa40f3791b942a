#include "unload/fake_aws.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tsm/core/text.h"

namespace tsm::test {

namespace {

using nlohmann::json;

http::Response Reply(int status, std::string body = "", http::Headers headers = {}) {
  http::Response response;
  response.status = status;
  response.headers = std::move(headers);
  response.body = std::move(body);
  return response;
}

http::Response XmlError(int status, const std::string& code, const std::string& message) {
  return Reply(status, "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code><Message>" +
                           message + "</Message><RequestId>R1</RequestId></Error>");
}

http::Response JsonError(const FakeAws::Refusal& refusal) {
  return Reply(refusal.status, json{{"__type", "com.amazonaws.timestream#" + refusal.code},
                                    {"message", refusal.message}}
                                   .dump());
}

json TextColumn(const std::string& name, const std::string& type = "VARCHAR") {
  return {{"Name", name}, {"Type", {{"ScalarType", type}}}};
}

json TextRow(const std::vector<std::string>& cells) {
  json data = json::array();
  for (const std::string& cell : cells) data.push_back({{"ScalarValue", cell}});
  return {{"Data", data}};
}

// "/bucket/key/with/slashes" -> {"bucket", "key/with/slashes"}, decoded.
std::pair<std::string, std::string> SplitPath(const std::string& path) {
  const std::string text = PercentDecode(path.substr(1));
  const auto slash = text.find('/');
  if (slash == std::string::npos) return {text, ""};
  return {text.substr(0, slash), text.substr(slash + 1)};
}

std::optional<std::string> QueryValue(const http::Request& request, const std::string& name) {
  for (const auto& [key, value] : request.query) {
    if (key == name) return value;
  }
  return std::nullopt;
}

bool IsJsonCall(const http::Request& request) {
  return !http::FindHeader(request.headers, "x-amz-target").empty();
}

}  // namespace

std::string DataFileName(const std::string& query_id, int number) {
  std::string id = std::to_string(number);
  id.insert(0, 16 - id.size(), 'x');
  return query_id + "_1234567890_" + id + ".csv";
}

FakeAws::FakeAws() {
  buckets["bkt"];
  bench.transport.SetHandler([this](const http::Request& request) { return Answer(request); });
}

unload::UnloadServices FakeAws::Services() {
  return {s3_, query_, sts_, bench.clock, bench.random, sink_, "eu-west-1", "9.9.9"};
}

std::optional<std::string> FakeAws::ObjectWithPrefix(const std::string& bucket,
                                                     const std::string& prefix) {
  for (const auto& [key, body] : buckets[bucket].objects) {
    if (key.starts_with(prefix)) return body;
  }
  return std::nullopt;
}

void FakeAws::Sink::OnProgress(const Progress& progress) {
  fake_.notices.push_back("progress " + std::to_string(progress.done) + " of " +
                          std::to_string(progress.total));
}

std::string FakeAws::CallText(const http::Request& request) const {
  if (IsJsonCall(request)) {
    const std::string target = Header(request, "x-amz-target");
    const std::string name = target.substr(target.find('.') + 1);
    const json body = json::parse(request.body);
    if (name == "CancelQuery") return name + " " + body.value("QueryId", "");
    const std::string sql = body.value("QueryString", "");
    return name + " " + sql.substr(0, sql.find(' '));
  }
  const auto [bucket, key] = SplitPath(request.path);
  if (bucket.empty()) return "GetCallerIdentity";
  if (key.empty()) {
    if (request.method == "HEAD") return "HeadBucket " + bucket;
    if (QueryValue(request, "policy")) {
      return std::string(request.method == "GET" ? "Get" : "Put") + "BucketPolicy " + bucket;
    }
    if (request.method == "PUT") return "CreateBucket " + bucket;
    return "ListObjects " + bucket + "/" + QueryValue(request, "prefix").value_or("");
  }
  const std::string verb = request.method == "PUT"      ? "Put"
                           : request.method == "DELETE" ? "Delete"
                                                        : "Get";
  return verb + "Object " + bucket + "/" + key;
}

Result<http::Response> FakeAws::Answer(const http::Request& request) {
  const std::string call = CallText(request);
  calls.push_back(call);
  if (before) {
    if (const auto refusal = before(call)) {
      if (refusal->status == 0) return MakeError(ErrorKind::kTransient, "connection refused");
      return IsJsonCall(request) ? JsonError(*refusal)
                                 : XmlError(refusal->status, refusal->code, refusal->message);
    }
  }
  http::Response response;
  if (call == "GetCallerIdentity") {
    response = Reply(200,
                     "<GetCallerIdentityResponse><GetCallerIdentityResult>"
                     "<Arn>arn:aws:iam::123456789012:user/op</Arn><UserId>U</UserId>"
                     "<Account>123456789012</Account></GetCallerIdentityResult>"
                     "</GetCallerIdentityResponse>");
  } else if (IsJsonCall(request)) {
    response = AnswerTimestream(request);
  } else {
    response = AnswerS3(request, call);
  }
  if (after) after(call);
  return response;
}

http::Response FakeAws::AnswerS3(const http::Request& request, const std::string& call) {
  const auto [name, key] = SplitPath(request.path);
  if (key.empty()) return AnswerBucket(request, name);
  Bucket& bucket = buckets.at(name);
  if (call.starts_with("PutObject")) {
    bucket.objects[key] = request.body;
    return Reply(200, "", {{"ETag", "\"e\""}});
  }
  if (call.starts_with("DeleteObject")) {
    bucket.objects.erase(key);
    return Reply(204);
  }
  const auto object = bucket.objects.find(key);
  if (object == bucket.objects.end()) return XmlError(404, "NoSuchKey", "no such key");
  return Reply(200, object->second, {{"ETag", "\"e\""}});
}

http::Response FakeAws::AnswerBucket(const http::Request& request, const std::string& name) {
  const auto found = buckets.find(name);
  if (request.method == "PUT" && !QueryValue(request, "policy")) {
    const auto& foreign = foreign_buckets;
    if (std::find(foreign.begin(), foreign.end(), name) != foreign.end()) {
      return XmlError(409, "BucketAlreadyExists", "taken");
    }
    if (found != buckets.end()) return XmlError(409, "BucketAlreadyOwnedByYou", "yours");
    buckets[name];
    return Reply(200);
  }
  if (found == buckets.end()) {
    return request.method == "HEAD" ? Reply(404) : XmlError(404, "NoSuchBucket", "no such bucket");
  }
  Bucket& bucket = found->second;
  if (request.method == "HEAD") return Reply(200, "", {{"x-amz-bucket-region", bucket.region}});
  if (QueryValue(request, "policy")) {
    if (request.method == "PUT") {
      bucket.policy = request.body;
      return Reply(204);
    }
    if (bucket.policy.empty()) return XmlError(404, "NoSuchBucketPolicy", "no policy");
    return Reply(200, bucket.policy);
  }
  return List(request, bucket);
}

http::Response FakeAws::List(const http::Request& request, const Bucket& bucket) {
  const std::string prefix = QueryValue(request, "prefix").value_or("");
  const std::string start = QueryValue(request, "continuation-token").value_or("");
  constexpr int kPage = 3;  // small, so that every listing has several pages
  std::string contents;
  std::string next;
  int count = 0;
  for (const auto& [key, body] : bucket.objects) {
    if (!key.starts_with(prefix) || key < start) continue;
    if (count++ == kPage) {
      next = key;
      break;
    }
    contents += "<Contents><Key>" + PercentEncode(key, true) + "</Key><Size>" +
                std::to_string(body.size()) + "</Size><ETag>\"e\"</ETag></Contents>";
  }
  return Reply(
      200, "<?xml version=\"1.0\"?><ListBucketResult><EncodingType>url</EncodingType>" +
               std::string("<IsTruncated>") + (next.empty() ? "false" : "true") + "</IsTruncated>" +
               (next.empty() ? "" : "<NextContinuationToken>" + next + "</NextContinuationToken>") +
               contents + "</ListBucketResult>");
}

http::Response FakeAws::AnswerTimestream(const http::Request& request) {
  const json body = json::parse(request.body);
  if (Header(request, "x-amz-target").ends_with(".CancelQuery")) {
    if (cancel_refusal) return JsonError(*cancel_refusal);
    return Reply(200, R"({"CancellationMessage":"cancelled"})");
  }
  const std::string sql = body.value("QueryString", "");
  if (sql.starts_with("DESCRIBE")) return Describe();
  if (!body.contains("NextToken")) {
    unload_sql = sql;
    unload_token = body.value("ClientToken", "");
  }
  return UnloadPage(body.value("NextToken", ""));
}

http::Response FakeAws::Describe() const {
  if (!table_exists) {
    return JsonError({400, "ValidationException", "Table does not exist"});
  }
  json rows = json::array();
  for (const std::string& column : columns) {
    const std::string role = column == "time"           ? "TIMESTAMP"
                             : column == "measure_name" ? "MEASURE_NAME"
                                                        : "DIMENSION";
    rows.push_back(TextRow({column, column == "time" ? "timestamp" : "varchar", role}));
  }
  return Reply(200, json{{"QueryId", "Q0"},
                         {"Rows", rows},
                         {"ColumnInfo", json::array({TextColumn("Column"), TextColumn("Type"),
                                                     TextColumn("Timestream attribute type")})}}
                        .dump());
}

http::Response FakeAws::UnloadPage(const std::string& next_token) {
  const int page = next_token.empty() ? 0 : std::stoi(next_token);
  if (page == 0) WriteResults();
  if (unload_refusal && page == refuse_page) return JsonError(*unload_refusal);
  json answer = {{"QueryId", kQueryId},
                 {"Rows", json::array()},
                 {"ColumnInfo", json::array()},
                 {"QueryStatus",
                  {{"ProgressPercentage", page == 0 ? 12.5 : 100.0},
                   {"CumulativeBytesScanned", 1000},
                   {"CumulativeBytesMetered", 1000}}}};
  if (page < empty_pages) {
    answer["NextToken"] = std::to_string(page + 1);
    return Reply(200, answer.dump());
  }
  // Another order than the documentation's: columns are read by name.
  answer["ColumnInfo"] = json::array(
      {TextColumn("manifestFile"), TextColumn("rows", "BIGINT"), TextColumn("metadataFile")});
  const std::string stem =
      "s3://" + unload_bucket + "/" + unload_prefix + kQueryId + "_1234567890_abcdefghijklmnop";
  answer["Rows"] = json::array({TextRow({name_manifest ? stem + "_manifest.json" : "",
                                         std::to_string(reply_rows), stem + "_metadata.json"})});
  return Reply(200, answer.dump());
}

void FakeAws::WriteResults() {
  auto& objects = buckets[unload_bucket].objects;
  json files = json::array();
  const std::vector<std::pair<std::string, int>> results = {{"partition_date=2024-02-26/", 3},
                                                            {"partition_date=2024-02-27/", 4}};
  std::uint64_t bytes = 0;
  int number = 0;
  if (write_files) {
    for (const auto& [folder, rows] : results) {
      const std::string key =
          unload_prefix + "results/" + folder + DataFileName(kQueryId, ++number);
      objects[key] = std::string(static_cast<std::size_t>(rows) * 10, 'r');
      bytes += objects[key].size();
      files.push_back({{"url", "s3://" + unload_bucket + "/" + key},
                       {"file_metadata",
                        {{"content_length_in_bytes", objects[key].size()}, {"row_count", rows}}}});
    }
  }
  if (!write_manifest) return;
  const json manifest = {
      {"result_files", files},
      {"query_metadata",
       {{"total_content_length_in_bytes", bytes},
        {"total_row_count", manifest_rows},
        {"result_format", "CSV"},
        {"result_version", "Amazon Timestream version 1.0.0"}}},
      {"author", {{"name", "Amazon Timestream"}, {"manifest_file_version", "1.0"}}}};
  const std::string stem = unload_prefix + kQueryId + "_1234567890_abcdefghijklmnop";
  objects[stem + "_manifest.json"] = manifest.dump();
  objects[stem + "_metadata.json"] = "{}";
}

}  // namespace tsm::test
