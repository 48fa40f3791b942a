#include "tsm/run/report_page.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "html_text.h"
#include "report_style.h"
#include "report_timeline.h"
#include "tsm/core/text.h"
#include "tsm/core/time_text.h"

namespace tsm::run {

namespace {

// A lane of more rows than this is drawn without names in its bars.
constexpr std::size_t kRoomyTracks = 16;
// A bar of less than this share of the width has no room for a name.
constexpr double kThin = 0.02;

// The class of a state or outcome, of those that the style knows; others look neutral.
std::string_view ClassOf(std::string_view state) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kClasses = {
      {{"done", "done"},
       {"failed", "failed"},
       {"replaced", "replaced"},
       {"cancelled", "cancelled"},
       {"interrupted", "replaced"},
       {"paused", "replaced"},
       {"running", "running"},
       {"pending", "pending"}}};
  for (const auto& [name, style] : kClasses) {
    if (name == state) return style;
  }
  return "cancelled";
}

std::string Time(UnixNanos time) {
  const std::string text = SecondsText(time);
  return "<time datetime=\"" + text.substr(0, 10) + "T" + text.substr(11) + "Z\">" + text +
         "</time>";
}

std::string Badge(std::string_view state, std::string_view size = "") {
  return "<span class=\"badge " + std::string(size) + std::string(ClassOf(state)) + "\">" +
         HtmlText(state) + "</span>";
}

std::string DurationText(UnixNanos begin, UnixNanos end) {
  return FormatDuration(std::chrono::nanoseconds(std::max<UnixNanos>(end - begin, 0)));
}

std::string Percent(double share) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3f%%", share * 100);
  return text.data();
}

// "3 slices", "1 slice".
std::string Counted(std::uint64_t count, const std::string& name) {
  return WithThousands(count) + " " + name + (count == 1 ? "" : "s");
}

std::string Capitalized(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 32);
  return text;
}

// "2024-02-26 17:24:38 to 17:26:00 (1 min 22 s)"; `now` where the attempt has no end.
std::string SpanText(const ReportAttempt& attempt, UnixNanos now) {
  const std::string begin = SecondsText(attempt.begin);
  const UnixNanos last = attempt.end.value_or(now);
  const std::string end = SecondsText(last);
  const bool same_day = begin.substr(0, 10) == end.substr(0, 10);
  return begin + " to " +
         (!attempt.end ? "now"
          : same_day   ? end.substr(11)
                       : end) +
         " (" + DurationText(attempt.begin, last) + ")";
}

// How many units are in each state, in the order in which the states first occur.
std::vector<std::pair<std::string, std::uint64_t>> StatesOf(const RunReport& report) {
  std::vector<std::pair<std::string, std::uint64_t>> states;
  for (const ReportUnit& unit : report.units) {
    const auto known = std::find_if(states.begin(), states.end(),
                                    [&](const auto& state) { return state.first == unit.state; });
    if (known == states.end()) {
      states.emplace_back(unit.state, 1);
    } else {
      ++known->second;
    }
  }
  return states;
}

class Page {
 public:
  Page(const RunReport& report, const std::function<void(std::string_view)>& out)
      : report_(report), out_(out) {}

  void Write() {
    Head();
    Header();
    Troubles();
    NextCommand();
    Tiles();
    Facts();
    DrawTimeline();
    Units();
    out_(
        "<footer>Times are UTC. Sizes are decimal: 1 GB is 1,000,000,000 bytes. This page needs "
        "no network; the same for machines is in report.json beside it.</footer>\n"
        "</main>\n<script>");
    out_(kReportScript);
    out_("</script>\n</body>\n</html>\n");
  }

 private:
  void Head() {
    // The policy lets the page ask nobody for anything, whatever a name in it may hold.
    out_(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
        "'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
    out_(HtmlText(report_.tool + " " + report_.run_id + ": " + report_.state));
    out_("</title>\n<style>");
    out_(kReportStyle);
    out_("</style>\n</head>\n<body>\n<main>\n");
  }

  void Header() {
    out_("<header>\n<p class=\"kicker\">" + HtmlText(report_.tool + " " + report_.tool_version) +
         " · run " + HtmlText(report_.run_id) + "</p>\n<h1>" + HtmlText(report_.title) + " " +
         Badge(report_.state) + "</h1>\n<p class=\"when\">Started " + Time(report_.started));
    if (report_.finished) {
      out_(" · finished " + Time(*report_.finished) + " UTC · took " +
           DurationText(report_.started, *report_.finished));
    } else if (report_.written > 0) {
      out_(" · as of " + Time(report_.written) + " UTC");
    }
    out_("</p>\n</header>\n");
  }

  void Troubles() {
    if (report_.troubles.empty()) return;
    out_("<section class=\"troubles\">\n<h2>What needs attention</h2>\n<ul>\n");
    for (const std::string& trouble : report_.troubles) {
      out_("<li>" + HtmlText(trouble) + "</li>\n");
    }
    out_("</ul>\n</section>\n");
  }

  void NextCommand() {
    if (report_.next_command.empty()) return;
    out_("<section class=\"next\">\n<h2>Next command</h2>\n<pre><code>" +
         HtmlText(report_.next_command) + "</code></pre>\n</section>\n");
  }

  void Tile(std::string_view name, const std::string& value) {
    out_("<div><dt>" + HtmlText(name) + "</dt><dd>" + HtmlText(value) + "</dd></div>\n");
  }

  void Tiles() {
    const auto sum = [&](std::uint64_t ReportUnit::*member) {
      return std::accumulate(
          report_.units.begin(), report_.units.end(), std::uint64_t{0},
          [&](std::uint64_t so_far, const ReportUnit& unit) { return so_far + unit.*member; });
    };
    std::uint64_t attempts = 0;
    std::uint64_t done = 0;
    for (const ReportUnit& unit : report_.units) {
      attempts += unit.attempts.size();
      done += unit.state == "done" ? 1 : 0;
    }
    out_("<dl class=\"tiles\">\n");
    Tile(Capitalized(report_.unit_name) + "s done",
         WithThousands(done) + " of " + WithThousands(report_.units.size()));
    Tile("Rows", WithThousands(sum(&ReportUnit::rows)));
    Tile("Data", FormatBytes(sum(&ReportUnit::bytes)));
    Tile("Files", WithThousands(sum(&ReportUnit::files)));
    Tile("Attempts", WithThousands(attempts));
    out_("</dl>\n");
  }

  void Facts() {
    if (report_.facts.empty()) return;
    out_("<h2>Facts</h2>\n<dl class=\"facts\">\n");
    for (const auto& [name, value] : report_.facts) Tile(name, value);
    out_("</dl>\n");
  }

  void DrawTimeline() {
    const Timeline timeline = TimelineOf(report_);
    if (timeline.lanes.empty()) return;
    // The bars are a picture of what the table says in words: readers of the page aloud skip them.
    out_(
        "<h2>Timeline</h2>\n<figure class=\"card\">\n<div class=\"timeline\" "
        "aria-hidden=\"true\">\n<div class=\"grid\">");
    for (const TimelineTick& tick : timeline.ticks) {
      // At the right edge there is a line, but no room for its text.
      out_("<span style=\"left:" + Percent(tick.left) + "\">" +
           (tick.left < 0.94 ? tick.text : std::string()) + "</span>");
    }
    out_("</div>\n");
    for (const TimelineLane& lane : timeline.lanes) DrawLane(lane);
    out_(
        "</div>\n<figcaption>One bar per attempt, one above the other where several ran at once; "
        "a bar leads to its row below. ");
    for (const std::string_view outcome : {"done", "failed", "replaced", "cancelled", "running"}) {
      if (!Occurs(outcome)) continue;
      out_("<span><i class=\"key " + std::string(outcome) + "\"></i>" + std::string(outcome) +
           "</span>");
    }
    out_("</figcaption>\n</figure>\n");
  }

  bool Occurs(std::string_view outcome) const {
    return std::any_of(report_.units.begin(), report_.units.end(), [&](const ReportUnit& unit) {
      return std::any_of(unit.attempts.begin(), unit.attempts.end(),
                         [&](const ReportAttempt& attempt) { return attempt.outcome == outcome; });
    });
  }

  void DrawLane(const TimelineLane& lane) {
    const bool dense = lane.tracks.size() > kRoomyTracks;
    out_(std::string("<div class=\"lane") + (dense ? " dense" : "") + "\"><b title=\"" +
         HtmlText(lane.name) + "\">" + HtmlText(lane.name) + "</b><div>\n");
    for (const std::vector<TimelineBar>& track : lane.tracks) {
      out_("<div class=\"track\">");
      for (const TimelineBar& bar : track) DrawBar(bar);
      out_("</div>\n");
    }
    out_("</div></div>\n");
  }

  void DrawBar(const TimelineBar& bar) {
    const ReportUnit& unit = report_.units[bar.unit];
    const ReportAttempt& attempt = unit.attempts[bar.attempt];
    const bool thin = bar.width < kThin;
    std::string title = unit.lane + " · " + unit.label + "\n" + attempt.outcome + ", attempt " +
                        std::to_string(bar.attempt + 1) + " of " +
                        std::to_string(unit.attempts.size()) + "\n" +
                        SpanText(attempt, EndOf(report_));
    if (!attempt.note.empty()) title += "\n" + attempt.note;
    out_("<a class=\"bar " + std::string(ClassOf(attempt.outcome)) + (thin ? " thin" : "") +
         "\" href=\"#u" + std::to_string(bar.unit) + "\" tabindex=\"-1\" style=\"left:" +
         Percent(bar.left) + ";width:" + Percent(bar.width) + "\" title=\"" + HtmlText(title) +
         "\">" + (thin ? std::string() : HtmlText(unit.label)) + "</a>");
  }

  void Units() {
    const std::string unit = HtmlText(report_.unit_name);
    out_("<h2 id=\"all\">Every " + unit + "</h2>\n");
    if (report_.units.empty()) {
      out_("<p>There is no " + unit + " in this run.</p>\n");
      return;
    }
    out_("<div class=\"tools\"><p>");
    for (const auto& [state, count] : StatesOf(report_)) {
      out_(Badge(state, "small ") + " " + WithThousands(count) + " ");
    }
    out_("</p></div>\n<div class=\"scroll\">\n<table id=\"units\">\n<caption>" +
         HtmlText(Counted(report_.units.size(), report_.unit_name)) +
         "</caption>\n<thead><tr><th scope=\"col\">Table</th><th scope=\"col\">" +
         HtmlText(Capitalized(report_.unit_name)) +
         "</th><th scope=\"col\">Range</th><th scope=\"col\">State</th>"
         "<th scope=\"col\" class=\"n\">Rows</th><th scope=\"col\" class=\"n\">Size</th>"
         "<th scope=\"col\" class=\"n\">Files</th><th scope=\"col\">Attempts</th></tr></thead>\n"
         "<tbody>\n");
    for (std::size_t i = 0; i < report_.units.size(); ++i) UnitRow(i);
    out_("</tbody>\n</table>\n</div>\n");
  }

  void UnitRow(std::size_t index) {
    const ReportUnit& unit = report_.units[index];
    const auto number = [](std::uint64_t value, const std::string& text) {
      return "<td class=\"n\" data-v=\"" + std::to_string(value) + "\">" + text + "</td>";
    };
    std::string row =
        "<tr id=\"u" + std::to_string(index) + "\"><td>" + HtmlText(unit.lane) +
        "</td><th scope=\"row\">" + HtmlText(unit.label) + "</th><td class=\"range\">" +
        HtmlText(unit.range) + "</td><td>" + Badge(unit.state, "small ") + "</td>" +
        number(unit.rows, WithThousands(unit.rows)) + number(unit.bytes, FormatBytes(unit.bytes)) +
        number(unit.files, WithThousands(unit.files)) + "<td data-v=\"" +
        std::to_string(unit.attempts.size()) + "\">";
    if (!unit.attempts.empty()) row += "<ol>";
    for (const ReportAttempt& attempt : unit.attempts) row += AttemptText(unit, attempt);
    if (!unit.attempts.empty()) row += "</ol>";
    out_(row + "</td></tr>\n");
  }

  std::string AttemptText(const ReportUnit& unit, const ReportAttempt& attempt) const {
    std::string text = "<li>";
    // A unit that was done at its first try says so already.
    if (unit.attempts.size() > 1 || attempt.outcome != unit.state) {
      text += Badge(attempt.outcome, "small ") + " ";
    }
    // The day is told only where it is not the run's first.
    const std::string span = SpanText(attempt, EndOf(report_));
    const std::string today = SecondsText(report_.started).substr(0, 11);
    text += span.starts_with(today) ? span.substr(today.size()) : span;
    if (!attempt.note.empty())
      text += " <span class=\"note\">" + HtmlText(attempt.note) + "</span>";
    return text + "</li>";
  }

  const RunReport& report_;
  const std::function<void(std::string_view)>& out_;
};

}  // namespace

void WriteReportPage(const RunReport& report, const std::function<void(std::string_view)>& out) {
  Page(report, out).Write();
}

}  // namespace tsm::run
