#include "report_timeline.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <tuple>
#include <utility>

#include "tsm/core/time_text.h"

namespace tsm::run {

namespace {

constexpr UnixNanos kSecond = 1'000'000'000;
constexpr UnixNanos kMinute = 60 * kSecond;
constexpr UnixNanos kHour = 60 * kMinute;
constexpr UnixNanos kDay = 24 * kHour;
constexpr UnixNanos kMostTicks = 8;

struct Span {
  UnixNanos begin = 0;
  UnixNanos length = kSecond;  // never 0

  double Share(UnixNanos time) const {
    return std::clamp(static_cast<double>(time - begin) / static_cast<double>(length), 0.0, 1.0);
  }
};

struct Piece {
  UnixNanos begin = 0;
  UnixNanos end = 0;
  std::size_t unit = 0;
  std::size_t attempt = 0;
};

struct Pieces {
  std::string lane;
  std::vector<Piece> pieces;
};

std::vector<Pieces> PiecesByLane(const RunReport& report) {
  const UnixNanos now = EndOf(report);
  std::vector<Pieces> lanes;
  std::map<std::string_view, std::size_t> index;
  for (std::size_t unit = 0; unit < report.units.size(); ++unit) {
    const ReportUnit& of = report.units[unit];
    if (of.attempts.empty()) continue;
    const auto [lane, fresh] = index.try_emplace(of.lane, lanes.size());
    if (fresh) lanes.push_back({of.lane, {}});
    for (std::size_t attempt = 0; attempt < of.attempts.size(); ++attempt) {
      const ReportAttempt& tried = of.attempts[attempt];
      // A clock that was set back may have written an end before the begin.
      const UnixNanos end = std::max(tried.end.value_or(now), tried.begin);
      lanes[lane->second].pieces.push_back({tried.begin, end, unit, attempt});
    }
  }
  return lanes;
}

// Each piece into the first track that is free when it begins: as many tracks as ran at once.
TimelineLane Packed(Pieces lane, const Span& span) {
  std::sort(lane.pieces.begin(), lane.pieces.end(), [](const Piece& a, const Piece& b) {
    return std::tie(a.begin, a.unit, a.attempt) < std::tie(b.begin, b.unit, b.attempt);
  });
  TimelineLane packed{std::move(lane.lane), {}};
  std::vector<UnixNanos> free_from;
  for (const Piece& piece : lane.pieces) {
    auto track = std::find_if(free_from.begin(), free_from.end(),
                              [&](UnixNanos time) { return time <= piece.begin; });
    if (track == free_from.end()) {
      track = free_from.insert(free_from.end(), 0);
      packed.tracks.emplace_back();
    }
    *track = std::max(piece.end, piece.begin + 1);
    const double left = span.Share(piece.begin);
    packed.tracks[static_cast<std::size_t>(track - free_from.begin())].push_back(
        {piece.unit, piece.attempt, left, span.Share(piece.end) - left});
  }
  return packed;
}

Span SpanOf(const RunReport& report, const std::vector<Pieces>& lanes) {
  UnixNanos begin = report.started;
  UnixNanos end = EndOf(report);
  for (const Pieces& lane : lanes) {
    for (const Piece& piece : lane.pieces) {
      begin = std::min(begin, piece.begin);
      end = std::max(end, piece.end);
    }
  }
  return {begin, std::max(end - begin, kSecond)};
}

UnixNanos TickStep(UnixNanos length) {
  constexpr std::array kSteps = {
      kSecond,     2 * kSecond, 5 * kSecond,  10 * kSecond, 15 * kSecond, 30 * kSecond, kMinute,
      2 * kMinute, 5 * kMinute, 10 * kMinute, 15 * kMinute, 30 * kMinute, kHour,        2 * kHour,
      3 * kHour,   6 * kHour,   12 * kHour,   kDay,         2 * kDay,     5 * kDay,     10 * kDay};
  for (const UnixNanos step : kSteps) {
    if (length / step <= kMostTicks) return step;
  }
  const UnixNanos days = length / kMostTicks / kDay + 1;
  return days * kDay;
}

std::vector<TimelineTick> TicksOf(const Span& span) {
  const UnixNanos step = TickStep(span.length);
  const bool days = span.begin / kDay != (span.begin + span.length) / kDay;
  std::vector<TimelineTick> ticks;
  for (UnixNanos time = (span.begin / step + 1) * step; time < span.begin + span.length;
       time += step) {
    const std::string text = SecondsText(time);  // "2024-02-26 17:24:38"
    const std::string hour = step < kMinute ? text.substr(11) : text.substr(11, 5);
    const std::string day = text.substr(5, 5);
    const std::string shown = step >= kDay ? day : day + " " + hour;
    ticks.push_back({span.Share(time), days ? shown : hour});
  }
  return ticks;
}

}  // namespace

std::string SecondsText(UnixNanos time) { return FormatTimestamp(time).substr(0, 19); }

UnixNanos EndOf(const RunReport& report) {
  return std::max({report.started, report.written, report.finished.value_or(0)});
}

Timeline TimelineOf(const RunReport& report) {
  std::vector<Pieces> lanes = PiecesByLane(report);
  const Span span = SpanOf(report, lanes);
  Timeline timeline;
  for (Pieces& lane : lanes) timeline.lanes.push_back(Packed(std::move(lane), span));
  if (!timeline.lanes.empty()) timeline.ticks = TicksOf(span);
  return timeline;
}

}  // namespace tsm::run
