"""Tables of more partitions than one UNLOAD may write: one command, the least number of UNLOADs, every row there."""

import pytest
from e2e_harness import expect
from e2e_unload import (COUNT_UNLOADS, DAY, Unload, assert_clean, assert_whole, attempts, bulk_csv, days, hours,
                        rule_calls)

FIRST = 19000  # 2022-01-08


@pytest.fixture
def counting(start_local):
    return start_local("--fail", COUNT_UNLOADS, "--unload_rate", "0")


def assert_unloads(unload, result, slices, rows=None):
    """So many UNLOADs and no more, by the service's own count; all rows, and nothing beside them."""
    expect(result, 0)
    record = assert_whole(unload, rows=rows)
    assert len(record["slices"]) == slices
    assert rule_calls(unload.local) == slices
    assert_clean(unload)
    return record


@pytest.mark.slow
def test_three_years_by_day(counting):
    """1,096 days, 100 partitions each at most: 11."""
    unload = Unload(counting, bulk_csv(days(FIRST, 1096)))
    assert unload.written == 3 * 1096
    record = assert_unloads(unload, unload.run("--partition", "day"), 11)
    assert record["rows"] == 3 * 1096


@pytest.mark.slow
def test_thirty_days_by_hour(counting):
    """720 hours: 8."""
    unload = Unload(counting, bulk_csv(hours(FIRST, 720), per_partition=4))
    record = assert_unloads(unload, unload.run("--partition", "hour"), 8)
    assert record["rows"] == 4 * 720


def test_survey_of_a_sparse_table(counting):
    """Rows on 150 days of 20 years: 2 with a survey, where the calendar alone would take 74."""
    unload = Unload(counting, bulk_csv([(FIRST - 6000 + 49 * i) * DAY for i in range(150)]))
    assert_unloads(unload, unload.run("--partition", "day", "--survey"), 2)


@pytest.mark.slow
def test_survey_and_target_size(counting):
    """Slices end where the survey says that the files would grow over the target."""
    heavy = bulk_csv(days(FIRST, 2), per_partition=60_000)
    unload = Unload(counting, heavy)
    assert_unloads(unload, unload.run("--partition", "day", "--survey", "--target_size", "16MB"), 2)


@pytest.mark.parametrize("limit, slices", [("7", 5), ("30", 1), ("1", 30)])
def test_max_partitions(counting, limit, slices):
    unload = Unload(counting, bulk_csv(days(FIRST, 30)))
    assert_unloads(unload, unload.run("--partition", "day", "--max_partitions", limit), slices)


def test_a_range_that_cuts_partitions(counting):
    """--from_time and --end_time fall into days: the rows of the range, no other, on both sides to the nanosecond."""
    unload = Unload(counting, bulk_csv(days(FIRST, 10), per_partition=6))
    bounds = ("2022-01-09 04:00:00.000000002", "2022-01-15 23:59:59.999999999")
    result = unload.run("--partition", "day", "--max_partitions", "3", "--from_time", bounds[0], "--end_time", bounds[1])
    rows = unload.table_rows(f"WHERE time >= '{bounds[0]}' AND time < '{bounds[1]}'")
    assert 0 < sum(rows.values()) < 60
    assert_unloads(unload, result, 3, rows=rows)


def test_recent_first(counting):
    """The latest slice is started first, the oldest last; --parallel 1 makes the order visible."""
    unload = Unload(counting, bulk_csv(days(FIRST, 50)))
    for prefix, flags in (("old", []), ("new", ["--recent_first"])):
        expect(unload.run("--partition", "day", "--max_partitions", "10", "--parallel", "1", *flags, prefix=prefix), 0)
        assert_whole(unload, prefix=prefix)
        units = unload.status("last")["units"]
        begun = [unit["label"] for unit in sorted(units, key=lambda unit: unit["attempts"][0]["begin"])]
        ids = [f"{i:04}" for i in range(1, 6)]
        assert begun == (ids[::-1] if flags else ids)


def test_a_second_run_into_the_same_place(counting):
    """A finished run's files are vouched for by its record: the next run goes beside them and leaves them alone."""
    unload = Unload(counting, bulk_csv(days(FIRST, 20)))
    expect(unload.run("--partition", "day", "--max_partitions", "10"), 0)
    first, record = unload.objects("u/"), unload.record()
    expect(unload.run("--partition", "day", "--max_partitions", "10"), 0)
    after = unload.objects("u/")
    assert {key: after.get(key) for key in first} == first
    second = [other for other in unload.records() if other["run_id"] != record["run_id"]]
    assert len(second) == 1
    assert unload.unloaded_rows(second[0]) == unload.unloaded_rows(record) == unload.table_rows()
    assert not unload.named(second) & unload.named([record])
    assert_clean(unload)


def test_a_second_run_where_no_record_vouches(counting):
    """Data files of nobody's: refused with exit 2, the keys named and nothing written; --append goes beside them."""
    unload = Unload(counting, bulk_csv(days(FIRST, 4)))
    expect(unload.run("--partition", "day"), 0)
    (record_key,) = [key for key in unload.keys() if key.startswith("u/tsm-run-")]
    counting.client("s3", "us-east-1").delete_object(Bucket="unload-files", Key=record_key)
    before = unload.objects()
    refused = expect(unload.run("--partition", "day"), 2)
    data = [key for key in before if key.endswith(".csv")]
    assert any(key in refused.stderr for key in data), refused.stderr
    assert "--append" in refused.stderr
    assert unload.objects() == before
    assert len(unload.runs()) == 1, "the refused run left something to resume"
    expect(unload.run("--partition", "day", "--append"), 0)
    assert_whole(unload)
    after = unload.objects()
    assert {key: after.get(key) for key in before} == before


def test_one_slice_has_the_original_layout(counting):
    """One UNLOAD into an empty place lies as UNLOAD alone would put it; the second one below results/<attempt>/."""
    unload = Unload(counting, bulk_csv(days(FIRST, 3)))
    expect(unload.run("--partition", "day"), 0)
    assert unload.record()["slices"][0]["to"] == "s3://unload-files/u"
    assert attempts(unload, "last") == {"0001": ["done"]}
