"""UNLOAD's default, CSV in gzip, read by Python's gzip and csv modules; and what batch load makes of such a file."""

import csv
import gzip
import io
import json
import time

import pytest

NOTES = ["plain", "with, comma", 'with "quotes"', "back\\slash", "two\nlines", "Zürich – 東京"]


@pytest.fixture(scope="module")
def rows(client):
    write, now = client("timestream-write"), int(time.time())
    write.create_database(DatabaseName="zipped")
    write.create_table(DatabaseName="zipped", TableName="t")
    records = [{"Dimensions": [{"Name": "day", "Value": f"d{i % 3}"}], "MeasureName": "m", "MeasureValueType": "MULTI",
                "MeasureValues": [{"Name": "note", "Value": NOTES[i % len(NOTES)], "Type": "VARCHAR"},
                                  {"Name": "value", "Value": str(i), "Type": "BIGINT"}],
                "Time": str(now - 900 + i), "TimeUnit": "SECONDS"} for i in range(90)]
    write.write_records(DatabaseName="zipped", TableName="t", Records=records)
    return {(i, NOTES[i % len(NOTES)], f"d{i % 3}") for i in range(90)}


@pytest.mark.parametrize("compression", ["", "compression = 'GZIP', "])
def test_python_reads_the_rows(client, bucket, rows, compression):
    sql = ('UNLOAD (SELECT note, value, day FROM "zipped"."t") TO '
           f"'s3://{bucket}/out/' WITH ({compression}include_header = 'true', partitioned_by = ARRAY['day'])")
    pages = list(client("timestream-query").get_paginator("query").paginate(QueryString=sql))
    total, _, manifest_uri = (cell["ScalarValue"] for cell in pages[-1]["Rows"][0]["Data"])
    assert total == "90"
    s3 = client("s3")
    manifest = json.load(s3.get_object(Bucket=bucket, Key=manifest_uri.removeprefix(f"s3://{bucket}/"))["Body"])
    read, size = set(), 0
    for file in manifest["result_files"]:
        key = file["url"].removeprefix(f"s3://{bucket}/")
        assert key.startswith("out/results/day=") and key.endswith(".gz")
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        size += len(body)
        assert file["file_metadata"]["content_length_in_bytes"] == len(body)
        lines = list(csv.reader(io.StringIO(gzip.decompress(body).decode(), newline=""), doublequote=False,
                                escapechar="\\"))
        assert lines[0] == ["note", "value"] and len(lines) - 1 == file["file_metadata"]["row_count"] == 30
        read |= {(int(value), note, key.split("/")[2].removeprefix("day=")) for note, value in lines[1:]}
    assert read == rows and len(manifest["result_files"]) == 3
    assert manifest["query_metadata"]["total_content_length_in_bytes"] == size


def test_parquet_is_refused(client, bucket, rows):
    query = client("timestream-query")
    with pytest.raises(query.exceptions.ValidationException, match="ts-local writes CSV only"):
        query.query(QueryString=f"UNLOAD (SELECT value FROM \"zipped\".\"t\") TO 's3://{bucket}/p' "
                                "WITH (format = 'PARQUET')")


def test_batch_load_reports_a_file_in_gzip(client, bucket, rows):
    text = "day,measure_name,value,seconds\n" + f"d9,m,1,{int(time.time()) - 900}\n"
    s3, write = client("s3"), client("timestream-write")
    s3.put_object(Bucket=bucket, Key="in/a.csv", Body=text)
    s3.put_object(Bucket=bucket, Key="in/b.gz", Body=gzip.compress(text.encode()))
    task = write.create_batch_load_task(
        DataModelConfiguration={"DataModel": {
            "TimeColumn": "seconds", "TimeUnit": "SECONDS", "MeasureNameColumn": "measure_name",
            "DimensionMappings": [{"SourceColumn": "day"}],
            "MultiMeasureMappings": {"MultiMeasureAttributeMappings": [
                {"SourceColumn": "value", "MeasureValueType": "BIGINT"}]}}},
        DataSourceConfiguration={"DataSourceS3Configuration": {"BucketName": bucket, "ObjectKeyPrefix": "in/"},
                                 "DataFormat": "CSV"},
        ReportConfiguration={"ReportS3Configuration": {"BucketName": bucket, "ObjectKeyPrefix": "errors"}},
        TargetDatabaseName="zipped", TargetTableName="t")["TaskId"]
    deadline = time.monotonic() + 60
    while True:
        told = write.describe_batch_load_task(TaskId=task)["BatchLoadTaskDescription"]
        if told["TaskStatus"] in ("SUCCEEDED", "FAILED"):
            break
        assert time.monotonic() < deadline, told
        time.sleep(0.05)
    progress = told["ProgressReport"]
    assert (progress["RecordsIngested"], progress["FileFailures"]) == (1, 1)
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket, Prefix="errors/")["Contents"]]
    reports = [s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode() for key in keys]
    assert any("in/b.gz" in report and "compressed with gzip" in report for report in reports), reports
    assert not any("in/a.csv" in report for report in reports)
