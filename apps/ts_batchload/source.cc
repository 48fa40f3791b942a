#include "ts_batchload/source.h"

#include <set>

#include "tsm/batchload/manifest_check.h"
#include "tsm/core/text.h"

namespace tsm::apps {
namespace {

using batchload::FoundManifest;
using batchload::LoadPlan;
using batchload::ManifestRoot;

// The side that listed_bucket() is on.
s3::S3Client& ListedSide(const BatchLoadSettings& settings, const BatchLoadServices& services) {
  return settings.copy ? services.source_s3 : services.s3;
}

Result<LoadPlan> ListFiles(const BatchLoadSettings& settings, const BatchLoadServices& services,
                           std::stop_token stop) {
  const s3::BucketName& bucket = settings.listed_bucket();
  const std::string listed = "s3://" + bucket.str() + "/" + settings.listed_prefix();
  std::vector<s3::ObjectSummary> objects;
  const auto keep = [&](const s3::ObjectSummary& object) {
    objects.push_back(object);
    return true;
  };
  Status status =
      ListedSide(settings, services).ForEachObject(bucket, settings.listed_prefix(), keep, stop);
  if (!status) return status.error().With("listing " + listed);
  return batchload::PlanLoad(listed, objects, !settings.copy);
}

Result<run::Manifest> ReadManifest(s3::S3Client& s3, const s3::BucketName& bucket,
                                   const s3::ObjectKey& key, std::stop_token stop) {
  Result<std::string> body = s3.GetObject(bucket, key, std::nullopt, stop);
  if (!body) return body.error();
  return run::ParseManifest(*body);
}

// A manifest that can't be fetched for want of permission says nothing about the data: that ends
// the run as what it is. One that does not parse or add up is a finding about the data.
bool IsAboutTheManifest(const Error& error) {
  return error.kind == ErrorKind::kBadReply || error.kind == ErrorKind::kProof;
}

std::set<std::string> QueryIdsOf(const LoadPlan& plan) {
  std::set<std::string> ids;
  for (const batchload::LoadGroup& group : plan.groups) {
    for (const batchload::DataFile& file : group.files) {
      if (auto id = run::QueryIdOfDataFile(file.key.str())) ids.insert(*std::move(id));
    }
  }
  return ids;
}

// `queries`: of the listed files. Where the root is not exclusive other manifests are not read:
// they are somebody else's, and may be many or forbidden.
Status ReadManifestsIn(const ManifestRoot& root, const std::set<std::string>& queries,
                       const BatchLoadSettings& settings, const BatchLoadServices& services,
                       std::stop_token stop, std::vector<FoundManifest>& found) {
  const s3::BucketName& bucket = settings.listed_bucket();
  s3::S3Client& s3 = ListedSide(settings, services);
  s3::ListOptions options;
  options.delimiter = "/";  // the data below results/ is not walked again
  std::string token;
  do {
    Result<s3::ListPage> page = s3.ListObjects(bucket, root.folder, token, options, stop);
    if (!page) return page.error().With("looking for manifests");
    for (const s3::ObjectSummary& object : page->objects) {
      if (!run::IsManifestKey(object.key.str())) continue;
      const std::string query = run::QueryIdOfManifest(object.key.str()).value_or("");
      if (!root.exclusive && queries.count(query) == 0) continue;
      Result<run::Manifest> manifest = ReadManifest(s3, bucket, object.key, stop);
      if (!manifest && settings.verify && !IsAboutTheManifest(manifest.error())) {
        return manifest.error().With("reading the manifest");
      }
      found.push_back({root, object.key, std::move(manifest)});
    }
    token = page->next_token;
  } while (!token.empty());
  return Ok();
}

Result<std::vector<FoundManifest>> ReadManifests(const LoadPlan& plan,
                                                 const BatchLoadSettings& settings,
                                                 const BatchLoadServices& services,
                                                 std::stop_token stop) {
  std::vector<FoundManifest> found;
  const std::set<std::string> queries = QueryIdsOf(plan);
  for (const ManifestRoot& root : batchload::ManifestRoots(settings.listed_prefix(), plan)) {
    Status status = ReadManifestsIn(root, queries, settings, services, stop, found);
    if (!status) return status.error();
  }
  return found;
}

void ForgetRows(LoadPlan& plan) {
  for (batchload::LoadGroup& group : plan.groups) {
    for (batchload::DataFile& file : group.files) file.rows.reset();
  }
}

}  // namespace

Result<LoadPlan> FindSource(const BatchLoadSettings& settings, const BatchLoadServices& services,
                            std::stop_token stop) {
  Result<LoadPlan> plan = ListFiles(settings, services, stop);
  if (!plan) return plan;
  Result<std::vector<FoundManifest>> manifests = ReadManifests(*plan, settings, services, stop);
  if (!manifests) return manifests.error();
  const std::vector<std::string> findings =
      batchload::ApplyManifests(settings.listed_prefix(), *manifests, *plan);
  if (!settings.verify) {
    services.sink.Warn("--verify none: the rows are loaded without proof" +
                       (findings.empty() ? "" : "; " + batchload::NameSome(findings)));
    ForgetRows(*plan);
    return plan;
  }
  if (!findings.empty()) {
    return MakeError(ErrorKind::kInTheWay,
                     "what lies under " + plan->listed +
                         " is not what complete manifests name: " + batchload::NameSome(findings) +
                         "; unload again into an empty place, or load all the same with --verify "
                         "none");
  }
  return plan;
}

}  // namespace tsm::apps
