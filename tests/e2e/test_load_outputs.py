"""What ts-batchload tells: events as JSON, status and list from other shells, the report, messages to a topic, the summary and the line
to go on with."""

import json
import re
import shlex
import time

import pytest
from e2e_harness import expect
from e2e_load import Load
from e2e_unload import REGION, bulk_csv, days, run_directory
from report_browser import Elements, open_in_browser

RECENT = 19000
SLOW = ("--task_seconds", "2")


def make(start_local, *flags, days_count=3):
    local = start_local("--unload_rate", "0", *flags)
    return Load(local, bulk_csv(days(RECENT, days_count), 4), "--partition", "day")


def begun(load, *more, tasks=2, **env):
    """A load whose canary is done and whose next tasks run."""
    process = load.popen(*more, **env)
    deadline = time.monotonic() + 60
    while len(load.local.tasks(REGION)) < tasks:
        assert time.monotonic() < deadline and process.poll() is None, process.communicate()
        time.sleep(0.05)
    return process


def events_of(text):
    """Each line an event: versioned, numbered, of a time and a kind."""
    events = [json.loads(line) for line in text.splitlines()]
    numbers = [event["seq"] for event in events]
    assert numbers == sorted(set(numbers)), numbers
    for event in events:
        assert event["schema_version"] == 1
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["time"])
        assert list(event)[:5] == ["schema_version", "run_id", "seq", "time", "kind"]
    return events


def of_kind(events, kind):
    return [event for event in events if event["kind"] == kind]


def summary_of(result):
    found = {}
    for line in result.stdout.splitlines():
        found.setdefault(line[:9].strip(), []).append(line[10:])
    return found


# Events.

def test_events_tell_the_run(start_local):
    """The kinds that a script waits for, with numbers that agree; the same lines lie in the run directory."""
    load = make(start_local, "--task_seconds", "0.3")
    result = expect(load.run("--json"), 0)
    events = events_of(result.stdout)
    (run_id,) = {event["run_id"] for event in events}
    assert {"task_created", "task_status", "group_done", "table_ended", "run_ended"} <= {event["kind"] for event in events}
    created, done = of_kind(events, "task_created"), of_kind(events, "group_done")
    ids = {task["TaskId"] for task in load.local.tasks(REGION)}
    assert {event["task"] for event in created} == ids and len(created) == 3
    assert sorted(event["group"] for event in done) == ["g0001", "g0002", "g0003"]
    assert sum(event["ingested"] for event in done) == 12 and not any(event["rejected"] for event in done)
    assert {event["status"] for event in of_kind(events, "task_status")} >= {"IN_PROGRESS"}, of_kind(events, "task_status")
    (table,) = of_kind(events, "table_ended")
    assert (table["table"], table["done"], table["verified"], table["groups_done"]) == ("target.readings", True, "equal", 3)
    assert table["rows_ingested"] == table["rows_expected"] == 12 and table["rows_rejected"] == 0
    end = events[-1]
    assert (end["kind"], end["outcome"], end["exit_code"], end["tables_done"], end["tasks"]) == ("run_ended", "done", 0, 1, 3)
    assert end["files_copied"] == 3 and "resume_command" not in end
    stored = (run_directory(load.local, run_id) / "events.jsonl").read_text().splitlines()
    assert stored == result.stdout.splitlines()
    assert "every row proven" in result.stderr


def test_events_of_a_run_that_goes_on(start_local):
    """Numbers go on where the first process left off, and the command that it ends with is the one that goes on."""
    load = make(start_local)
    load.set_rules("Task:2:fail")
    end = events_of(expect(load.run("--json"), 1).stdout)[-1]
    assert (end["outcome"], end["exit_code"], end["tables_done"], end["groups_done"]) == ("some_failed", 1, 0, 2)
    load.drop_rules()
    program, *flags = shlex.split(end["resume_command"])
    assert program == "ts-batchload" and flags[:3] == ["resume", end["run_id"], "--retry_failed"], flags
    resumed = events_of(expect(load.local.run(program, *flags, "--json"), 0).stdout)
    assert resumed[0]["seq"] == end["seq"] + 1 and resumed[-1]["outcome"] == "done"
    stored = events_of((run_directory(load.local, end["run_id"]) / "events.jsonl").read_text())
    assert stored[-1]["seq"] == resumed[-1]["seq"]


@pytest.mark.parametrize("flags", [("--group_by", "day"), ("--s3_target_error_bucket", "absent-errors")])
def test_events_of_runs_that_never_began(start_local, flags):
    load = make(start_local)
    events = events_of(expect(load.run("--json", *flags), 2).stdout)
    assert (events[-1]["kind"], events[-1]["outcome"], events[-1]["exit_code"]) == ("run_ended", "failed", 2)
    assert flags[1] in events[-1]["error"] and "resume_command" not in events[-1]
    assert load.runs() == []


def test_stdout_is_only_results(start_local):
    """Progress and notices are on stderr: what is on stdout can be kept."""
    load = make(start_local, "--task_seconds", "0.3")
    result = expect(load.run(), 0)
    labels = set(summary_of(result))
    assert labels <= {"source", "target", "files", "groups", "rows", "proof", "note", "copied", "tasks", "time", "result", "report"}
    assert {"source", "target", "groups", "rows", "proof", "result", "report"} <= labels
    assert not re.search(r"^\d\d:\d\d:\d\d ", result.stdout, re.MULTILINE) and "\x1b" not in result.stdout
    assert all(re.match(r"\d\d:\d\d:\d\d (info|warning|error) ", line) for line in result.stderr.splitlines()), result.stderr


# Status and list.

def test_status_from_another_shell(start_local):
    """While it runs and after: text and JSON tell the same, and nothing is disturbed."""
    load = make(start_local, *SLOW)
    assert expect(load.local.run("ts-batchload", "list"), 0).stdout == ""
    expect(load.local.run("ts-batchload", "status", "last"), 2)
    process = begun(load)
    running, text = load.status(), expect(load.local.run("ts-batchload", "status", "last"), 0).stdout
    assert process.poll() is None, "it has ended before the test could ask"
    run = running["run_id"]
    assert running["state"] == "running" and f"run       {run}, running" in text
    assert "target.readings: 3 of 3 groups copied, 1 of 3 loaded" in text, text
    ids = {task["TaskId"] for task in load.local.tasks(REGION) if task["TaskStatus"] != "SUCCEEDED"}
    assert ids and all(task in text for task in ids), text
    assert "resume" not in text and sorted(unit["state"] for unit in running["units"])[0] == "done"
    (listed,) = expect(load.local.run("ts-batchload", "list"), 0).stdout.splitlines()
    assert listed.startswith(f"{run}  running")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    ended, text = load.status(run[:-2]), expect(load.local.run("ts-batchload", "status", run), 0).stdout
    assert ended["state"] == "done" and "3 of 3 loaded, 12 rows ingested, proof equal" in text and "resume" not in text, text
    assert [unit["rows"] for unit in ended["units"]] == [4, 4, 4]
    (listed,) = expect(load.local.run("ts-batchload", "list"), 0).stdout.splitlines()
    assert listed.startswith(f"{run}  done") and listed.endswith("s3://load-files/dest/")
    # The unload beside it is no load, nor the load an unload.
    (unloaded,) = load.source.runs()
    assert unloaded != run and load.runs() == [run]
    # A run whose plan is damaged is still listed.
    (load.local.state_dir / run / "plan.json").write_text("{")
    broken = json.loads(expect(load.local.run("ts-batchload", "list", "--json"), 0).stdout)
    assert (broken["run_id"], broken["state"], broken["unit_name"]) == (run, "unreadable", "group") and broken["troubles"]


def test_status_names_what_failed(start_local):
    load = make(start_local)
    load.set_rules("Task:2:fail")
    expect(load.run(), 1)
    text = expect(load.local.run("ts-batchload", "status", "last"), 0).stdout
    assert ", failed" in text and "  failed: group g000" in text
    (resume,) = re.findall(r"^resume    ts-batchload (.*)$", text, re.MULTILINE)
    load.drop_rules()
    expect(load.local.run("ts-batchload", *shlex.split(resume)), 0)
    load.assert_loaded()


# The report.

def test_the_report_names_groups_and_tasks(start_local, tmp_path):
    """Each group with its copy and its task, in the page and in the file for scripts."""
    load = make(start_local)
    load.set_rules("Task:3:fail")
    result = expect(load.run(), 1)
    folder = run_directory(load.local, load.runs()[-1])
    assert summary_of(result)["report"] == [str(folder / "report.html")]
    report = json.loads((folder / "report.json").read_text())
    assert (report["schema_version"], report["tool"], report["state"], report["unit_name"]) == (1, "ts-batchload", "failed", "group")
    assert [unit["label"] for unit in report["units"]] == ["g0001", "g0002", "g0003"]
    assert sorted(unit["state"] for unit in report["units"]) == ["done", "done", "failed"]
    assert report["next_command"] == result.stdout.splitlines()[-1]
    page = (folder / "report.html").read_text()
    for task in load.local.tasks(REGION):
        assert task["TaskId"] in page and task["TaskId"] in json.dumps(report["units"])
    elements = Elements(open_in_browser(folder / "report.html", tmp_path / "profile"))
    rows = [element["text"] for element in elements.of("tr") if element.get("id", "").startswith("u")]
    assert len(rows) == 3
    for row, unit in zip(rows, report["units"]):
        assert unit["label"] in row and unit["range"] in row
    assert len(elements.of("a", "bar")) == 6, "a copy and a task of each group"
    load.drop_rules()
    expect(load.resume("last", "--retry_failed"), 0)
    assert json.loads((folder / "report.json").read_text())["state"] == "done"
