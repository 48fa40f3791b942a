"""What ts-unload tells: the dry run, events as JSON, status and list, the report, the summary and the line to go on with."""

import json
import re
import shlex
import urllib.request

import pytest
from e2e_harness import assert_equal_tables, expect
from report_browser import Elements, open_in_browser

FAST = ["--start_interval", "0.01"]
EVERY_UNLOAD_FAILS = "Unload:*:QueryExecutionException"


def listing(small):
    s3 = small.local.client("s3", small.region)
    return {bucket["Name"]: {item["Key"]: item["ETag"] for item in
                             s3.list_objects_v2(Bucket=bucket["Name"]).get("Contents", [])}
            for bucket in s3.list_buckets()["Buckets"]}


def events_of(result):
    """Each line of stdout as the event that it is: versioned, numbered, of a time and a kind."""
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    for event in events:
        assert event["schema_version"] == 1
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["time"])
        assert list(event)[:5] == ["schema_version", "run_id", "seq", "time", "kind"]
    assert [event["kind"] for event in events].count("run_ended") == 1
    assert events[-1]["kind"] == "run_ended"
    return events


def of_kind(events, kind):
    return [event for event in events if event["kind"] == kind]


def summary_of(result):
    """The lines of the summary by their labels."""
    found = {}
    for line in result.stdout.splitlines():
        label, text = line[:9].strip(), line[10:]
        found.setdefault(label, []).append(text)
    return found


def test_a_dry_run_prints_the_plan_and_writes_nothing(small):
    before = listing(small)
    result = expect(small.unload("--dry-run", "--max_partitions", "1", "--survey"), 0)
    assert listing(small) == before
    assert not small.local.state_dir.exists()
    lines = result.stdout.splitlines()
    slices = [line for line in lines if re.match(r"  \d{4}  ", line)]
    assert len(slices) == 3 and all("1 partition, 40 rows, about" in line for line in slices)
    assert "UNLOAD (SELECT " in result.stdout and "USD" in result.stdout
    assert lines[-1].startswith("dry run ")


def test_a_dry_run_as_json(small):
    before = listing(small)
    events = events_of(expect(small.unload("--dry-run", "--json", "--max_partitions", "2"), 0))
    assert listing(small) == before and not small.local.state_dir.exists()
    (table,) = of_kind(events, "table_planned")
    assert table["table"] == "source.readings" and table["sql"].startswith("UNLOAD (SELECT ")
    slices = of_kind(events, "slice_planned")
    assert [(s["slice"], s["partitions"]) for s in slices] == [("0001", 2), ("0002", 1)]
    assert slices[0]["end"] == slices[1]["from"]
    end = events[-1]
    assert (end["outcome"], end["exit_code"], end["tables"], end["slices"]) == ("dry_run", 0, 1, 2)


def test_the_default_bucket_is_not_made_by_a_dry_run(small):
    before = listing(small)
    flags = ["--region", small.region, "--database", "source", "--table", "readings"]
    expect(small.local.run("ts-unload", *flags, "--dry_run"), 0)
    assert listing(small) == before


def test_events_tell_the_run_and_last_how_it_ended(small):
    result = expect(small.unload("--json", "--max_partitions", "1", *FAST), 0)
    events = events_of(result)
    (run_id,) = {event["run_id"] for event in events}
    assert {"notice", "progress", "slice_started", "query_started", "slice_progress", "slice_done", "table_closed",
            "table_ended", "run_ended"} == {event["kind"] for event in events}
    done = of_kind(events, "slice_done")
    assert sorted(event["slice"] for event in done) == ["0001", "0002", "0003"]
    assert sum(event["rows"] for event in done) == len(small.source)
    end = events[-1]
    assert (end["outcome"], end["exit_code"]) == ("done", 0)
    assert (end["tables"], end["tables_done"], end["slices"], end["attempts"]) == (1, 1, 3, 3)
    assert (end["rows"], end["files"]) == (len(small.source), sum(event["files"] for event in done))
    assert end["bytes"] == sum(event["bytes"] for event in done) and end["seconds"] > 0
    assert end["next_command"].startswith("ts-batchload ") and "resume_command" not in end
    # The same lines lie in the run directory, and the summary for a person goes beside them.
    stored = (small.local.state_dir / run_id / "events.jsonl").read_text().splitlines()
    assert stored == result.stdout.splitlines()
    assert "done, every slice's rows proven" in result.stderr


def test_events_of_runs_that_never_began(small):
    for flags, code in ((["--partition", "week"], 2), (["--s3_uri", "s3://absent-bucket/u"], 2)):
        events = events_of(expect(small.unload("--json", *flags), code))
        assert (events[-1]["outcome"], events[-1]["exit_code"]) == ("failed", code)
        assert flags[1] in events[-1]["error"] or "absent-bucket" in events[-1]["error"]
        assert "resume_command" not in events[-1]


def test_events_of_a_run_that_can_be_resumed(small):
    """Each UNLOAD fails, also of halves of a slice; the command that the run ends with goes on with it."""
    set_rules(small.local, EVERY_UNLOAD_FAILS)
    result = expect(small.unload("--json", *FAST), 1)
    events = events_of(result)
    end = events[-1]
    assert (end["outcome"], end["exit_code"], end["tables_done"]) == ("some_failed", 1, 0)
    assert of_kind(events, "trouble") and of_kind(events, "slice_failed")
    assert "next_command" not in end
    program, *flags = shlex.split(end["resume_command"])
    assert program == "ts-unload" and flags[:2] == ["resume", end["run_id"]]
    set_rules(small.local)
    result = expect(small.local.run(program, *flags, "--json"), 0)
    resumed = [json.loads(line) for line in result.stdout.splitlines()]
    assert resumed[-1]["outcome"] == "done" and resumed[-1]["rows"] == len(small.source)
    assert resumed[0]["seq"] == end["seq"] + 1


def set_rules(local, *rules):
    """ts-local's fault rules at run time; none drops all."""
    body = json.dumps({"rules": rules}).encode() if rules else None
    request = urllib.request.Request(f"{local.endpoint}/ts-local/fail", data=body, method="POST" if rules else "DELETE")
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
        assert answer.status == 200


def test_status_and_list(small):
    local = small.local
    assert expect(local.run("ts-unload", "list"), 0).stdout == ""
    assert expect(local.run("ts-unload", "list", "--json"), 0).stdout == ""
    expect(local.run("ts-unload", "status", "last"), 2)
    expect(small.unload("--max_partitions", "1", *FAST), 0)
    expect(small.unload(prefix="second"), 0)

    lines = expect(local.run("ts-unload", "list"), 0).stdout.splitlines()
    ids = [line.split()[0] for line in lines]
    assert len(lines) == 2 and all(line.split()[1] == "done" for line in lines)
    assert lines[0].endswith(f"s3://{small.bucket}/u") and lines[1].endswith(f"s3://{small.bucket}/second")

    runs = [json.loads(line) for line in expect(local.run("ts-unload", "list", "--json"), 0).stdout.splitlines()]
    assert [run["run_id"] for run in runs] == ids
    assert [len(run["units"]) for run in runs] == [3, 1]
    text = expect(local.run("ts-unload", "status", ids[0]), 0).stdout
    assert f"run       {ids[0]}, done" in text
    assert "source.readings: 3 of 3 slices, 120 rows" in text and "proof equal" in text
    assert "resume" not in text

    (line,) = expect(local.run("ts-unload", "status", ids[0], "--json"), 0).stdout.splitlines()
    status = json.loads(line)
    report = json.loads((local.state_dir / ids[0] / "report.json").read_text())
    assert status["units"] == report["units"] and status["state"] == report["state"] == "done"
    again = json.loads(expect(local.run("ts-unload", "status", ids[0], "--json"), 0).stdout)
    assert again["finished"] == status["finished"] <= again["written"]  # it does not grow with each look

    # A run whose plan is damaged is still listed.
    (local.state_dir / ids[0] / "plan.json").write_text("{")
    listed = expect(local.run("ts-unload", "list"), 0).stdout.splitlines()
    assert listed[0].startswith(f"{ids[0]}  unreadable")
    broken = json.loads(expect(local.run("ts-unload", "list", "--json"), 0).stdout.splitlines()[0])
    assert (broken["run_id"], broken["state"], broken["unit_name"]) == (ids[0], "unreadable", "slice")
    assert broken["troubles"]


def test_status_names_the_state_dir_in_the_command_to_go_on(small, tmp_path):
    place = tmp_path / "a state"
    set_rules(small.local, EVERY_UNLOAD_FAILS)
    result = expect(small.unload("--state_dir", place, *FAST), 1)
    set_rules(small.local)
    assert not small.local.state_dir.exists()
    text = expect(small.local.run("ts-unload", "status", "last", "--state_dir", place), 0).stdout
    (resume,) = re.findall(r"^resume    ts-unload (.*)$", text, re.MULTILINE)
    assert f"--state_dir '{place}'" in resume
    assert result.stdout.splitlines()[-1].endswith(f"--state_dir '{place}'")
    expect(small.local.run("ts-unload", *shlex.split(resume)), 0)


def test_the_report_shows_every_slice(small, tmp_path):
    result = expect(small.unload("--max_partitions", "1", *FAST), 0)
    page = summary_of(result)["report"][0]
    folder = small.local.state_dir / page.split("/")[-2]
    assert page == str(folder / "report.html")
    report = json.loads((folder / "report.json").read_text())
    assert (report["schema_version"], report["tool"], report["state"]) == (1, "ts-unload", "done")
    assert [unit["label"] for unit in report["units"]] == ["0001", "0002", "0003"]
    assert sum(unit["rows"] for unit in report["units"]) == len(small.source)
    assert report["next_command"] == summary_of(result)["next"][0]
    elements = Elements(open_in_browser(folder / "report.html", tmp_path / "profile"))
    rows = [element["text"] for element in elements.of("tr") if element.get("id", "").startswith("u")]
    assert len(rows) == 3
    for row, unit in zip(rows, report["units"]):
        assert unit["label"] in row and unit["range"] in row and f"{unit['rows']:,}" in row
    assert len(elements.of("a", "bar")) == 3
    assert report["next_command"] in [element["text"] for element in elements.of("code")]


@pytest.mark.parametrize("runs", [1, 2], ids=["alone", "beside-another-run"])
def test_the_next_line_loads_the_data(small, tmp_path, runs):
    """With the words in capitals replaced, and nothing else: also where another run's data lies beside it."""
    for _ in range(runs):
        result = expect(small.unload("--data_model_out", tmp_path / "model.json"), 0)
    line = summary_of(result)["next"][0]
    words = {"TARGET_DATABASE": "target", "DIMENSION": "city", "ERROR_BUCKET": small.errors}
    program, *flags = [words.get(word, word) for word in shlex.split(line)]
    assert program == "ts-batchload" and set(words) <= set(shlex.split(line))
    expect(small.local.run(program, *flags, "--poll_interval", "0.1", "--create_interval", "0.05"), 0)
    assert_equal_tables(small.source, small.loaded())


@pytest.mark.parametrize("flags, words", [
    ((), ("TARGET_DATABASE", "DIMENSION", "ERROR_BUCKET")),
    (("--compression", "gzip"), ("TARGET_DATABASE", "DIMENSION", "ERROR_BUCKET", "TARGET_BUCKET")),
    (("--field_delimiter", ";", "--escaped_by", "^"), ("TARGET_DATABASE", "DIMENSION", "ERROR_BUCKET")),
], ids=["plain", "gzip", "another-form"])
def test_the_next_line_needs_no_data_model(small, flags, words):
    """The record tells columns, types and the files' form; gzip has to be copied, so the line asks where to."""
    line = summary_of(expect(small.unload(*flags), 0))["next"][0]
    assert "--data_model_file" not in line and set(re.findall(r"(?<!\S)[A-Z_]+(?!\S)", line)) == set(words)
    values = {"TARGET_DATABASE": "target", "DIMENSION": "city", "ERROR_BUCKET": small.errors, "TARGET_BUCKET": small.target}
    program, *flags = [values.get(word, word) for word in shlex.split(line)]
    result = expect(small.local.run(program, *flags, "--poll_interval", "0.1", "--create_interval", "0.05"), 0)
    assert "every row proven" in result.stdout
    assert_equal_tables(small.source, small.loaded())


def test_the_summary_tells_what_was_done(small):
    summary = summary_of(expect(small.unload(), 0))
    (record,) = [key for key in small.local.keys(small.bucket, small.region) if key.startswith("u/tsm-run-")]
    (manifest,) = [key for key in small.local.keys(small.bucket, small.region) if key.endswith("_manifest.json")]
    assert summary["record"] == [f"s3://{small.bucket}/{record}"]
    assert summary["manifest"] == [f"s3://{small.bucket}/{manifest}"]
    assert summary["rows"] == [f"{len(small.source)}, equal to the manifests' and the queries' counts and to the "
                               "table's own"]
    assert summary["files"][0].startswith("3, ") and summary["slices"] == ["1 slice, 1 UNLOAD"]
    assert summary["result"] == ["done, every slice's rows proven"]


def flags_of_help(text):
    """Each flag of a help text: its spellings, and whether it takes a value."""
    found = []
    for line in text.splitlines():
        match = re.match(r"  ((?:-\w|--[\w-]+)(?:,(?:-\w|--[\w-]+))*)( \S)?", line)
        if match:
            found.append((match.group(1).split(","), match.group(2) is not None))
    return found


@pytest.mark.parametrize("command", [[], ["resume", "no-run"], ["status", "no-run"], ["list"]], ids=" ".join)
def test_every_flag_of_the_help_is_accepted_in_both_spellings(local, command):
    """What an unknown flag is told, that it was not expected, is told of none."""
    flags = flags_of_help(expect(local.run("ts-unload", *command[:1], "--help"), 0).stdout)
    spellings = {name for names, _ in flags for name in names}
    assert {"--help"} < spellings
    for name in spellings:
        if "_" in name:
            assert name.replace("_", "-") in spellings, name
    assert f"not expected: --no_such_flag" in expect(local.run("ts-unload", *command, "--no_such_flag"), 2).stderr
    for names, takes_value in flags:
        if "--help" in names or "--version" in names:
            continue
        for name in names:
            result = local.run("ts-unload", *command, name, *(["nothing"] if takes_value else []))
            assert "not expected" not in result.stderr, (name, result.stderr)
            assert result.returncode in (0, 2, 3), (name, result.stderr)
            assert result.returncode == 0 or result.stderr.strip(), name
