// SNS of ts-local: topics per region, and the messages published to them, one JSON object per line
// in DIR/sns/<region>/<topic>.jsonl, where a test or an operator reads them. Nothing is delivered.
// Thread-safe; one process per directory. Errors are ApiError with SNS's codes.
// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string>

#include "ts_local/message.h"
#include "ts_local/query_protocol.h"

namespace ts_local {

class SnsService {
 public:
  using NowMs = std::function<std::int64_t()>;  // Unix time
  SnsService(const std::string& dir, NowMs now);

  // The XML answer of CreateTopic, ListTopics or Publish.
  std::string Handle(const Caller& caller, const QueryForm& form, const std::string& request_id);

 private:
  std::string CreateTopic(const Caller& caller, const QueryForm& form);
  std::string Publish(const Caller& caller, const QueryForm& form);
  std::string TopicFile(const std::string& region, const std::string& name) const;

  std::string dir_;
  NowMs now_;
  std::mutex mutex_;  // files are appended to whole lines at a time
};

}  // namespace ts_local
