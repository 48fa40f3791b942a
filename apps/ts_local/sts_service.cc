#include "ts_local/sts_service.h"

#include "ts_local/api_error.h"
#include "ts_local/digest.h"
#include "ts_local/xml_writer.h"

namespace ts_local {
namespace {

constexpr std::string_view kNamespace = "https://sts.amazonaws.com/doc/2011-06-15/";

// Stable for the account, in the shape of an IAM user's id.
std::string UserId(const std::string& account_id) {
  std::string id = "AIDA" + HexEncode(Sha256(account_id)).substr(0, 17);
  for (char& c : id) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return id;
}

}  // namespace

std::string HandleSts(const Caller& caller, const QueryForm& form, const std::string& request_id) {
  const std::string& action = form.Get("Action");
  if (action != "GetCallerIdentity") {
    throw ApiError(400, "InvalidAction", "Could not find operation " + action + " in ts-local");
  }
  XmlWriter xml("GetCallerIdentityResponse", kNamespace);
  xml.Open("GetCallerIdentityResult");
  xml.Text("Arn", caller.arn);
  xml.Text("UserId", UserId(caller.account_id));
  xml.Text("Account", caller.account_id);
  xml.Close();
  xml.Open("ResponseMetadata");
  xml.Text("RequestId", request_id);
  return xml.Finish();
}

}  // namespace ts_local
