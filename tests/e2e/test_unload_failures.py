"""Failures of the services in the middle of an unload: the result is complete and free of duplicates all the same.

Each test begins beside the files of an earlier run, which must stay as they were.
"""

import json
import re
import time

import pytest
from e2e_harness import PACE, expect
from e2e_unload import (BUCKET, COUNT_UNLOADS, REGION, Earlier, Unload, attempts, bulk_csv, days, rule_calls, set_rules)

FIRST, DAYS, PER_DAY = 19000, 40, 3
BY_DAY = ("--partition", "day")


@pytest.fixture
def begin(start_local):
    """begin(ts-local's flags...): a table of 120 rows on 40 days and an earlier run's files; returns both."""
    def begin(*flags):
        unload = Unload(start_local(*flags), bulk_csv(days(FIRST, DAYS), PER_DAY))
        earlier = Earlier(unload)
        set_rules(unload.local, COUNT_UNLOADS)
        return unload, earlier
    return begin


def test_memory_above_some_partitions(begin):
    """More than 12 partitions exceed the memory: 40 are halved to 20 and to 10. Each half runs once."""
    unload, earlier = begin("--memory_partitions", "12")
    record = earlier.assert_good(unload.run(*BY_DAY))
    assert [slice["id"] for slice in record["slices"]] == ["0001aa", "0001ab", "0001ba", "0001bb"]
    assert rule_calls(unload.local) == 7


def test_timeout_above_some_rows(begin):
    """More than 40 rows take over 60 minutes: 120 are halved to 60 and to 30."""
    unload, earlier = begin("--unload_seconds_per_million_rows", 3600 / 40.5 * 1e6, "--time_scale", "20000")
    record = earlier.assert_good(unload.run(*BY_DAY))
    assert sorted(slice["rows"] for slice in record["slices"]) == [30, 30, 30, 30]


def test_one_partition_that_is_too_large(begin):
    """A day whose rows alone take too long is cut within the day; both halves write the same folder."""
    unload, earlier = begin("--unload_seconds_per_million_rows", 3600 / 2.5 * 1e6, "--time_scale", "100000")
    record = earlier.assert_good(unload.run(*BY_DAY))
    assert max(slice["rows"] for slice in record["slices"]) <= 2


def test_throttled_starts(begin):
    """Started faster than the service allows: it slows down, and no start is lost or doubled."""
    unload, earlier = begin("--unload_rate", "1", "--time_scale", "10")
    result = unload.run(*BY_DAY, "--max_partitions", "4", "--start_interval", "0.001", "--parallel", "8")
    record = earlier.assert_good(result)
    assert len(record["slices"]) == rule_calls(unload.local) == 10


@pytest.mark.parametrize("rules", [
    ["Query:35%/7:ThrottlingException"],
    ["Query:35%/8:reset"],
    ["Query:35%/9:reset+after"],
    ["Query:20%/10:InternalServerException", "Query:20%/11:InternalServerException+after"],
    ["PutObject:1-2:SlowDown", "ListObjectsV2:30%/12:SlowDown", "GetObject:30%/13:InternalError"],
], ids=["throttled pages", "resets", "resets after the effect", "internal errors", "slow S3"])
def test_passing_failures_of_calls(begin, rules):
    """No UNLOAD is made twice: each slice is one, whichever calls had to be repeated."""
    unload, earlier = begin("--unload_rate", "0", "--unload_seconds", "1")
    set_rules(unload.local, COUNT_UNLOADS, *rules)
    record = earlier.assert_good(unload.run(*BY_DAY, "--max_partitions", "10"))
    assert len(record["slices"]) == rule_calls(unload.local) == 4


@pytest.mark.parametrize("partitions, rules, split", [
    (20, ["UnloadWrite:3-5:SlowDown"], False),
    (20, ["Unload:1:QueryExecutionException"], False),
    (40, ["Unload:1-2:QueryExecutionException"], True),
    (5, ["Unload:35%/4:QueryExecutionException"], None),
    (20, ["Unload:1-3:QueryExecutionException", "UnloadWrite:20-22:SlowDown", "Query:20%/5:reset+after",
          "DeleteObjects:1:SlowDown"], None),
], ids=["S3 slows down", "once", "twice", "often", "all at once"])
def test_queries_that_fail(begin, partitions, rules, split):
    """Failed queries leave files, some whole, and an unfinished multipart upload: all of it goes."""
    unload, earlier = begin("--unload_rate", "0")
    set_rules(unload.local, *rules)
    record = earlier.assert_good(unload.run(*BY_DAY, "--max_partitions", str(partitions), "--parallel", "1"))
    outcomes = attempts(unload, record["run_id"])
    assert any("failed" in each for each in outcomes.values()), outcomes
    if split is not None:
        assert any(slice["id"].endswith("a") for slice in record["slices"]) == split


@pytest.mark.slow
def test_a_query_of_which_the_service_can_tell_nothing(begin):
    """Each page of it is an internal error, whenever asked: after half a minute another UNLOAD takes its place."""
    unload, earlier = begin("--unload_rate", "0")
    set_rules(unload.local, "Unload:1:InternalServerException")
    record = earlier.assert_good(unload.run(*BY_DAY))
    assert attempts(unload, record["run_id"]) == {"0001": ["replaced", "done"]}


def test_keep_partial(begin):
    """--keep_partial leaves the files of the failed query and says where."""
    unload, earlier = begin("--unload_rate", "0")
    set_rules(unload.local, "Unload:1:QueryExecutionException")
    result = expect(unload.run(*BY_DAY, "--keep_partial"), 0)
    loose = [key for key in unload.keys("u/") if key not in earlier.objects and key not in
             unload.named(unload.records()) and "tsm-run-" not in key]
    assert loose and unload.uploads()
    folder = loose[0].partition("/results/")[2].partition("/")[0]
    assert folder in result.stdout, result.stdout
    earlier.assert_untouched()


def running_queries(unload, run="last"):
    units = unload.status(run)["units"]
    return [found.group() for unit in units for attempt in unit["attempts"] if attempt["outcome"] == "running"
            for found in re.finditer(r"AEDACA\w+", attempt["note"])]


def test_cancelled_by_somebody_else(begin):
    unload, earlier = begin("--unload_rate", "0", "--unload_seconds", 2 * PACE)
    process = unload.popen(*BY_DAY)
    deadline = time.monotonic() + 30
    while not (unload.runs()[1:] and running_queries(unload)):
        assert process.poll() is None and time.monotonic() < deadline
    (query,) = running_queries(unload)
    unload.local.client("timestream-query", REGION).cancel_query(QueryId=query)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    record = unload.records()[-1]
    assert query not in [slice["query_id"] for slice in record["slices"]]
    process.stdout, process.stderr = "", err
    earlier.assert_good(process)


def test_access_denied_to_query(begin):
    unload, earlier = begin("--unload_rate", "0")
    set_rules(unload.local, "Query:1-:AccessDeniedException")
    refused = expect(unload.run(*BY_DAY), 3)
    assert "AccessDenied" in refused.stderr
    assert len(unload.runs()) == 1, "nothing was begun, so nothing is to be resumed"
    earlier.assert_untouched()


@pytest.mark.parametrize("place", ["Unload", "Query"])
def test_access_denied_in_the_middle(begin, place):
    """It ends at once and says what is denied; once that is mended resume goes on, with nothing left behind."""
    unload, earlier = begin("--unload_rate", "0")
    # DESCRIBE, SHOW MEASURES, the range; then UNLOAD's first page, and a later one.
    set_rules(unload.local, "Unload:2-:AccessDeniedException" if place == "Unload" else "Query:6-:AccessDeniedException",
              COUNT_UNLOADS)
    refused = expect(unload.run(*BY_DAY, "--max_partitions", "10", "--parallel", "2"), 3)
    assert "AccessDenied" in refused.stderr
    assert rule_calls(unload.local) <= 3
    set_rules(unload.local)
    earlier.assert_good(unload.resume("last"))


def test_writes_to_s3_denied(begin):
    """A bucket policy that denies UNLOAD to write: exit 3, the permission named; resume once it is gone."""
    unload, earlier = begin("--unload_rate", "0")
    s3 = unload.local.client("s3", REGION)
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
         "Resource": f"arn:aws:s3:::{BUCKET}/u/results/*"}]}))
    refused = expect(unload.run(*BY_DAY), 3)
    assert "s3:PutObject" in refused.stderr or "AccessDenied" in refused.stderr, refused.stderr
    s3.delete_bucket_policy(Bucket=BUCKET)
    earlier.assert_good(unload.resume("last"))


@pytest.mark.parametrize("flags", [[], ["--from_time", "2022-01-08", "--end_time", "2022-02-01"]],
                         ids=["in the question for the range", "in UNLOAD"])
def test_a_statement_the_service_refuses(begin, flags):
    """Validation: exit 5, the service's words and the flag they are about; nothing is left to resume."""
    unload, earlier = begin("--unload_rate", "0")
    refused = expect(unload.run(*BY_DAY, *flags, "--where", "no_such_column = 1"), 5)
    assert "'no_such_column' does not exist" in refused.stderr and "--where" in refused.stderr, refused.stderr
    assert len(unload.runs()) == (2 if flags else 1)
    earlier.assert_untouched()
