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
        self.write.create_table(
            DatabaseName="loads",
            TableName="t",
            RetentionProperties={
                "MemoryStoreRetentionPeriodInHours": 24,
                "MagneticStoreRetentionPeriodInDays": 30,
            },
            MagneticStoreWriteProperties={"EnableMagneticStoreWrites": True},
        )
        return self

    def put(self, key, rows):
        text = io.StringIO()
        writer = csv.writer(
            text, quoting=csv.QUOTE_MINIMAL, doublequote=False, escapechar="\\", lineterminator="\n"
        )
        writer.writerow(["city", "measure_name", "temperature", "note", "nanoseconds"])
        writer.writerows(rows)
        self.s3.put_object(Bucket="source", Key=key, Body=text.getvalue().encode())

    def start(self, prefix, **more):
        return self.write.create_batch_load_task(
            DataModelConfiguration={"DataModel": MODEL},
            DataSourceConfiguration={
                "DataSourceS3Configuration": {"BucketName": "source", "ObjectKeyPrefix": prefix},
                "CsvConfiguration": {"QuoteChar": '"', "EscapeChar": "\\"},
                "DataFormat": "CSV",
            },
            ReportConfiguration={
                "ReportS3Configuration": {"BucketName": "reports", "ObjectKeyPrefix": "r"}
            },
            TargetDatabaseName="loads",
            TargetTableName="t",
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
