#include "tsm/unload/cost_estimate.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "tsm/core/text.h"

namespace tsm::unload {

namespace {

constexpr double kGigabyte = 1e9;
// A query is metered for no less.
// https://docs.aws.amazon.com/timestream/latest/developerguide/metering-and-pricing.queries.html
constexpr double kLeastMeteredBytes = 10e6;
constexpr std::uint64_t kFilesOfEachUnload = 2;  // manifest and metadata

// "USD 0.0015", "USD 12.30".
std::string Usd(double amount) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), amount < 1 ? "USD %.4f" : "USD %.2f", amount);
  return text.data();
}

// As typed where it was: "0.01", "0.023".
std::string Price(double price) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "USD %.10g", price);
  return text.data();
}

std::string Counted(std::uint64_t count, const std::string& one, const std::string& many) {
  return WithThousands(count) + " " + (count == 1 ? one : many);
}

double LeastScanned(std::uint64_t queries) {
  return static_cast<double>(queries) * kLeastMeteredBytes;
}

// Bytes metered, where something is known of the files.
double Scanned(const CostQuestion& question) {
  const auto bytes = static_cast<double>(*question.bytes);
  return std::max(bytes, LeastScanned(question.unloads)) +
         static_cast<double>(question.side_queries) * std::max(bytes, kLeastMeteredBytes);
}

double QueryCost(const CostQuestion& question) {
  const double bytes =
      question.bytes ? Scanned(question) : LeastScanned(question.unloads + question.side_queries);
  return bytes / kGigabyte * question.prices.query_gb;
}

// At least one file per folder and one per GB, and what every UNLOAD adds.
std::uint64_t Files(const CostQuestion& question) {
  const std::uint64_t data =
      std::max({question.partitions, question.unloads,
                question.bytes.value_or(0) / static_cast<std::uint64_t>(kGigabyte)});
  return data + question.unloads * kFilesOfEachUnload;
}

double RequestCost(const CostQuestion& question) {
  return static_cast<double>(Files(question)) / 1000 * question.prices.put_1000;
}

double StorageCost(const CostQuestion& question) {
  return static_cast<double>(*question.bytes) / kGigabyte * question.prices.storage_gb_month;
}

std::string QueryLine(const CostQuestion& question) {
  const std::string price = "at " + Price(question.prices.query_gb) +
                            " per GB scanned (--price_query_gb; an account on compute units pays "
                            "by their time instead)";
  if (question.bytes) {
    return "queries   " + Usd(QueryCost(question)) +
           ", assuming that the UNLOADs together scan what they write and every other query as "
           "much again, " +
           FormatBytes(static_cast<std::uint64_t>(Scanned(question))) + " in all, " + price;
  }
  return "queries   " + Usd(QueryCost(question)) +
         " or more: what they scan is not known without --survey, 10 MB each is metered at "
         "least, " +
         price;
}

std::string StorageLine(const CostQuestion& question) {
  const std::string price = "at " + Price(question.prices.storage_gb_month) +
                            " per GB and month (--price_storage_gb_month)";
  if (!question.bytes) {
    return "storage   not known without --survey, " + price + ", until the files are deleted";
  }
  return "storage   " + Usd(StorageCost(question)) + " a month for " +
         (question.compressed ? "at most " : "about ") + FormatBytes(*question.bytes) +
         (question.compressed ? " (gzip makes it less; by how much is not known)" : "") + ", " +
         price + ", until the files are deleted";
}

}  // namespace

std::vector<std::string> EstimateLines(const CostQuestion& question) {
  std::vector<std::string> lines;
  lines.emplace_back(
      "cost      estimated; the prices are assumptions (us-east-1's list), set your region's by "
      "the flags named");
  std::string work = "work      " + Counted(question.unloads, "UNLOAD", "UNLOADs") + " and " +
                     Counted(question.side_queries, "other query", "other queries") + ", " +
                     Counted(question.partitions, "folder", "folders");
  if (question.rows) work += ", " + Counted(*question.rows, "row", "rows") + " by the survey";
  lines.push_back(work);
  lines.push_back(QueryLine(question));
  lines.push_back("requests  " + Usd(RequestCost(question)) + ", assuming " +
                  Counted(Files(question), "file", "files") +
                  " of one PUT each (one per folder or GB, and two per UNLOAD), at " +
                  Price(question.prices.put_1000) + " per 1,000 (--price_put_1000)");
  lines.push_back(StorageLine(question));
  if (question.bytes) {
    lines.push_back("total     about " + Usd(QueryCost(question) + RequestCost(question)) +
                    " once and " + Usd(StorageCost(question)) + " a month");
  } else {
    lines.emplace_back(
        "total     not known without --survey, which is itself a query over the "
        "range");
  }
  return lines;
}

}  // namespace tsm::unload
