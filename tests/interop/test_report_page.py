"""The report page of a run in a browser that has no network: every slice is a row, every attempt a bar, foreign text
stays text, and nothing is fetched from anywhere. judge_report makes the page as the programs do."""

import datetime
import http.server
import json
import os
import pathlib
import re
import subprocess
import threading

import pytest
from report_browser import Elements, open_in_browser

START = datetime.datetime(2024, 2, 26, 17, 24, 38, 270_000)
CROSS_SITE = "<script>document.title='owned'</script>\"'><img src=http://127.0.0.1:9/x onerror=document.title='owned'>"


def iso(seconds):
    return (START + datetime.timedelta(seconds=seconds)).isoformat(timespec="milliseconds") + "Z"


def attempt(begin, end, outcome="done", note=""):
    return {"begin": iso(begin), "end": None if end is None else iso(end), "outcome": outcome, "note": note}


def unit(number, attempts, lane="sourcedb.myTable", state=None):
    day = datetime.date(2021, 1, 1) + datetime.timedelta(days=number)
    state = state or (attempts[-1]["outcome"] if attempts else "pending")
    done = state == "done"
    return {
        "lane": lane,
        "label": day.isoformat(),
        "range": f"{day} 00:00 - {day + datetime.timedelta(days=1)} 00:00",
        "state": state,
        "rows": 1_234_567 + number if done else 0,
        "bytes": 98_765_432 + 1000 * number if done else 0,
        "files": 3 if done else 0,
        "attempts": attempts,
    }


def report(units, state="done", troubles=(), next_command=""):
    ends = [a["end"] for u in units for a in u["attempts"] if a["end"]]
    last = max(ends, default=iso(0))
    return {
        "schema_version": 1,
        "tool": "ts-unload",
        "tool_version": "0.1.0",
        "run_id": "20240226T172438Z-5f8b3c",
        "title": "sourcedb.myTable to s3://timestream-unload-sourcedb-mytable/unload",
        "state": state,
        "started": iso(0),
        "finished": None if state == "running" else last,
        "written": last,
        "unit_name": "slice",
        "facts": [
            {"name": "Account", "value": "123456789012"},
            {"name": "Region", "value": "eu-west-1"},
            {"name": "Range", "value": "2021-01-01 00:00 - 2024-02-26 17:24"},
            {"name": "Partition", "value": "day"},
            {"name": "Destination", "value": "s3://timestream-unload-sourcedb-mytable/unload/results/"},
            {"name": "Proof", "value": "rows of the queries, the manifests and the table agree"},
        ],
        "units": units,
        "troubles": list(troubles),
        "next_command": next_command,
    }


def few():
    """Three slices that went well, two of them at once."""
    return report([unit(0, [attempt(1, 95)]), unit(1, [attempt(2, 80)]), unit(2, [attempt(81, 140)])])


def with_failures():
    """Forty slices of two tables on four workers, with every outcome, and a name that is no name but an attack."""
    units, free = [], [0.0] * 4
    for number in range(40):
        worker = number % 4
        begin = free[worker] + 1
        length = 40 + number * 7 % 50
        tries = [attempt(begin, begin + length)]
        if number in (5, 17):
            tries = [
                attempt(begin, begin + 9, "failed", "QueryExecutionException: Query exceeded memory"),
                attempt(begin + 15, begin + 15 + length),
            ]
        elif number == 22:
            tries = [
                attempt(begin, begin + 9, "failed", CROSS_SITE),
                attempt(begin + 20, begin + 20 + length, "failed", "ThrottlingException: Rate exceeded"),
            ]
        elif number == 30:
            tries = [
                attempt(begin, begin + 12, "replaced", "NextToken older than an hour"),
                attempt(begin + 15, begin + 60),
            ]
        elif number == 37:
            tries = [attempt(begin, begin + 20, "cancelled", "interrupted by SIGINT")]
        elif number == 38:
            tries = [attempt(begin, None, "running")]
        elif number == 39:
            tries = []
        free[worker] = begin + length + (20 if len(tries) > 1 else 0)
        units.append(unit(number, tries, lane="sourcedb.myTable" if number < 26 else f"sourcedb.{CROSS_SITE}"))
    return report(
        units,
        state="failed",
        troubles=["slice 2021-01-23 of sourcedb.myTable failed twice: ThrottlingException: Rate exceeded", CROSS_SITE],
        next_command="ts-unload resume 20240226T172438Z-5f8b3c --state_dir '/var/lib/ts <migration>'",
    )


def many():
    """1,100 slices of three years on four workers."""
    units, free = [], [0.0] * 4
    for number in range(1100):
        worker = min(range(4), key=lambda w: free[w])
        begin = free[worker] + 1
        length = 20 + number * 37 % 41
        bad = number % 97 == 13
        tries = [attempt(begin, begin + 5, "failed", "InternalServerException")] if bad else []
        begin += 8 if bad else 0
        units.append(unit(number, [*tries, attempt(begin, begin + length)]))
        free[worker] = begin + length
    return report(units)


def run_judge(what, of):
    program = pathlib.Path(os.environ["TS_BUILD_DIR"]) / "bin" / "judge_report"
    done = subprocess.run([program, what], input=json.dumps(of), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """browser(page): the DOM as headless Chromium has it after loading the page from a file."""
    folder = tmp_path_factory.mktemp("chromium")

    def dom(page):
        (folder / "report.html").write_text(page, encoding="utf-8")
        return open_in_browser(folder / "report.html", folder / "profile")

    return dom


class Trap(http.server.BaseHTTPRequestHandler):
    """A server that nobody should ask for anything."""

    asked = []

    def do_GET(self):
        self.asked.append(self.path)
        self.send_error(404)

    def log_message(self, *_):
        pass


@pytest.fixture
def trap():
    Trap.asked.clear()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Trap)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("made", [few, with_failures, many])
def test_the_json_holds_what_the_report_holds(made):
    assert json.loads(run_judge("json", made())) == made()


@pytest.mark.parametrize("made", [few, with_failures, many])
@pytest.mark.parametrize("scripts", [True, False], ids=["script", "no-script"])
def test_every_slice_is_a_row_and_every_attempt_a_bar(browser, made, scripts):
    of = made()
    text = run_judge("page", of)
    assert "script-src 'unsafe-inline'" in text
    page = Elements(browser(text if scripts else text.replace("script-src 'unsafe-inline'", "script-src 'none'")))
    rows = [e for e in page.of("tr") if e.get("id", "").startswith("u")]
    assert len(rows) == len(of["units"])
    for row, unit_ in zip(rows, of["units"]):
        assert unit_["label"] in row["text"] and unit_["lane"] in row["text"] and unit_["range"] in row["text"]
        assert f"{unit_['rows']:,}" in row["text"]
        for tried in unit_["attempts"]:
            assert tried["note"] in row["text"]
    drawn = {(bar["href"], bar["class"].split()[1]) for bar in page.of("a", "bar")}
    assert drawn == {(f"#u{i}", a["outcome"]) for i, unit_ in enumerate(of["units"]) for a in unit_["attempts"]}
    assert len(page.of("a", "bar")) == sum(len(unit_["attempts"]) for unit_ in of["units"])
    for bar in page.of("a", "bar"):
        left, width = map(float, re.fullmatch(r"left: ?([\d.]+)%; ?width: ?([\d.]+)%;?", bar["style"]).groups())
        assert 0 <= left and left + width <= 100.01
    assert bool(page.of("input")) == scripts  # what only a script can do is there only with one


def test_the_page_says_first_what_matters(browser):
    of = with_failures()
    page = Elements(browser(run_judge("page", of)))
    assert [e["text"] for e in page.of("section", "troubles")][0].count("\n") >= len(of["troubles"])
    for trouble in of["troubles"]:
        assert trouble in [e["text"] for e in page.of("li")]
    assert [e["text"] for e in page.of("code")] == [of["next_command"]]
    assert page.of("h1")[0]["text"] == f"{of['title']} failed"
    for fact in of["facts"]:
        assert fact["value"] in [e["text"] for e in page.of("dd")]
    assert page.of("html")[0]["lang"] == "en"
    assert all(e.get("scope") in ("col", "row") for e in page.of("th"))


def test_nothing_is_fetched_and_no_name_becomes_markup(browser, trap):
    of = with_failures()
    attack = CROSS_SITE.replace("http://127.0.0.1:9", trap)
    attack += f"<link rel=stylesheet href={trap}/l.css><iframe src={trap}/f>"
    of["troubles"].append(attack)
    of["facts"].append({"name": attack, "value": attack})
    of["units"][0].update(lane=attack, label=attack, range=attack)
    of["title"] = attack
    page = run_judge("page", of)
    elements = Elements(browser(page))
    assert Trap.asked == []
    assert elements.of("title")[0]["text"] == f"ts-unload {of['run_id']}: failed"
    assert len(elements.of("script")) == 1
    assert not [e for e in elements.found if e["tag"] in ("img", "link", "iframe", "object", "form", "base")]
    for element in elements.found:
        assert "src" not in element and element.get("href", "#").startswith("#"), element
        assert not [name for name in element if name.startswith("on")], element
    assert "url(" not in page and "@import" not in page
    # The policy holds even where the escaping would not; and without both the trap does spring.
    smuggled = page.replace("<footer>", f"<img src='{trap}/smuggled'><footer>")
    browser(smuggled)
    assert Trap.asked == []
    browser(re.sub(r"<meta http-equiv=[^>]*>", "", smuggled))
    assert Trap.asked == ["/smuggled"]


def test_columns_sort_and_the_search_narrows(browser):
    of = few()
    for unit_, rows in zip(of["units"], (10, 9, 100)):
        unit_["rows"] = rows
    page = run_judge("page", of)

    def shown(clicks, search=""):
        find = f"const find=document.querySelector('input');find.value='{search}';find.oninput();"
        elements = Elements(browser(page.replace("</body>", f"<script>{clicks}{find}</script></body>")))
        return [e["id"] for e in elements.of("tr") if e.get("id") and "hidden" not in e]

    click = "document.querySelectorAll('thead button')[{}].click();".format
    assert shown("") == ["u0", "u1", "u2"]
    assert shown(click(4)) == ["u1", "u0", "u2"]
    assert shown(click(4) + click(4)) == ["u2", "u0", "u1"]
    assert shown(click(4) + click(1)) == ["u0", "u1", "u2"]
    assert shown("", "2021-01-02 00:00 -") == ["u1"]
