// An error as AWS's services shape it; each protocol (JSON 1.0, REST XML, query XML) renders it.
// Thrown inside ts-local's services and caught once per request in the dispatcher. ts-local is a
// server: one exception per refused request is the simplest thing that is right here.
#pragma once

#include <stdexcept>
#include <string>

namespace ts_local {

class ApiError : public std::runtime_error {
 public:
  // `code` as AWS names it, for instance "ValidationException" or "NoSuchKey".
  ApiError(int status, std::string code, const std::string& message)
      : std::runtime_error(message), status_(status), code_(std::move(code)) {}
  int status() const { return status_; }
  const std::string& code() const { return code_; }
  // Where not empty, the whole JSON body of the answer, for errors that carry more than a message.
  // A JSON service answers it as it stands; the other protocols have no such errors.
  virtual std::string body_json() const { return {}; }

 private:
  int status_;
  std::string code_;
};

}  // namespace ts_local
