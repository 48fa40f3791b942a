// The half of verify_table.h that counts.
#include <algorithm>
#include <numeric>
#include <utility>

#include "place_queries.h"
#include "tsm/core/text.h"
#include "tsm/timestream/ask_rows.h"
#include "visibility_wait.h"

namespace tsm::verify {

namespace {

// One VerifyCount from its first question to its verdict.
class CountRun {
 public:
  CountRun(const CountRequest& request, const VerifyServices& services, std::stop_token stop)
      : request_(request),
        services_(services),
        stop_(std::move(stop)),
        wait_(services, request.wait, request.poll_interval),
        counted_(request.places.size()),
        asked_(request.places.size()) {
    std::iota(asked_.begin(), asked_.end(), std::size_t{0});
  }

  Result<CountVerdict> Run() {
    if (Status fit = CheckRequest(); !fit) return fit.error();
    for (;;) {
      if (Status counted = CountAsked(); !counted) return counted.error();
      const bool too_many = KeepFewer();
      again_ = true;
      ShowProgress(counted_.size() - asked_.size());
      if (too_many || asked_.empty()) return Verdict(false);
      if (wait_.over()) return Verdict(true);
      if (Status waited = wait_.Wait(Shortfall(), stop_); !waited) return waited.error();
    }
  }

 private:
  Status CheckRequest() const {
    if (!request_.whole_table) return CheckPlaces(request_.places);
    if (request_.places.size() == 1) return Ok();
    return MakeError(ErrorKind::kInvalidInput, "a whole table is counted as one place, and " +
                                                   std::to_string(request_.places.size()) +
                                                   " were given");
  }

  Status CountAsked() {
    for (std::size_t first = 0; first < asked_.size(); first += kMaxPlacesPerQuestion) {
      const std::size_t end = std::min(asked_.size(), first + kMaxPlacesPerQuestion);
      if (Status counted = CountSome(first, end); !counted) return counted;
      ShowProgress(again_ ? counted_.size() - asked_.size() : end);
    }
    return Ok();
  }

  // The places asked for from `first` up to `end`, in one question.
  Status CountSome(std::size_t first, std::size_t end) {
    if (request_.whole_table) return CountWhole();
    std::vector<ExpectedPlace> places;
    for (std::size_t i = first; i < end; ++i) places.push_back(request_.places[asked_[i]]);
    std::vector<std::uint64_t> rows;
    timestream::RowQuestion question;
    question.sql = PlacesSql(request_.table, places);
    question.begin = [&] { rows.assign(places.size(), 0); };
    question.row = [&](const timestream::QueryPage& page, const timestream::Row& row) -> Status {
      Result<PlaceCount> count = ParsePlace(page, row);
      if (!count) return count.error();
      if (count->place < rows.size()) rows[count->place] += count->rows;
      return Ok();
    };
    Status asked = timestream::AskRows(services_.query, services_.random, PatienceOf(services_),
                                       question, stop_);
    if (!asked) {
      return asked.error().With("counting the rows of " + request_.table.str() + " from " +
                                places.front().label + " to " + places.back().label);
    }
    for (std::size_t i = first; i < end; ++i) counted_[asked_[i]] = rows[i - first];
    return Ok();
  }

  Status CountWhole() {
    Result<std::uint64_t> rows = CountRows(request_.table, {}, {}, services_, stop_);
    if (!rows) return rows.error();
    counted_[0] = *rows;
    return Ok();
  }

  // Asks no more for places that are settled. Whether one has more rows than expected.
  bool KeepFewer() {
    bool too_many = false;
    const auto settled = [&](std::size_t place) {
      too_many = too_many || counted_[place] > request_.places[place].rows;
      return counted_[place] >= request_.places[place].rows;
    };
    asked_.erase(std::remove_if(asked_.begin(), asked_.end(), settled), asked_.end());
    return too_many;
  }

  std::uint64_t Counted() const {
    return std::accumulate(counted_.begin(), counted_.end(), std::uint64_t{0});
  }

  std::uint64_t Expected() const {
    std::uint64_t rows = 0;
    for (const ExpectedPlace& place : request_.places) rows += place.rows;
    return rows;
  }

  PlaceDifference DifferenceAt(std::size_t place) const {
    const ExpectedPlace& expected = request_.places[place];
    return {expected.label, expected.rows, counted_[place]};
  }

  std::string Shortfall() const {
    return WithThousands(Counted()) + " of " + WithThousands(Expected()) + " rows of " +
           request_.table.str() + " are to be seen so far (" + DifferenceAt(asked_.front()).str() +
           ")";
  }

  void ShowProgress(std::size_t done) const {
    Progress progress;
    progress.phase = "verify";
    progress.done = done;
    progress.total = counted_.size();
    progress.rows_done = Counted();
    if (again_ && !asked_.empty()) {
      progress.detail = WithThousands(asked_.size()) + " with rows that are not to be seen yet";
    }
    services_.sink.OnProgress(progress);
  }

  CountVerdict Verdict(bool waited_out) const {
    CountVerdict verdict;
    verdict.expected = Expected();
    verdict.counted = Counted();
    for (std::size_t place = 0; place < counted_.size(); ++place) {
      if (counted_[place] == request_.places[place].rows) continue;
      verdict.differences.push_back(DifferenceAt(place));
    }
    verdict.unsettled = waited_out ? 0 : asked_.size();
    verdict.waited_out = waited_out;
    return verdict;
  }

  const CountRequest& request_;
  const VerifyServices& services_;
  const std::stop_token stop_;
  VisibilityWait wait_;
  std::vector<std::uint64_t> counted_;  // by place; the last count
  std::vector<std::size_t> asked_;      // places that are still to be counted, in their order
  bool again_ = false;                  // all were counted once
};

}  // namespace

std::string PlaceDifference::str() const {
  return label + ": " + WithThousands(expected) + (expected == 1 ? " row" : " rows") +
         " expected, the table has " + WithThousands(counted);
}

Result<CountVerdict> VerifyCount(const CountRequest& request, const VerifyServices& services,
                                 std::stop_token stop) {
  return CountRun(request, services, std::move(stop)).Run();
}

Result<std::uint64_t> CountRows(const timestream::TableRef& table,
                                const std::optional<UnixNanos>& from,
                                const std::optional<UnixNanos>& end, const VerifyServices& services,
                                std::stop_token stop) {
  std::optional<std::uint64_t> rows;
  timestream::RowQuestion question;
  question.sql = RowsSql(table, from, end);
  question.begin = [&] { rows.reset(); };
  question.row = [&](const timestream::QueryPage& page, const timestream::Row& row) -> Status {
    Result<std::uint64_t> count = ParseRows(page, row);
    if (!count) return count.error();
    rows = *count;
    return Ok();
  };
  Status asked = timestream::AskRows(services.query, services.random, PatienceOf(services),
                                     question, std::move(stop));
  if (asked && !rows) asked = MakeError(ErrorKind::kBadReply, "the answer to count(*) has no row");
  if (!asked) return asked.error().With("counting the rows of " + table.str());
  return *rows;
}

}  // namespace tsm::verify
