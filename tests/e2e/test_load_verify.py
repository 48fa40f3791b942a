"""The proof of a load: rows by partition, and columns by their aggregates, against what was unloaded; what differs is named by its
place, and rows that are not seen yet are waited for."""

import calendar
import json
import re
import time

import pytest
from e2e_harness import dimensions, expect
from e2e_load import SOURCE, Load
from e2e_unload import REGION, bulk_csv, days, hours

RECENT = 19000
CONTENT = ("--verify", "content")


def make(start_local, *unload_flags, rows=None, local_flags=()):
    local = start_local("--unload_rate", "0", *local_flags)
    return Load(local, rows or bulk_csv(days(RECENT, 3), 5), *(unload_flags or ("--partition", "day")))


def verify(load, *more, run="last"):
    return load.local.run("ts-batchload", "verify", run, "--verify_wait", "0s", *more)


def nanoseconds(text):
    seconds, _, fraction = text.partition(".")
    return calendar.timegm(time.strptime(seconds, "%Y-%m-%d %H:%M:%S")) * 10**9 + int(fraction)


def put(load, row, version=1, device=None, **values):
    """The row with these measure values, written into the target by its time and dimensions."""
    kinds = {"value": "DOUBLE", "n": "BIGINT", "ok": "BOOLEAN", "note": "VARCHAR", "celsius": "DOUBLE"}
    all_values = {name: row[name] for name in kinds if name in row} | values
    record = {"Dimensions": dimensions(**{name: device if name == "device" and device else row[name]
                                          for name in ("device", "floor", "sensor") if name in row}),
              "MeasureName": row["measure_name"], "MeasureValueType": "MULTI", "Time": str(nanoseconds(row["time"])),
              "TimeUnit": "NANOSECONDS", "Version": version,
              "MeasureValues": [{"Name": name, "Type": kinds[name], "Value": str(value)} for name, value in all_values.items()]}
    assert not load.local.write(REGION, load.target_database, load.target_table, [record])


def a_row(load, day=1):
    """Some row of the target's partition of that day."""
    wanted = time.strftime("%Y-%m-%d", time.gmtime((RECENT + day) * 86400))
    found = sorted((dict(row) for row in load.rows() if dict(row)["time"].startswith(wanted)), key=lambda row: row["time"])
    return wanted, found[2]


def differences(result):
    return [line for line in result.stdout.splitlines() if line.startswith("failed")]


# Content.

def test_content_is_equal_and_then_it_is_not(start_local):
    """One value changed afterwards, no row more or less: the later verify names partition and column, and nothing else."""
    load = make(start_local, "--partition", "day", *CONTENT)
    result = expect(load.run(*CONTENT), 0)
    assert "aggregates" in result.stdout and "0 differ" in result.stdout and "every row proven" in result.stdout, result.stdout
    expect(verify(load, *CONTENT), 0)
    day, row = a_row(load)
    put(load, row, version=2, n=int(row["n"]) + 1)
    expect(verify(load), 0)  # the count is what it was
    result = expect(verify(load, *CONTENT), 4)
    lines = differences(result)
    assert lines and all(day in line and re.search(r"\bn\b", line) for line in lines), result.stdout
    # Put right, it is proven again.
    put(load, row, version=3, n=int(row["n"]))
    expect(verify(load, *CONTENT), 0)


@pytest.mark.parametrize("column, value", [("value", "1234.5"), ("ok", None), ("note", "anything else")])
def test_each_type_of_column(start_local, column, value):
    load = make(start_local, "--partition", "day", *CONTENT)
    expect(load.run(*CONTENT), 0)
    day, row = a_row(load)
    put(load, row, version=2, **{column: value or ("false" if row["ok"] == "true" else "true")})
    lines = differences(expect(verify(load, *CONTENT), 4))
    assert lines and all(day in line and column in line for line in lines), lines


def test_a_dimension_that_is_another(start_local):
    """A row too many and another one short: the count is equal, the content is not."""
    load = make(start_local, "--partition", "day", *CONTENT)
    load.local.make_table(REGION, "target", "readings")
    expect(load.run(*CONTENT, create=False), 0)
    day, row = a_row(load)
    put(load, row, device="d-11111")
    result = expect(verify(load, *CONTENT), 4)
    assert any(day in line and "device" in line for line in differences(result)), result.stdout
    assert any(day in line and "5" in line and "6" in line for line in differences(result)), result.stdout


def test_rows_in_the_way_are_found_by_their_content(start_local):
    """Other values stood where a row came to lie, and the service told nobody."""
    load = make(start_local, "--partition", "day", *CONTENT)
    load.local.make_table(REGION, "target", "readings")
    (first,) = [dict(row) for row in load.local.rows(REGION, "source", "readings") if dict(row)["n"] == "0"]
    put(load, first, n=-5)
    counted = expect(load.run(create=False), 2)
    assert "--verify content" in counted.stderr, counted.stderr
    result = expect(load.run(*CONTENT, create=False), 4)
    assert any(first["time"][:10] in line and re.search(r"\bn\b", line) for line in differences(result)), result.stdout
    assert "resume" in result.stdout


def test_renamed_and_dropped_columns_are_compared(start_local, tmp_path):
    """By the names that the data model gives them; what is not loaded is said not to be compared."""
    load = make(start_local, "--partition", "day", *CONTENT)
    told = expect(load.local.run("ts-batchload", "check", *load.flags("--json")), 0)
    (planned,) = [event for event in map(json.loads, told.stdout.splitlines()) if event["kind"] == "table_planned"]
    model = json.loads(planned["data_model"])
    model["DimensionMappings"][0]["DestinationColumn"] = "sensor"
    assert model["DimensionMappings"][0]["SourceColumn"] == "device"
    mappings = [one for one in model["MultiMeasureMappings"]["MultiMeasureAttributeMappings"] if one["SourceColumn"] != "note"]
    next(one for one in mappings if one["SourceColumn"] == "value")["TargetMultiMeasureAttributeName"] = "celsius"
    model["MultiMeasureMappings"]["MultiMeasureAttributeMappings"] = mappings
    (tmp_path / "model.json").write_text(json.dumps(model))
    result = expect(load.run(*CONTENT, "--data_model_file", tmp_path / "model.json"), 0)
    assert "0 differ" in result.stdout and re.search("not compared.*note", result.stdout), result.stdout
    day, row = a_row(load)
    put(load, row, version=2, celsius="-17.5")
    lines = differences(expect(verify(load, *CONTENT), 4))
    assert lines and all(day in line and "celsius" in line for line in lines), lines


def test_content_needs_an_unload_that_kept_it(start_local):
    load = make(start_local)
    result = expect(load.run(*CONTENT), 2)
    assert "ts-unload --verify content" in result.stderr, result.stderr
    assert not load.local.tasks(REGION) and load.runs() == []  # told before anything is loaded


SHAPES = {
    "hours": (("--partition", "hour"), hours(RECENT, 5)),
    "months": (("--partition", "month"), [(RECENT + 31 * i) * 86400 * 10**9 for i in range(4)]),
    "none": ((), days(RECENT, 4)),
    "slices": (("--partition", "day", "--max_partitions", "1"), days(RECENT, 4)),
    "gzip": (("--partition", "day", "--compression", "gzip"), days(RECENT, 3)),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_whatever_the_partitions_are(start_local, shape):
    """Equal after the load; one value and one row more are found."""
    flags, partitions = SHAPES[shape]
    load = make(start_local, *flags, *CONTENT, rows=bulk_csv(partitions, 4))
    result = expect(load.run(*CONTENT), 0)
    assert "0 differ" in result.stdout, result.stdout
    load.assert_loaded()
    row = sorted((dict(row) for row in load.rows()), key=lambda row: row["time"])[1]
    put(load, row, version=2, note="changed to this")
    assert any("note" in line for line in differences(expect(verify(load, *CONTENT), 4)))
    put(load, row, device="one-too-many")
    assert len(differences(expect(verify(load), 4))) == 1


# Count.

def test_a_row_too_many(start_local):
    load = make(start_local)
    expect(load.run(), 0)
    day, row = a_row(load)
    put(load, row, device="one-too-many")
    result = expect(verify(load), 4)
    (line,) = differences(result)
    assert day in line and "5" in line and "6" in line, line
    told = [json.loads(line) for line in expect(verify(load, "--json"), 4).stdout.splitlines()]
    assert (told[-1]["kind"], told[-1]["outcome"], told[-1]["exit_code"]) == ("run_ended", "proof_failed", 4)
    assert load.status()["state"] == "failed"


def test_rows_outside_of_the_range_are_nobodys_business(start_local):
    load = make(start_local)
    expect(load.run(), 0)
    _, row = a_row(load)
    put(load, {**row, "time": "2021-01-01 00:00:00.000000000"})
    expect(verify(load), 0)


def test_none_says_that_nothing_is_proven(start_local):
    load = make(start_local)
    result = expect(load.run("--verify", "none"), 0)
    assert "not asked (--verify none)" in result.stdout and "not all of it proven" in result.stdout, result.stdout
    assert "is not proven" in result.stderr, result.stderr
    # It can be made up for later.
    result = expect(verify(load), 0)
    assert "every row proven" in result.stdout, result.stdout


def test_rows_that_are_seen_late_are_waited_for(start_local):
    """The service shows them only some time after a task's end: that is no loss while it may still come."""
    load = make(start_local, local_flags=("--visible_seconds", "2"))
    result = expect(load.run("--verify_wait", "60s"), 0)
    assert "every row proven" in result.stdout, result.stdout
    load.assert_loaded()


@pytest.mark.parametrize("copying", [True, False], ids=["copied", "in-place"])
def test_the_unloads_files_may_be_gone_but_not_its_record(start_local, copying):
    """The count is of the run itself; the content is compared with what the record keeps."""
    load = make(start_local, "--partition", "day", *CONTENT)
    expect(load.run(*CONTENT, copying=copying), 0)
    s3 = load.local.client("s3", REGION)
    for key in load.local.keys(SOURCE, REGION, "u/"):
        if key.endswith(".csv"):
            s3.delete_object(Bucket=SOURCE, Key=key)
    expect(verify(load, *CONTENT), 0)
    for key in load.local.keys(SOURCE, REGION, "u/"):
        s3.delete_object(Bucket=SOURCE, Key=key)
    expect(verify(load), 0)
    assert "record" in expect(verify(load, *CONTENT), 2).stderr
