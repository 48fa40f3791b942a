"""Real data the whole way: source table, unload, copy, batch load, and both tables compared row for row."""

import calendar
import collections
import csv
import json
import re
import time

import pytest
from e2e_harness import SAMPLES, SHARED, Small, assert_equal_tables, dimensions, expect, measures

REGION = "us-east-1"
FAST = ["--poll_interval", "0.2", "--create_interval", "0.05"]


def shared_folder(name):
    folder = SHARED / "data" / name
    if not folder.is_dir():
        pytest.skip(f"NO REAL DATA HERE: {name} lies beside the checkout in ../shared/data where present; "
                    "the small table of this file goes the same way")
    return folder


def cloudwatch_records():
    records = []
    for path in sorted(shared_folder("nab").glob("*.csv")):
        resource = path.stem
        metric = resource.rsplit("_", 1)[0]
        common = {"Dimensions": dimensions(resource=resource, metric=metric), "MeasureName": "value",
                  "MeasureValueType": "DOUBLE", "TimeUnit": "SECONDS"}
        with open(path, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                seconds = calendar.timegm(time.strptime(row["timestamp"], "%Y-%m-%d %H:%M:%S"))
                records.append({**common, "Time": str(seconds), "MeasureValue": row["value"]})
    return records


def clickstream_records():
    records = []
    with open(shared_folder("clickstream") / "sample_unload.csv", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            names = ("channel", "ip_address", "session_id", "user_id", "user_group")
            values = measures(query=row["query"] or None, product_id=row["product_id"] or None,
                              product=row["product"] or None, quantity=int(row["quantity"]) if row["quantity"] else None)
            records.append({"Dimensions": dimensions(**{name: row[name] for name in names}), "MeasureName": row["event"],
                            "MeasureValueType": "MULTI", "MeasureValues": values, "Time": row["current_time"],
                            "TimeUnit": "MILLISECONDS"})
    return records


def load_flags(table, key, model, bucket, *more):
    return ["--region", REGION, "--database", "dst", "--table", table, "--create_timestream_resource",
            "--partition_key", key, "--copy_s3_bucket", "--s3_source_bucket_location", bucket,
            "--source_s3_prefix", "unload/results/", "--create_destination_bucket", "--create_error_logging_bucket",
            "--data_model_file", SAMPLES / model, *FAST, *more]


@pytest.fixture
def cloudwatch(local):
    records = cloudwatch_records()
    assert len(records) == 67_740
    local.make_table(REGION, "cloudwatch", "metrics")
    rejected = local.write(REGION, "cloudwatch", "metrics", records)
    assert len(rejected) <= 22
    assert local.count(REGION, "cloudwatch", "metrics") == 67_718
    local.make_bucket("cloudwatch-unload", REGION)
    expect(local.run("ts-unload", "-r", REGION, "-d", "cloudwatch", "-t", "metrics",
                     "-s", "s3://cloudwatch-unload/unload", "-p", "day"), 0)
    return local


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_cloudwatch_arrives_equal(cloudwatch):
    result = expect(cloudwatch.run("ts-batchload", *load_flags(
        "metrics", "resource", "single_measure_mixed.json", "cloudwatch-unload",
        "--magnetic_store_retention_in_days", 7300), timeout=1200), 0)
    target = cloudwatch.rows(REGION, "dst", "metrics")
    assert sum(target.values()) == 67_718
    assert_equal_tables(cloudwatch.rows(REGION, "cloudwatch", "metrics"), target)
    assert "67718" in re.sub(r"[,'_]", "", result.stdout)
    assert len(cloudwatch.tasks(REGION)) == 78


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_cloudwatch_outside_retention_fails_with_its_report(cloudwatch):
    """With the default 3,655 days rows of 2013 and 2014 would be refused: that stops the plan, with the number to give. Without the
    record nothing tells how old they are, and the canary alone ends FAILED."""
    flags = load_flags("metrics", "resource", "single_measure_mixed.json", "cloudwatch-unload")
    result = expect(cloudwatch.run("ts-batchload", *flags, timeout=1200), 2)
    assert "--magnetic_store_retention_in_days" in result.stderr and "2013-10-09" in result.stderr
    for key in cloudwatch.keys("cloudwatch-unload", REGION, "unload/tsm-run-"):
        cloudwatch.client("s3", REGION).delete_object(Bucket="cloudwatch-unload", Key=key)
    result = expect(cloudwatch.run("ts-batchload", *flags, timeout=1200), 1)
    shown = result.stdout + result.stderr
    assert "outside the time range" in shown  # the report's own words
    assert "completed with errors" in shown
    assert len(cloudwatch.tasks(REGION)) == 1
    # Without it, each task's report is fetched and each failure listed.
    result = expect(cloudwatch.run("ts-batchload", *flags, "--canary", "off", timeout=1200), 1)
    assert sum(line.startswith("failed") for line in result.stdout.splitlines()) == 78
    assert "partition_date=2014-02-14" in result.stdout and "outside the time range" in result.stdout + result.stderr
    assert len(cloudwatch.tasks(REGION)) == 1 + 78
    assert cloudwatch.count(REGION, "dst", "metrics") == 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_clickstream_arrives_equal(local):
    records = clickstream_records()
    assert len(records) == 13_009
    local.make_table(REGION, "shop", "clicks")
    assert not local.write(REGION, "shop", "clicks", records)
    assert local.count(REGION, "shop", "clicks") == 13_009
    local.make_bucket("clicks-unload", REGION)
    expect(local.run("ts-unload", "-r", REGION, "-d", "shop", "-t", "clicks", "-s", "s3://clicks-unload/unload",
                     "-p", "day"), 0)
    expect(local.run("ts-batchload", *load_flags("clicks", "channel", "clickstream.json", "clicks-unload")), 0)
    target = local.rows(REGION, "dst", "clicks")
    assert sum(target.values()) == 13_009
    assert_equal_tables(local.rows(REGION, "shop", "clicks"), target)


@pytest.mark.parametrize("partition", ["hour", "day", "month", "year", None])
def test_small_table_arrives_equal(small, partition):
    """Every awkward text, nulls and a dimension that only some rows have, by each partition unit and by none."""
    flags = [flag for flag in small.unload_flags() if flag not in ("--partition", "day")]
    expect(small.local.run("ts-unload", *flags, *(["--partition", partition] if partition else [])), 0)
    expect(small.load(), 0)
    assert_equal_tables(small.source, small.loaded())


def test_a_range_of_a_table(small):
    """from_time is included, end_time is not."""
    times = sorted(row["time"] for row in small.local.query("us-east-1", 'SELECT time FROM "source"."readings"'))
    start, end = times[10], times[-10]
    expect(small.unload("--from_time", start, "--end_time", end), 0)
    expect(small.load(), 0)
    wanted = {row: n for row, n in small.source.items() if start <= dict(row)["time"] < end}
    assert 0 < len(wanted) < len(small.source)
    assert dict(small.loaded()) == wanted


def test_the_record_tells_the_run(small):
    """Beside the data lies the run's record; its figures are the table's and the objects'."""
    expect(small.unload(), 0)
    keys = small.local.keys(small.bucket, Small.region)
    (record_key,) = [key for key in keys if key.startswith("u/tsm-run-")]
    s3 = small.local.client("s3", Small.region)
    record = json.loads(s3.get_object(Bucket=small.bucket, Key=record_key)["Body"].read())
    files = [key for key in keys if key.endswith(".csv")]
    size = sum(s3.head_object(Bucket=small.bucket, Key=key)["ContentLength"] for key in files)
    manifest = [key for key in keys if key.endswith("_manifest.json")]
    assert (record["version"], record["kind"], record["state"]) == (2, "table", "done")
    assert (record["region"], record["database"], record["table"]) == (Small.region, "source", "readings")
    assert (record["rows"], record["files"], record["bytes"]) == (sum(small.source.values()), len(files), size)
    assert (record["verify"], record["verified"]) == ("count", "equal")
    (slice_,) = record["slices"]
    assert [slice_["manifest_uri"]] == [f"s3://{small.bucket}/{key}" for key in manifest]
    assert all(key.split("/")[-1].startswith(slice_["query_id"] + "_") for key in files + manifest)
    assert (slice_["rows"], slice_["files"], slice_["bytes"]) == (record["rows"], record["files"], size)
    times = sorted(dict(row)["time"] for row in small.source)
    assert (record["from"], slice_["from"]) == (times[0], times[0])
    assert times[-1] < record["end"] == slice_["end"] < times[-1][:-3] + "999"
    filled = collections.Counter(name for row in small.source for name in dict(row))
    assert record["non_null"] == {name: n for name, n in filled.items() if name != "time"}
    assert {column["name"] for column in record["schema"]} == set(filled)
    assert [(measure["name"], measure["data_type"]) for measure in record["measures"]] == [("climate", "multi")]
