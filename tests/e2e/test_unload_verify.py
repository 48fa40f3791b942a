"""A source that changes under the unload, and sources with nothing in them: the documented outcome each.

And what --verify asks: nothing, counts, or the content of every partition, which Python sums up for itself here.
"""

import calendar
import collections
import json
import math
import signal
import time

import pytest
from e2e_harness import assert_equal_tables, expect
from e2e_proxy import CountingProxy
from e2e_unload import (COUNT_UNLOADS, DATABASE, DAY, REGION, Unload, assert_clean, assert_one_manifest_per_slice,
                        assert_whole, attempts, bulk_csv, days, rule_calls, strays)

FLAGS = ("--partition", "day", "--max_partitions", "5", "--parallel", "1")
TODAY = int(time.time()) // 86400
FIRST = TODAY - 30


@pytest.fixture
def slow(start_local):
    """20 days, four slices one after the other, two seconds each."""
    local = start_local("--unload_rate", "0", "--unload_seconds", "2", "--fail", COUNT_UNLOADS)
    return Unload(local, bulk_csv(days(FIRST, 20)))


@pytest.fixture
def quick(start_local):
    return Unload(start_local("--unload_rate", "0", "--fail", COUNT_UNLOADS), bulk_csv(days(FIRST, 20)))


def in_second_slice(unload):
    """A run whose first slice is done and whose second is under way."""
    process = unload.popen(*FLAGS)
    deadline = time.monotonic() + 60
    while not (unload.runs() and attempts(unload, "last").get("0002") == ["running"]):
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()
        time.sleep(0.05)
    return process


def end_of(process, code):
    process.stdout, process.stderr = process.communicate(timeout=120)
    return expect(process, code)


def date(day):
    return time.strftime("%Y-%m-%d", time.gmtime(day * 86400))


def late_row(day):
    return f"time,measure_name,device,value:double\n{day * DAY + 12345},climate,d-late,1.5\n"


def assert_changed(result, day):
    said = f"source changed after its slice: {date(day)}: 3 rows unloaded, the table now has 4"
    assert said in result.stderr and said in result.stdout, result.stderr
    assert "--redo_changed" in result.stdout


def test_rows_that_arrive_between_interrupt_and_resume(slow):
    """On a day that is unloaded: exit 4, the day named, at each resume; --redo_changed unloads that slice again."""
    process = in_second_slice(slow)
    process.send_signal(signal.SIGINT)
    end_of(process, 130)
    before = slow.objects("u/results/")
    slow.add(late_row(FIRST + 2))
    assert_changed(expect(slow.resume("last"), 4), FIRST + 2)
    assert slow.record()["state"] == "started", "a record that does not hold must not vouch"
    assert slow.status("last")["state"] != "done"
    assert_changed(expect(slow.resume("last"), 4), FIRST + 2)
    assert rule_calls(slow.local) == 4, "a resume without the flag unloads nothing"

    expect(slow.resume("last", "--redo_changed"), 0)
    assert assert_whole(slow)["rows"] == 61
    assert_clean(slow)
    counts = {label: len(each) for label, each in attempts(slow, "last").items()}
    assert counts == {"0001": 2, "0002": 1, "0003": 1, "0004": 1}
    assert not set(before) <= set(slow.objects("u/results/")), "the files of the replaced slice are still there"


def test_rows_that_arrive_while_it_runs(slow):
    process = in_second_slice(slow)
    slow.add(late_row(FIRST))
    assert_changed(end_of(process, 4), FIRST)
    expect(slow.resume("last", "--redo_changed"), 0)
    assert_whole(slow)
    assert_clean(slow)


def test_rows_behind_the_end_of_the_plan(slow):
    """What arrives after the range that was planned is not part of it."""
    process = in_second_slice(slow)
    slow.add(late_row(FIRST + 25))
    end_of(process, 0)
    assert assert_whole(slow, rows=slow.table_rows("WHERE device <> 'd-late'"))["rows"] == 60


def test_rows_that_expire(slow):
    """Retention takes days that are unloaded: they are kept in the files and named, and it is no failure."""
    before = slow.table_rows()
    process = in_second_slice(slow)
    slow.local.client("timestream-write", REGION).update_table(
        DatabaseName=DATABASE, TableName=slow.table,
        RetentionProperties={"MemoryStoreRetentionPeriodInHours": 24, "MagneticStoreRetentionPeriodInDays": 27})
    ended = end_of(process, 0)
    assert slow.table_rows() != before, "nothing has expired: this test tests nothing"
    record = assert_whole(slow, rows=before)
    assert record["verified"] == "expired"
    assert f"expired by retention: {date(FIRST)}: 3 rows unloaded, the table now has 0" in ended.stdout, ended.stdout
    assert_clean(slow)


def test_an_empty_table(start_local):
    unload = Unload(start_local("--fail", COUNT_UNLOADS), "")
    ended = expect(unload.run("--partition", "day"), 0)
    assert "0 rows" in ended.stdout
    assert rule_calls(unload.local) == 0
    record = unload.record()
    assert (record["state"], record["rows"], record["slices"]) == ("done", 0, [])
    assert [key for key in unload.keys() if "/tsm-run-" not in key] == []


def test_a_range_without_rows(quick):
    """Both ends given, so that nothing is asked of the table first: 0 rows proven, no data file."""
    expect(quick.run("--partition", "day", "--from_time", "2019-01-01", "--end_time", "2019-01-05"), 0)
    record = quick.record()
    assert (record["state"], record["rows"]) == ("done", 0)
    assert [key for key in quick.keys() if key.endswith(".csv")] == []
    if record["slices"]:
        assert_one_manifest_per_slice(record)


def test_an_open_range_without_rows(quick):
    """From a time behind the last row on: no UNLOAD."""
    expect(quick.run("--partition", "day", "--from_time", date(TODAY)), 0)
    assert rule_calls(quick.local) == 0
    assert quick.record()["rows"] == 0


def test_a_null_partition_value(quick):
    """`floor` is absent in some rows: exit 2 naming the column, nothing written, no UNLOAD, nothing to resume."""
    refused = expect(quick.run("--partitioned_by", "floor"), 2)
    assert "floor" in refused.stderr and "null" in refused.stderr, refused.stderr
    assert quick.keys() == []
    assert rule_calls(quick.local) == 0
    assert quick.runs() == []


def test_a_partition_column_without_nulls(quick):
    """Folders by its values, below the day's, and it stays in the files."""
    expect(quick.run("--partition", "day", "--partitioned_by", "device", "--max_partitions", "30"), 0)
    assert_equal_tables(quick.table_rows(), quick.unloaded_rows(quick.record()))
    assert any("/partition_device=d-1/" in key for key in quick.keys())
    assert_clean(quick)


def queries(unload, *flags):
    """How many Query calls a run makes, and what it printed."""
    proxy = CountingProxy(unload.local.port)
    unload.endpoint = proxy.endpoint
    try:
        result = expect(unload.run("--partition", "day", *flags), 0)
    finally:
        unload.endpoint = None
        proxy.close()
    return len([line for line in proxy.requests if line.endswith(".Query")]), result


def test_verify_none(quick):
    """The manifests still are proven; the table is not asked, which saves a query, and that is said."""
    asked, _ = queries(quick)
    assert quick.record()["verified"] == "equal"
    quick.local.empty("unload-files", REGION)
    asked_less, result = queries(quick, "--verify", "none")
    assert asked_less < asked
    assert assert_whole(quick)["verified"] == "not asked"
    assert "--verify none" in result.stdout


def numbers_csv():
    """Negative, huge and absent values, of which plain sums would overflow or be nothing."""
    lines = ["time,measure_name,device,n:bigint,value:double,ok:boolean,note:varchar,seen:timestamp"]
    for p in range(12):
        for i in range(5):
            n = [2**63 - 1, -2**63, -7, 2**62 + p, p * i][i]
            seen = "" if i == 3 else str((FIRST + p) * DAY + 999999999 - i)
            note = ["", '"quoted ""text"""', "Zürich – 東京", "back\\slash", "plain"][(p + i) % 5]
            lines.append(f"{(FIRST + p) * DAY + i * 3600 * 10**9 + i},climate,d-{i},{n},"
                         f"{'' if p == 3 else -p * 1.25 + i / 3},{'true' if i % 3 else 'false'},{note},{seen}")
    return "\n".join(lines) + "\n"


def nanoseconds(text):
    seconds, fraction = text.split(".")
    return calendar.timegm(time.strptime(seconds, "%Y-%m-%d %H:%M:%S")) * 10**9 + int(fraction)


def facts_of(kind, values):
    """The aggregates of a column as README tells them, by Python's integers of any size."""
    facts = {"count": len(values)}
    if kind == "boolean":
        facts["true"] = sum(value == "true" for value in values)
    if kind == "boolean" or not values:  # of no values there is no least, greatest or sum
        return facts
    order = {"bigint": int, "double": float}.get(kind, str)
    facts["min"], facts["max"] = min(values, key=order), max(values, key=order)
    if kind == "varchar":
        facts["length"] = sum(map(len, values))
    elif kind == "bigint":  # cut towards zero, as SQL divides
        signs = [(1 if int(value) >= 0 else -1, abs(int(value))) for value in values]
        facts["quotient"] = sum(sign * (size // 2**32) for sign, size in signs)
        facts["remainder"] = sum(sign * (size % 2**32) for sign, size in signs)
    elif kind == "double":
        facts["sum"] = math.fsum(map(float, values))
    elif kind == "timestamp":
        facts["seconds"] = sum(nanoseconds(value) // 10**9 for value in values)
        facts["nanos"] = sum(nanoseconds(value) % 10**9 for value in values)
    return facts


def without_made(rows):
    """Less the column that ts-unload appends for a TIMESTAMP measure, which must say the same."""
    stripped = collections.Counter()
    for row, times in rows.items():
        row = dict(row)
        made = row.pop("seen_nanoseconds", None)
        assert made == (str(nanoseconds(row["seen"])) if "seen" in row else None), row
        stripped[frozenset(row.items())] += times
    return stripped


KINDS = {"time": "timestamp", "measure_name": "varchar", "device": "varchar", "n": "bigint", "value": "double",
         "ok": "boolean", "note": "varchar", "seen": "timestamp"}


def content(unload, record):
    """Of each partition its rows and facts, from the objects beside the record."""
    keys = [key for key in unload.keys("u/") if key.startswith(f"u/tsm-content-{record['run_id']}/")]
    found = {}
    for key in keys:
        for line in unload.read(key).decode().splitlines():
            part = json.loads(line)
            rows, facts = found.setdefault(part["partition"], (part["rows"], {}))
            assert rows == part["rows"]
            for column, aggregate, value in part["facts"]:
                assert facts.setdefault((column, aggregate), value) == value
    return sorted(keys), found


@pytest.mark.parametrize("flags", [["--partition", "day", "--max_partitions", "5"], []], ids=["by-day", "no-partition"])
def test_verify_content(start_local, flags):
    """Each partition's facts are what Python makes of the table's rows, no more and no fewer."""
    unload = Unload(start_local("--unload_rate", "0"), numbers_csv())
    expect(unload.run(*flags, "--verify", "content"), 0)
    record = unload.record()
    assert_one_manifest_per_slice(record)
    assert_equal_tables(unload.table_rows(), without_made(unload.unloaded_rows(record)))
    keys, found = content(unload, record)
    assert [key.rpartition("/")[2] for key in keys] == [f"{slice['id']}.jsonl" for slice in record["slices"]]
    assert strays(unload) == keys

    partitions = collections.defaultdict(list)
    for row, times in unload.table_rows().items():
        partitions[dict(row)["time"][:10]] += [dict(row)] * times
    assert sorted(found) == sorted(partitions) and len(partitions) == 12
    for day, rows in partitions.items():
        count, facts = found[day]
        assert count == len(rows) == 5
        wanted = {(column, name): value for column, kind in KINDS.items()
                  for name, value in facts_of(kind, [row[column] for row in rows if column in row]).items()}
        assert set(facts) == set(wanted), (day, set(facts) ^ set(wanted))
        for (column, name), value in wanted.items():
            if KINDS[column] == "double" and name != "count":
                close = math.isclose(float(facts[column, name]), float(value), rel_tol=1e-12, abs_tol=1e-12)
                assert close, (day, column, name)
            else:
                assert facts[column, name] == str(value), (day, column, name)
