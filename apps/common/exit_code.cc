#include "common/exit_code.h"

namespace tsm::apps {

ExitCode ExitCodeOf(const Error& error) {
  switch (error.kind) {
    case ErrorKind::kInvalidInput:
    case ErrorKind::kInTheWay:
    case ErrorKind::kNotFound:       // an input names something that is not there,
    case ErrorKind::kAlreadyExists:  // or that belongs to somebody else
      return ExitCode::kUsage;
    case ErrorKind::kConfiguration:
    case ErrorKind::kCredentials:
    case ErrorKind::kExpiredCredentials:
    case ErrorKind::kAccessDenied:
    case ErrorKind::kLocalIo:
    case ErrorKind::kWrongRegion:
    case ErrorKind::kClockSkew:
      return ExitCode::kEnvironment;
    case ErrorKind::kProof:
      return ExitCode::kProofFailed;
    case ErrorKind::kCancelled:
      return ExitCode::kInterrupted;
    case ErrorKind::kValidation:
    case ErrorKind::kThrottled:
    case ErrorKind::kQuotaExceeded:
    case ErrorKind::kTransient:
    case ErrorKind::kWrongEndpoint:
    case ErrorKind::kQueryFailed:
    case ErrorKind::kBadReply:
    case ErrorKind::kService:
      return ExitCode::kService;
  }
  return ExitCode::kService;
}

}  // namespace tsm::apps
