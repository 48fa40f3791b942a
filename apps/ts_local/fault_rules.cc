#include "ts_local/fault_rules.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "ts_local/operation_names.h"

namespace ts_local {
namespace {

constexpr std::array kProtocols = {Protocol::kJson, Protocol::kS3, Protocol::kQuery};
constexpr std::int64_t kMaxSlowMs = 3'600'000;

// An error of AWS's and the HTTP status that each protocol gives it; 0 where a protocol has none
// such. https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
// https://docs.aws.amazon.com/timestream/latest/developerguide/CommonErrors.html
struct KnownError {
  std::string_view code;
  int json;
  int s3;
  int form;
};
constexpr std::array kErrors = {
    KnownError{"ThrottlingException", 400, 0, 400},
    KnownError{"Throttling", 0, 0, 400},
    KnownError{"InternalServerException", 500, 0, 0},
    KnownError{"InternalFailure", 500, 0, 500},
    KnownError{"InternalError", 0, 500, 500},
    KnownError{"ServiceUnavailable", 503, 503, 503},
    KnownError{"SlowDown", 0, 503, 0},
    KnownError{"RequestTimeout", 0, 400, 0},
    KnownError{"OperationAborted", 0, 409, 0},
    KnownError{"AccessDenied", 0, 403, 403},
    KnownError{"AccessDeniedException", 400, 0, 0},
    KnownError{"ExpiredToken", 0, 400, 403},
    KnownError{"ExpiredTokenException", 400, 0, 0},
    KnownError{"InvalidToken", 0, 400, 0},
    KnownError{"InvalidAccessKeyId", 0, 403, 0},
    KnownError{"InvalidClientTokenId", 0, 0, 403},
    KnownError{"UnrecognizedClientException", 400, 0, 0},
    KnownError{"SignatureDoesNotMatch", 0, 403, 403},
    KnownError{"InvalidSignatureException", 400, 0, 0},
    KnownError{"RequestTimeTooSkewed", 0, 403, 0},
    KnownError{"NoSuchKey", 0, 404, 0},
    KnownError{"NoSuchBucket", 0, 404, 0},
    KnownError{"PreconditionFailed", 0, 412, 0},
    KnownError{"ValidationException", 400, 0, 0},
    KnownError{"ConflictException", 400, 0, 0},
    KnownError{"ResourceNotFoundException", 400, 0, 0},
    KnownError{"ServiceQuotaExceededException", 400, 0, 0},
    KnownError{"QueryExecutionException", 400, 0, 0},
    KnownError{"InvalidEndpointException", 400, 0, 0},
};

// 0 where the code is unknown, or is none of this protocol's.
int StatusOf(std::string_view code, Protocol protocol) {
  const auto* found = std::find_if(kErrors.begin(), kErrors.end(),
                                   [&](const KnownError& error) { return error.code == code; });
  if (found == kErrors.end()) return 0;
  return protocol == Protocol::kJson ? found->json
         : protocol == Protocol::kS3 ? found->s3
                                     : found->form;
}

// S3 begins the answer to these before it knows how they end.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
bool MayFailIn200(std::string_view operation) {
  return operation == "CopyObject" || operation == "UploadPartCopy" ||
         operation == "CompleteMultipartUpload";
}

// What a step may fail with: of Unload what a Query answers, of UnloadWrite what S3 does.
struct Step {
  std::string_view name;
  Protocol protocol;
  std::array<std::string_view, 6> codes;
};
constexpr std::array kSteps = {
    Step{kUnloadStep,
         Protocol::kJson,
         {"QueryExecutionException", "InternalServerException", "ThrottlingException",
          "AccessDeniedException", "ConflictException", "ValidationException"}},
    Step{kUnloadWriteStep,
         Protocol::kS3,
         {"SlowDown", "ServiceUnavailable", "InternalError", "AccessDenied", "NoSuchBucket",
          "ExpiredToken"}},
    Step{kTaskStep, Protocol::kJson, {}}};

const Step* FindStep(std::string_view name) {
  const auto* found = std::find_if(kSteps.begin(), kSteps.end(),
                                   [&](const Step& step) { return step.name == name; });
  return found == kSteps.end() ? nullptr : found;
}

class Parser {
 public:
  explicit Parser(const std::string& text) : text_(text) {}

  FaultRule Parse() {
    FaultRule rule;
    rule.text = text_;
    const std::size_t first = text_.find(':');
    const std::size_t second = first == std::string::npos ? first : text_.find(':', first + 1);
    if (second == std::string::npos) {
      Refuse(text_.size(), "a rule has three parts, OPERATION:WHEN:WHAT");
    }
    rule.operation = text_.substr(0, first);
    const bool known = rule.operation == "*" || FindStep(rule.operation) != nullptr ||
                       std::any_of(kProtocols.begin(), kProtocols.end(),
                                   [&](Protocol p) { return IsOperation(rule.operation, p); });
    if (!known) Refuse(0, "'" + rule.operation + "' is no operation of ts-local, nor *");
    ReadWhen(first + 1, text_.substr(first + 1, second - first - 1), &rule);
    ReadWhat(second + 1, &rule);
    return rule;
  }

 private:
  [[noreturn]] void Refuse(std::size_t at, const std::string& what) const {
    throw std::invalid_argument("rule '" + text_ + "', character " + std::to_string(at + 1) + ": " +
                                what);
  }

  template <typename Number>
  Number Read(std::size_t at, const std::string& text, Number min, Number max) const {
    Number value{};
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, value);
    const bool whole = read.ec == std::errc() && read.ptr == end;
    if (whole && value >= min && value <= max) return value;
    nlohmann::json range = {min, max};
    Refuse(at, "'" + text + "' is no number from " + range[0].dump() + " to " + range[1].dump());
  }

  void ReadWhen(std::size_t at, const std::string& when, FaultRule* rule) const {
    constexpr std::uint64_t kMaxCalls = 1'000'000'000;
    if (when == "*") return;
    if (const std::size_t percent = when.find('%'); percent != std::string::npos) {
      rule->chance = Read<double>(at, when.substr(0, percent), 0, 100) / 100;
      const std::string rest = when.substr(percent + 1);
      if (rest.empty()) return;
      if (rest[0] != '/') Refuse(at + percent + 1, "after P% may stand /SEED only");
      rule->seed = Read<std::uint64_t>(at + percent + 2, rest.substr(1), 0, kMaxCalls);
      return;
    }
    const std::size_t dash = when.find('-');
    rule->first = Read<std::uint64_t>(at, when.substr(0, dash), 1, kMaxCalls);
    if (dash == std::string::npos) {
      rule->last = rule->first;
    } else if (dash + 1 < when.size()) {
      rule->last =
          Read<std::uint64_t>(at + dash + 1, when.substr(dash + 1), rule->first, kMaxCalls);
    }
  }

  void ReadTaskEnd(std::size_t at, FaultRule* rule) const {
    const std::string what = text_.substr(at);
    const std::size_t equals = what.find('=');
    const std::string end = what.substr(0, equals);
    if (end != "stop" && end != "fail") {
      Refuse(at, "'" + what + "' is neither stop, stop=PERCENT, fail nor fail=PERCENT");
    }
    Fault& fault = rule->fault;
    fault.kind = end == "stop" ? Fault::Kind::kStopTask : Fault::Kind::kFailTask;
    if (equals == std::string::npos) return;
    const std::size_t number = equals + 1;
    fault.share = Read<double>(at + number, what.substr(number), 0, 99.9) / 100;
  }

  void ReadWhat(std::size_t at, FaultRule* rule) const {
    constexpr std::string_view kAfter = "+after";
    constexpr std::string_view kIn200 = "+in200";
    constexpr std::string_view kSlow = "slow=";
    std::string what = text_.substr(at);
    if (rule->operation == kTaskStep) return ReadTaskEnd(at, rule);
    if (const Step* step = FindStep(rule->operation)) return ReadStepError(at, *step, rule);
    Fault& fault = rule->fault;
    if (what.starts_with(kSlow)) {
      fault.kind = Fault::Kind::kSlow;
      fault.slow_ms =
          Read<std::int64_t>(at + kSlow.size(), what.substr(kSlow.size()), 1, kMaxSlowMs);
      return;
    }
    if (what.ends_with(kAfter)) {
      fault.after = true;
      what.resize(what.size() - kAfter.size());
    }
    if (what.ends_with(kIn200)) {
      if (!MayFailIn200(rule->operation)) {
        Refuse(at, "+in200 is for CopyObject, UploadPartCopy and CompleteMultipartUpload");
      }
      fault.in_200 = true;
      what.resize(what.size() - kIn200.size());
    } else if (what == "reset" || what == "hang") {
      fault.kind = what == "reset" ? Fault::Kind::kReset : Fault::Kind::kHang;
      return;
    }
    fault.code = what;
    const bool fits = std::any_of(kProtocols.begin(), kProtocols.end(), [&](Protocol p) {
      const bool asked = rule->operation == "*" || IsOperation(rule->operation, p);
      return asked && StatusOf(what, p) != 0;
    });
    if (fits) return;
    std::string codes;
    for (const KnownError& error : kErrors) {
      for (const Protocol p : kProtocols) {
        if (!IsOperation(rule->operation, p) && rule->operation != "*") continue;
        if (StatusOf(error.code, p) == 0) continue;
        codes += (codes.empty() ? "" : ", ") + std::string(error.code);
        break;
      }
    }
    Refuse(at, "'" + what + "' is neither reset, hang, slow=MS nor an error of " +
                   (rule->operation == "*" ? "any service" : rule->operation) + "'s: " + codes);
  }

  void ReadStepError(std::size_t at, const Step& step, FaultRule* rule) const {
    rule->fault.code = text_.substr(at);
    std::string codes;
    for (const std::string_view code : step.codes) {
      if (code == rule->fault.code) return;
      codes += (codes.empty() ? "" : ", ") + std::string(code);
    }
    Refuse(at, "'" + rule->fault.code + "' is none of the errors that " + std::string(step.name) +
                   " can end with: " + codes);
  }

  const std::string& text_;
};

}  // namespace

ApiError Fault::Error() const {
  const bool throttled = code == "SlowDown";
  return {status, code,
          throttled ? "Please reduce your request rate."
                    : "ts-local was told to answer this call with " + code};
}

FaultRule FaultRule::Parse(const std::string& text) { return Parser(text).Parse(); }

void FaultRules::Add(FaultRule rule) {
  const std::lock_guard lock(mutex_);
  const std::uint64_t seed = rule.seed;
  rules_.push_back({std::move(rule), std::mt19937_64(seed), 0, 0});
}

void FaultRules::Clear() {
  const std::lock_guard lock(mutex_);
  rules_.clear();
}

std::optional<Fault> FaultRules::Next(std::string_view operation, Protocol protocol) {
  std::optional<Fault> fault;
  const bool step = FindStep(operation) != nullptr;
  const std::lock_guard lock(mutex_);
  for (Counted& counted : rules_) {
    const FaultRule& rule = counted.rule;
    if (rule.operation != operation && (rule.operation != "*" || step)) continue;
    const bool error = rule.fault.kind == Fault::Kind::kError;
    const int status = error ? StatusOf(rule.fault.code, protocol) : 0;
    if (error && status == 0) continue;  // "*" with an error that this service has not
    ++counted.calls;
    // 53 random bits: the same sequence wherever it runs, which the library's distributions are not
    const bool strikes =
        rule.chance ? static_cast<double>(counted.random() >> 11U) * 0x1p-53 < *rule.chance
                    : counted.calls >= rule.first && (rule.last == 0 || counted.calls <= rule.last);
    if (!strikes || fault) continue;
    ++counted.struck;
    fault = rule.fault;
    fault->status = status;
  }
  return fault;
}

std::string FaultRules::Json() const {
  const std::lock_guard lock(mutex_);
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Counted& counted : rules_) {
    list.push_back(
        {{"rule", counted.rule.text}, {"calls", counted.calls}, {"struck", counted.struck}});
  }
  return nlohmann::ordered_json{{"rules", std::move(list)}}.dump();
}

}  // namespace ts_local
