"""How UNLOADs fail and go on in ts-local, as boto3 sees it: rate, hour, memory, a client that is gone."""

import time

import botocore.exceptions
import pytest

SELECT = "SELECT value, city FROM \"db\".\"t\""
ONCE = {"total_max_attempts": 1, "mode": "standard"}


@pytest.fixture
def start(start_ts_local):
    """A ts-local with a table of 5 cities with 20 rows each, and a bucket."""
    def begin(*flags):
        local = start_ts_local(*flags)
        write, now = local.client("timestream-write"), int(time.time())
        write.create_database(DatabaseName="db")
        write.create_table(DatabaseName="db", TableName="t")
        write.write_records(DatabaseName="db", TableName="t", Records=[
            {"Dimensions": [{"Name": "city", "Value": f"c{i // 20}"}], "MeasureName": "m",
             "MeasureValueType": "MULTI", "MeasureValues": [{"Name": "value", "Value": str(i), "Type": "BIGINT"}],
             "Time": str(now - 1000 + i), "TimeUnit": "SECONDS"} for i in range(100)])
        local.client("s3").create_bucket(Bucket="unloads")
        return local
    return begin


def sql(folder, where=""):
    return (f"UNLOAD ({SELECT} {where}) TO 's3://unloads/{folder}' WITH (compression = 'NONE', "
            "partitioned_by = ARRAY['city'])")


def unload(local, *arguments):
    client = local.client("timestream-query", retries=ONCE)
    pages = list(client.get_paginator("query").paginate(QueryString=sql(*arguments)))
    return int(pages[-1]["Rows"][0]["Data"][0]["ScalarValue"]), [page["QueryStatus"] for page in pages]


def refusal(local, *arguments):
    with pytest.raises(botocore.exceptions.ClientError) as error:
        unload(local, *arguments)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def keys(local, folder):
    listed = local.client("s3").list_objects_v2(Bucket="unloads", Prefix=folder + "/")
    return [item["Key"] for item in listed.get("Contents", [])]


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)


def test_one_start_in_a_service_second(start):
    local = start("--unload_rate", "1", "--time_scale", "0.01")
    assert unload(local, "a")[0] == 100
    assert refusal(local, "b")[0] == "ThrottlingException"
    assert keys(local, "b") == []
    local = start("--unload_rate", "1", "--time_scale", "1000")
    for folder in "abc":
        assert unload(local, folder)[0] == 100


def test_memory_and_the_hour(start):
    local = start("--memory_partitions", "3", "--time_scale", "10000",
                  "--unload_seconds_per_million_rows", str(50e6))  # 72 rows in the hour
    assert unload(local, "fits", "WHERE value < 60")[0] == 60
    assert refusal(local, "memory") == ("QueryExecutionException",
                                        "The query computation exceeds maximum available memory")
    local = start("--time_scale", "10000", "--unload_seconds_per_million_rows", str(50e6))
    code, message = refusal(local, "hour")
    assert code == "QueryExecutionException" and "timed out" in message
    assert len(keys(local, "hour")) == 4 and all("results/city=" in key for key in keys(local, "hour"))
    progress = [status["ProgressPercentage"] for status in unload(local, "fits", "WHERE value < 60")[1]]
    assert progress == sorted(progress) and progress[-1] == 100


def test_it_goes_on_without_its_client(start):
    local = start("--unload_seconds_per_million_rows", "5000")
    page = local.client("timestream-query").query(QueryString=sql("alone"))
    assert page["NextToken"] and not any("manifest" in key for key in keys(local, "alone"))
    wait_for(lambda: any("manifest" in key for key in keys(local, "alone")))
    assert len(keys(local, "alone")) == 5 + 2


def test_a_cancelled_one_leaves_no_manifest(start):
    local = start("--unload_seconds_per_million_rows", str(30e6))
    client = local.client("timestream-query", retries=ONCE)
    page = client.query(QueryString=sql("gone"))
    assert "is being cancelled" in client.cancel_query(QueryId=page["QueryId"])["CancellationMessage"]
    with pytest.raises(client.exceptions.ConflictException):
        client.query(QueryString=sql("gone"), NextToken=page["NextToken"])
    wait_for(lambda: "already completed" in client.cancel_query(QueryId=page["QueryId"])["CancellationMessage"])
    assert not any("manifest" in key for key in keys(local, "gone"))
