#include "ts_local/sns_service.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "ts_local/api_error.h"
#include "ts_local/digest.h"
#include "ts_local/time_text.h"
#include "ts_local/url_codec.h"
#include "ts_local/xml_writer.h"

namespace ts_local {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kNamespace = "http://sns.amazonaws.com/doc/2010-03-31/";
constexpr std::size_t kMaxMessageBytes = 256 * 1024;
constexpr std::size_t kMaxSubject = 100;  // the subject must be shorter

ApiError Invalid(const std::string& what) {
  return {400, "InvalidParameter", "Invalid parameter: " + what};
}

bool IsTopicName(const std::string& name) {
  const bool characters = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
  return !name.empty() && name.size() <= 256 && characters;
}

std::string Arn(const Caller& caller, const std::string& name) {
  return "arn:aws:sns:" + caller.region + ":" + caller.account_id + ":" + name;
}

void CheckSubject(const std::string& subject) {
  const bool control = std::any_of(subject.begin(), subject.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
  const auto characters =
      static_cast<std::size_t>(std::count_if(subject.begin(), subject.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
      }));
  if (subject.empty() || control || characters >= kMaxSubject) throw Invalid("Subject");
}

// The message for MessageStructure "json": an object with at least a "default" text.
void CheckJsonMessage(const std::string& message) {
  const auto parsed = nlohmann::json::parse(message, nullptr, false);
  if (parsed.is_discarded() || !parsed.is_object()) {
    throw Invalid("Message Structure - JSON message body failed to parse");
  }
  if (!parsed.contains("default") || !parsed.at("default").is_string()) {
    throw Invalid("Message Structure - No default entry in JSON message body");
  }
}

}  // namespace

SnsService::SnsService(const std::string& dir, NowMs now)
    : dir_(dir + "/sns"), now_(std::move(now)) {
  fs::create_directories(dir_);
}

std::string SnsService::TopicFile(const std::string& region, const std::string& name) const {
  return dir_ + "/" + region + "/" + name + ".jsonl";
}

std::string SnsService::CreateTopic(const Caller& caller, const QueryForm& form) {
  const std::string& name = form.Get("Name");
  if (!IsTopicName(name)) throw Invalid("Topic Name");
  const std::lock_guard lock(mutex_);
  fs::create_directories(dir_ + "/" + caller.region);
  if (!std::ofstream(TopicFile(caller.region, name), std::ios::app)) {
    throw std::runtime_error("cannot write " + TopicFile(caller.region, name));
  }
  return Arn(caller, name);
}

std::string SnsService::Publish(const Caller& caller, const QueryForm& form) {
  const std::string* topic = form.Find("TopicArn");
  if (topic == nullptr) topic = form.Find("TargetArn");
  if (topic == nullptr) {
    throw Invalid("TopicArn or TargetArn Reason: no value for required parameter");
  }
  const std::string name = topic->substr(topic->rfind(':') + 1);
  // SNS is regional: another region's or account's topic is not to be reached from here.
  if (*topic != Arn(caller, name) || !IsTopicName(name)) throw Invalid("TopicArn");
  const std::string& message = form.Get("Message");
  if (message.empty()) throw Invalid("Empty message");
  if (message.size() > kMaxMessageBytes) throw Invalid("Message too long");
  const std::string* subject = form.Find("Subject");
  if (subject != nullptr) CheckSubject(*subject);
  const std::string* structure = form.Find("MessageStructure");
  if (structure != nullptr && *structure != "json") throw Invalid("MessageStructure");
  if (structure != nullptr) CheckJsonMessage(message);
  if (form.HasPrefix("MessageAttributes.")) {
    throw Invalid("MessageAttributes Reason: ts-local keeps none");
  }
  const std::string file = TopicFile(caller.region, name);
  std::string id = RandomHex(8) + "-" + RandomHex(4) + "-4" + RandomHex(3) + "-a" + RandomHex(3) +
                   "-" + RandomHex(12);
  nlohmann::ordered_json line;
  line["MessageId"] = id;
  line["TopicArn"] = *topic;
  if (subject != nullptr) line["Subject"] = *subject;
  line["Message"] = message;
  if (structure != nullptr) line["MessageStructure"] = *structure;
  line["Timestamp"] = IsoTime(now_());

  const std::lock_guard lock(mutex_);
  if (!fs::exists(file)) throw ApiError(404, "NotFound", "Topic does not exist");
  std::ofstream out(file, std::ios::app);
  out << line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  if (!out.flush()) throw std::runtime_error("cannot write " + file);
  return id;
}

std::string SnsService::Handle(const Caller& caller, const QueryForm& form,
                               const std::string& request_id) {
  const std::string& action = form.Get("Action");
  XmlWriter xml(action == "CreateTopic"  ? "CreateTopicResponse"
                : action == "ListTopics" ? "ListTopicsResponse"
                                         : "PublishResponse",
                kNamespace);
  if (action == "CreateTopic") {
    xml.Open("CreateTopicResult");
    xml.Text("TopicArn", CreateTopic(caller, form));
  } else if (action == "Publish") {
    xml.Open("PublishResult");
    xml.Text("MessageId", Publish(caller, form));
  } else if (action == "ListTopics") {
    xml.Open("ListTopicsResult");
    xml.Open("Topics");
    const std::lock_guard lock(mutex_);
    std::error_code none;  // a region without topics has no folder
    for (const auto& entry : fs::directory_iterator(dir_ + "/" + caller.region, none)) {
      xml.Open("member");
      xml.Text("TopicArn", Arn(caller, entry.path().stem().string()));
      xml.Close();
    }
    xml.Close();
  } else {
    throw ApiError(400, "InvalidAction", "Could not find operation " + action + " in ts-local");
  }
  xml.Close();
  xml.Open("ResponseMetadata");
  xml.Text("RequestId", request_id);
  return xml.Finish();
}

}  // namespace ts_local
