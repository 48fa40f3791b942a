#include "tsm/batchload/load_plan.h"

#include "tsm/core/text.h"

namespace tsm::batchload {

std::string_view Name(GroupBy group_by) {
  return group_by == GroupBy::kPacked ? "packed" : "partition";
}

std::uint64_t LoadPlan::files() const {
  std::uint64_t sum = 0;
  for (const TableLoad& table : tables) sum += table.files;
  return sum;
}

std::uint64_t LoadPlan::bytes() const {
  std::uint64_t sum = 0;
  for (const TableLoad& table : tables) sum += table.bytes;
  return sum;
}

std::optional<std::uint64_t> LoadPlan::rows() const {
  std::uint64_t sum = 0;
  for (const TableLoad& table : tables) {
    if (!table.rows) return std::nullopt;
    sum += *table.rows;
  }
  return sum;
}

std::string LoadPlan::Title() const {
  std::vector<std::string> sources;
  std::vector<std::string> targets;
  for (const TableLoad& table : tables) {
    sources.push_back(table.listed);
    targets.push_back(table.target.str());
  }
  std::string title = NameSome(sources, 1);
  if (load) title += " to " + NameSome(targets, 3);
  if (copy) {
    title += (load ? " by " : " to ") +
             s3::S3Uri{target_bucket, s3::ObjectKey(destination_prefix)}.str();
  }
  return title;
}

std::string NameSome(const std::vector<std::string>& items, std::size_t limit) {
  std::string text;
  for (std::size_t i = 0; i < items.size() && i < limit; ++i) {
    text += (i == 0 ? "" : ", ") + items[i];
  }
  if (items.size() > limit) text += " and " + WithThousands(items.size() - limit) + " more";
  return text;
}

}  // namespace tsm::batchload
