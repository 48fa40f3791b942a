"""boto3 as an outside client of ts-local's batch load; Python's csv module writes the source files."""

import csv
import io
import json
import signal
import time

import pytest
from botocore.exceptions import ClientError

REGION = "eu-west-1"
MODEL = {
    "TimeColumn": "nanoseconds",
    "TimeUnit": "NANOSECONDS",
    "MeasureNameColumn": "measure_name",
    "DimensionMappings": [{"SourceColumn": "city"}],
    "MultiMeasureMappings": {
        "MultiMeasureAttributeMappings": [
            {"SourceColumn": "temperature", "MeasureValueType": "DOUBLE"},
            {"SourceColumn": "note", "MeasureValueType": "VARCHAR"},
        ]
    },
}
HEADER = ["city", "measure_name", "temperature", "note", "nanoseconds"]
NOTES = ["plain", "a, b", 'say "hi"', "back\\slash", "two\nlines", "Grüße", '\\"', ""]


class Place:
    """A database, a table and two buckets in one ts-local."""

    def __init__(self, process):
        self.write = process.client("timestream-write", region=REGION)
        self.query = process.client("timestream-query", region=REGION)
        self.s3 = process.client("s3", region=REGION)

    def create(self):
        for bucket in ("source", "reports"):
            self.s3.create_bucket(
                Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
            )
        self.write.create_database(DatabaseName="loads")
        self.create_table("t")
        return self

    def create_table(self, name):
        self.write.create_table(
            DatabaseName="loads",
            TableName=name,
            RetentionProperties={
                "MemoryStoreRetentionPeriodInHours": 24,
                "MagneticStoreRetentionPeriodInDays": 30,
            },
            MagneticStoreWriteProperties={"EnableMagneticStoreWrites": True},
        )

    def put(self, key, rows, header=HEADER):
        text = io.StringIO()
        writer = csv.writer(
            text, quoting=csv.QUOTE_MINIMAL, doublequote=False, escapechar="\\", lineterminator="\n"
        )
        writer.writerow(header)
        writer.writerows(rows)
        self.s3.put_object(Bucket="source", Key=key, Body=text.getvalue().encode())

    def start(self, prefix, model=MODEL, table="t", **more):
        return self.write.create_batch_load_task(
            DataModelConfiguration={"DataModel": model},
            DataSourceConfiguration={
                "DataSourceS3Configuration": {"BucketName": "source", "ObjectKeyPrefix": prefix},
                "CsvConfiguration": {"QuoteChar": '"', "EscapeChar": "\\"},
                "DataFormat": "CSV",
            },
            ReportConfiguration={
                "ReportS3Configuration": {"BucketName": "reports", "ObjectKeyPrefix": "r"}
            },
            TargetDatabaseName="loads",
            TargetTableName=table,
            **more,
        )["TaskId"]

    def describe(self, task):
        return self.write.describe_batch_load_task(TaskId=task)["BatchLoadTaskDescription"]

    def finish(self, task):
        deadline = time.monotonic() + 120
        while True:
            description = self.describe(task)
            if description["TaskStatus"] not in ("CREATED", "IN_PROGRESS", "PENDING_RESUME"):
                return description
            assert time.monotonic() < deadline, description
            time.sleep(0.02)

    def load(self, table, model, header, rows):
        """Creates the table and loads the rows: the task's description, and the reasons of its report."""
        self.create_table(table)
        self.put(f"{table}/a.csv", rows, header)
        task = self.finish(self.start(f"{table}/", model, table))
        listed = self.s3.list_objects_v2(Bucket="reports", Prefix="r/").get("Contents", [])
        reasons = {}
        for key in (entry["Key"] for entry in listed if task["TaskId"] in entry["Key"]):
            report = json.loads(self.s3.get_object(Bucket="reports", Key=key)["Body"].read())
            for errors in report["fileErrors"]:
                for error in errors["errors"]:
                    reasons[error["reason"]] = error["lineRanges"]
        return task, reasons

    def rows(self, sql):
        pages = self.query.get_paginator("query").paginate(QueryString=sql)
        return [
            [cell.get("ScalarValue") for cell in row["Data"]] for page in pages for row in page["Rows"]
        ]


@pytest.fixture(scope="module")
def place(ts_local):
    return Place(ts_local).create()


def test_values_arrive_as_they_were_written(place):
    now = time.time_ns()
    rows = [["Zürich", "climate", repr(i * 0.1), note, now - i] for i, note in enumerate(NOTES)]
    place.put("partition_date=2024-02-26/a.csv", rows)
    task = place.finish(place.start("partition_date=2024-02-26/"))
    assert task["TaskStatus"] == "SUCCEEDED", task
    report = task["ProgressReport"]
    assert report["RecordsProcessed"] == report["RecordsIngested"] == len(rows)
    found = place.rows('SELECT temperature, note FROM "loads"."t" ORDER BY time DESC')
    assert [float(t) for t, _ in found] == [i * 0.1 for i in range(len(NOTES))]
    assert [note for _, note in found] == [note or None for note in NOTES]


def test_errors_are_reported(place):
    now = time.time_ns()
    old = now - 31 * 86400 * 10**9
    place.put("bad/a.csv", [["b", "m", "1", "", now], ["b", "m", "1", "", old], ["b", "m", "x", "", now]])
    task = place.finish(place.start("bad/"))
    assert task["TaskStatus"] == "FAILED"
    assert task["ProgressReport"]["RecordsIngested"] == 1
    listed = place.s3.list_objects_v2(Bucket="reports", Prefix="r/")["Contents"]
    keys = [entry["Key"] for entry in listed if task["TaskId"] in entry["Key"]]
    assert len(keys) == 1
    report = json.loads(place.s3.get_object(Bucket="reports", Key=keys[0])["Body"].read())
    errors = {e["reason"]: e["lineRanges"] for e in report["fileErrors"][0]["errors"]}
    window = "The record timestamp is outside the time range of the data ingestion window."
    assert errors[window] == [[3, 3]]
    assert len(errors) == 2


def mixed_model(*mappings):
    return {
        "TimeColumn": "nanoseconds",
        "TimeUnit": "NANOSECONDS",
        "MeasureNameColumn": "measure_name",
        "DimensionMappings": [{"SourceColumn": "city"}],
        "MixedMeasureMappings": list(mappings),
    }


def one(name, kind, **more):
    return {"MeasureName": name, "SourceColumn": f"measure_value::{kind.lower()}", "MeasureValueType": kind, **more}


def test_single_measures_of_several_types(place):
    """A table of single-measure records as UNLOAD writes it: a mapping per measure name, each with its type."""
    now = time.time_ns()
    kinds = ("BIGINT", "DOUBLE", "VARCHAR", "BOOLEAN")
    header = ["city", "measure_name", *(f"measure_value::{kind.lower()}" for kind in kinds), "nanoseconds"]
    rows = [
        ["b", "n", 2**63 - 1, "", "", "", now],
        ["b", "n", -(2**63), "", "", "", now - 1],
        ["b", "n", 0, "", "", "", now - 2],
        ["b", "x", "", "1.7976931348623157E308", "", "", now],
        ["b", "x", "", "-4.9E-324", "", "", now - 1],
        ["b", "s", "", "", "true", "", now],
        ["b", "up", "", "", "", "true", now],
        ["b", "up", "", "", "", "FALSE", now - 1],
        ["b", "old name", "", "2.5", "", "", now],
    ]
    model = mixed_model(one("n", "BIGINT"), one("x", "DOUBLE"), one("s", "VARCHAR"), one("up", "BOOLEAN"),
                        one("old name", "DOUBLE", TargetMeasureName="new name"))
    task, reasons = place.load("single", model, header, rows)
    assert task["TaskStatus"] == "SUCCEEDED", reasons
    assert task["ProgressReport"]["RecordsIngested"] == len(rows)
    table = '"loads"."single"'
    found = place.rows(f'SELECT "measure_value::bigint" FROM {table} WHERE measure_name = \'n\' ORDER BY time')
    assert [int(value) for (value,) in found] == [0, -(2**63), 2**63 - 1]
    found = place.rows(f'SELECT "measure_value::double" FROM {table} WHERE measure_name = \'x\' ORDER BY time')
    assert [float(value) for (value,) in found] == [-5e-324, 1.7976931348623157e308]
    found = place.rows(f'SELECT "measure_value::boolean" FROM {table} WHERE measure_name = \'up\' ORDER BY time')
    assert found == [["false"], ["true"]]
    assert place.rows(f'SELECT "measure_value::varchar" FROM {table} WHERE measure_name = \'s\'') == [["true"]]
    shown = {name: kind for name, kind, _ in place.rows(f"SHOW MEASURES FROM {table}")}
    assert shown == {"n": "bigint", "x": "double", "s": "varchar", "up": "boolean", "new name": "double"}


def test_single_measures_that_are_no_value_of_their_type(place):
    now = time.time_ns()
    header = ["city", "measure_name", "measure_value::bigint", "measure_value::boolean", "measure_value::double",
              "nanoseconds"]
    rows = [
        ["b", "n", 2**63, "", "", now],
        ["b", "n", "1.0", "", "", now],
        ["b", "n", "", "", "", now],  # no value at all
        ["b", "up", "", "yes", "", now],
        ["b", "up", "", "1", "", now],
        ["b", "x", "", "", "NaN", now],
        ["b", "unmapped", 1, "", "", now],
        ["b", "n", 7, "", "", now],
    ]
    model = mixed_model(one("n", "BIGINT"), one("up", "BOOLEAN"), one("x", "DOUBLE"))
    task, reasons = place.load("no_values", model, header, rows)
    assert task["TaskStatus"] == "FAILED"
    assert task["ProgressReport"]["RecordsIngested"] == 1
    assert sorted(first for ranges in reasons.values() for first, _ in ranges) == [2, 4, 5, 7, 8], reasons
    assert [2, 3] in reasons["The value of the column measure_value::bigint is not a BIGINT."], reasons


def test_multi_and_single_measures_in_one_file(place):
    """Multi-measure names that share columns: each maps all of them, and the empty ones are skipped."""
    now = time.time_ns()
    header = ["city", "measure_name", "measure_value::double", "rx", "free", "seen_ns", "nanoseconds"]
    attributes = [{"SourceColumn": "rx", "MeasureValueType": "BIGINT"},
                  {"SourceColumn": "free", "MeasureValueType": "BOOLEAN"},
                  {"SourceColumn": "seen_ns", "TargetMultiMeasureAttributeName": "seen",
                   "MeasureValueType": "TIMESTAMP"}]
    both = {"MeasureValueType": "MULTI", "MultiMeasureAttributeMappings": attributes}
    model = mixed_model(one("cpu", "DOUBLE"), {"MeasureName": "net", **both}, {"MeasureName": "disk", **both})
    rows = [["b", "cpu", "0.5", "", "", "", now], ["b", "net", "", "9", "", now - 5, now],
            ["b", "disk", "", "", "true", "", now]]
    task, reasons = place.load("mixed", model, header, rows)
    assert task["TaskStatus"] == "SUCCEEDED", reasons
    found = place.rows('SELECT measure_name, "measure_value::double", rx, free, to_nanoseconds(seen) '
                       'FROM "loads"."mixed" ORDER BY measure_name')
    assert found == [["cpu", "0.5", None, None, None], ["disk", None, None, "true", None],
                     ["net", None, "9", None, str(now - 5)]]


@pytest.mark.parametrize("unit, scale", [("NANOSECONDS", 1), ("MILLISECONDS", 10**6), ("SECONDS", 10**9)])
def test_a_timestamp_measure_is_an_epoch_in_the_models_unit(place, unit, scale):
    now = time.time_ns() // 10**9 * 10**9
    model = {**MODEL, "TimeUnit": unit, "MultiMeasureMappings": {"MultiMeasureAttributeMappings": [
        {"SourceColumn": "seen", "MeasureValueType": "TIMESTAMP"}]}}
    rows = [["b", "m", 0, now // scale], ["b", "m", now // scale, now // scale - 1],
            ["b", "m", "2024-02-26 10:00:00.000000000", now // scale], ["b", "m", -1, now // scale]]
    table = "seen_" + unit.lower()
    task, reasons = place.load(table, model, ["city", "measure_name", "seen", "nanoseconds"], rows)
    assert task["ProgressReport"]["RecordsIngested"] == 2
    assert reasons == {"The value of the column seen is not a TIMESTAMP.": [[4, 5]]}
    found = place.rows(f'SELECT to_nanoseconds(seen) FROM "loads"."{table}" ORDER BY time')
    assert found == [[str(now)], ["0"]]


@pytest.mark.parametrize("mappings", [
    [one("n", "TIMESTAMP")],  # only multi-measure records take the type: supported-data-types
    [one("n", "BIGINT"), one("n", "DOUBLE")],  # a measure has one type in a table of ts-local
    [{"SourceColumn": "c", "MeasureValueType": "DOUBLE"}],  # whose rows?
    [{"MeasureName": "n", "MeasureValueType": "MULTI"}],
])
def test_mixed_mappings_that_are_refused(place, mappings):
    with pytest.raises(ClientError) as caught:
        place.start("nothing/", mixed_model(*mappings))
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_listing_and_refusals(place):
    started = [place.start("nothing/") for _ in range(2)]  # no such file: each ends FAILED
    for task in started:
        place.finish(task)
    tasks = place.write.list_batch_load_tasks()["BatchLoadTasks"]
    created = [task["CreationTime"] for task in tasks]
    assert created == sorted(created, reverse=True)
    assert [task["TaskId"] for task in tasks[:2]] == started[::-1]
    with pytest.raises(ClientError) as caught:
        place.write.resume_batch_load_task(TaskId=tasks[0]["TaskId"])
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    with pytest.raises(place.write.exceptions.ResourceNotFoundException):
        place.describe("NOSUCHTASK")


def test_a_killed_ts_local_leaves_a_resumable_task(start_ts_local):
    process = start_ts_local()
    place = Place(process).create()
    now = time.time_ns()
    place.put("big/a.csv", [["c", "m", str(i), "", now - i] for i in range(150_000)])
    task = place.start("big/")
    while place.describe(task)["ProgressReport"]["RecordsProcessed"] == 0:
        time.sleep(0.001)
    process.stop(signal.SIGKILL)
    process.start()
    place = Place(process)
    stopped = place.describe(task)
    if stopped["TaskStatus"] != "PROGRESS_STOPPED":
        pytest.skip(f"the load was done before the kill: {stopped['TaskStatus']}; nothing to resume")
    assert stopped["ResumableUntil"].timestamp() > time.time()
    place.write.resume_batch_load_task(TaskId=task)
    finished = place.finish(task)
    assert finished["TaskStatus"] == "SUCCEEDED", finished
    assert place.rows('SELECT count(*) FROM "loads"."t"') == [["150000"]]
